/** The recovery table with fixed seeds (`pnpm recovery` plays as many as one likes). */
import { describe, expect, test } from 'vitest'
import { playRecovery, RECOVERY_FAULTS, type RecoveryPlay } from '../../src/index.ts'

type Play = Pick<RecoveryPlay, 'traffic' | 'idle'>
const QUICK: readonly Play[] = [
  { traffic: 'datagrams', idle: false },
  { traffic: 'datagrams', idle: true },
  { traffic: 'stream', idle: false },
]
const LONG: readonly Play[] = [{ traffic: 'stream', idle: true }]

describe.each(RECOVERY_FAULTS)('$name', (fault) => {
  const of = (plays: readonly Play[]): readonly Omit<RecoveryPlay, 'seed'>[] =>
    fault.pairs.flatMap((pair) => plays.map((play) => ({ pair, ...play })))
  async function recovers(play: Omit<RecoveryPlay, 'seed'>): Promise<void> {
    const { silence, survived } = await playRecovery(fault, { ...play, seed: 0 })
    expect(survived).toBe(true)
    expect(silence).toBeLessThanOrEqual(fault.goal)
  }
  test.each(of(QUICK))('between $pair, $traffic, idle before: $idle', recovers)
  test.each(of(LONG))('between $pair, $traffic, idle before: $idle', { tags: ['long'] }, recovers)
})
