/** The recovery table with fixed seeds (`pnpm recovery` plays as many as one likes). */
import { describe, expect, test } from 'vitest'
import { playRecovery, RECOVERY_FAULTS, type RecoveryPlay } from '../../src/index.ts'

const PLAYS: readonly Pick<RecoveryPlay, 'traffic' | 'idle'>[] = [
  { traffic: 'datagrams', idle: false },
  { traffic: 'datagrams', idle: true },
  { traffic: 'stream', idle: false },
  { traffic: 'stream', idle: true },
]

describe.each(RECOVERY_FAULTS)('$name', (fault) => {
  const rows = fault.pairs.flatMap((pair) => PLAYS.map((play) => ({ pair, ...play })))
  test.each(rows)('between $pair, $traffic, idle before: $idle', async (play) => {
    const { silence, survived } = await playRecovery(fault, { ...play, seed: 0 })
    expect(survived).toBe(true)
    expect(silence).toBeLessThanOrEqual(fault.goal)
  })
})
