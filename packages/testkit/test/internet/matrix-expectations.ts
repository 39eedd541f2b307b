/** What every pair must come to, on a network that loses so much. */
import { expect, test } from 'vitest'
import { type Outcome, PAIRINGS, play } from '../../src/index.ts'

const SEEDS = 200
/** Birthday probing meets within this time … */
const BIRTHDAY_MS = 35_000
/** … in so many of all runs. */
const BIRTHDAY_SHARE = 0.99

export function expectMatrix(loss: number): void {
  test.each(PAIRINGS.map((pairing) => [pairing.requester, pairing.target, pairing] as const))(
    `%s → %s at ${loss * 100} % loss`,
    async (_requester, _target, pairing) => {
      const outcomes: Outcome[] = []
      for (let seed = 0; seed < SEEDS; seed++) outcomes.push(await play(pairing, seed, { loss }))
      expect(outcomes.filter(({ connected }) => !connected)).toEqual([])
      const direct = outcomes.filter(({ directMs }) => directMs !== undefined)
      if (pairing.best === 'relay') expect(direct).toEqual([])
      else if (pairing.best === 'direct') expect(direct).toHaveLength(SEEDS)
      else {
        const inTime = direct.filter(({ directMs }) => (directMs as number) <= BIRTHDAY_MS)
        expect(inTime.length).toBeGreaterThanOrEqual(BIRTHDAY_SHARE * SEEDS)
      }
    },
    120_000,
  )
}
