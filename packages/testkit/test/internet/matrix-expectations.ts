/** What every pair must come to, on a network that loses so much. */
import { expect, type TestOptions, test } from 'vitest'
import { MAPPED_PAIRINGS, NAT_PAIRINGS, type Outcome, PAIRINGS, type Pairing, play } from '../../src/index.ts'

/** Of `npm test`. */
export const SOME_SEEDS = 5
/** Of `pnpm test:long`: between the seed's types of NAT. `pnpm matrix --seeds` plays as many as it is told. */
export const ALL_SEEDS = 200
/** Of `pnpm test:long`, everywhere else. */
const OTHER_SEEDS = 50
/** There are twice as many pairs with a router that maps ports, and one of four runs of each. */
const MAPPED_SHARE = 4
/** The way to a path is the same in plaintext. */
const PLAINTEXT_SEEDS = 10
/** Birthday probing meets within this time … */
const BIRTHDAY_MS = 35_000
/** … in so many of all runs. */
const BIRTHDAY_SHARE = 0.99
/**
 * So many of all runs are direct after two minutes where so much is lost: one in 14 introductions
 * fails there (a question, its two copies and the answer come through in 0.8^4 of 5 tries), and
 * there is time for three.
 */
const LOSSY = 0.2
const LOSSY_SHARE = 0.99

export function expectMatrix(loss: number, seeds: number, options: TestOptions = {}): void {
  const times = (pairing: Pairing): number => {
    if (MAPPED_PAIRINGS.includes(pairing)) return Math.ceil(seeds / MAPPED_SHARE)
    return NAT_PAIRINGS.includes(pairing) ? seeds : Math.min(seeds, OTHER_SEEDS)
  }
  test.each(PAIRINGS.map((pairing) => [...namesOf(pairing), times(pairing), pairing] as const))(
    `%s → %s at ${loss * 100} % loss, %i times`,
    options,
    async (_requester, _target, seeds, pairing) => {
      const outcomes: Outcome[] = []
      for (let seed = 0; seed < seeds; seed++) outcomes.push(await play(pairing, seed, { loss }))
      expectAll(pairing.best, outcomes, loss)
    },
  )
}

function namesOf({ requester, target, mapped }: Pairing): readonly [string, string] {
  const end = (name: string, which: Pairing['mapped']): string => (which === mapped ? `${name}, mapped` : name)
  return [end(requester, 'requester'), end(target, 'target')]
}

export function expectPlaintextMatrix(loss: number): void {
  test.each(NAT_PAIRINGS.map((pairing) => [pairing.requester, pairing.target, pairing] as const))(
    `%s → %s in plaintext at ${loss * 100} % loss`,
    async (_requester, _target, pairing) => {
      const outcomes: Outcome[] = []
      for (let seed = 0; seed < PLAINTEXT_SEEDS; seed++)
        outcomes.push(await play(pairing, seed, { loss, plaintext: true }))
      expectAll(pairing.best, outcomes, loss)
    },
  )
}

function expectAll(best: Pairing['best'], outcomes: readonly Outcome[], loss: number): void {
  expect(outcomes.filter(({ connected }) => !connected)).toEqual([])
  const direct = outcomes.filter(({ directMs }) => directMs !== undefined)
  if (best === 'relay') expect(direct).toEqual([])
  else if (best === 'direct')
    expect(direct.length).toBeGreaterThanOrEqual(Math.floor((loss < LOSSY ? 1 : LOSSY_SHARE) * outcomes.length))
  else {
    const inTime = direct.filter(({ directMs }) => (directMs as number) <= BIRTHDAY_MS)
    expect(inTime.length).toBeGreaterThanOrEqual(Math.floor(BIRTHDAY_SHARE * outcomes.length))
  }
}
