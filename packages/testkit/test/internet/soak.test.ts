import { runs, SEED } from '@showchain-tooling/vitest/random'
import { expect, test } from 'vitest'
import { NETWORK_FAULTS, SOAK_FAULTS, soak } from '../../src/index.ts'

/** Of `npm test` and of `pnpm test:long`; `pnpm soak` plays 10,000 on random seeds. */
const SOME = runs(20)
const MANY = runs(500)

async function play(scenarios: number): Promise<void> {
  let connected = 0
  let direct = 0
  for (let scenario = 0; scenario < scenarios; scenario++) {
    const outcome = await soak(SEED + scenario)
    connected += outcome.connected
    direct += outcome.direct
  }
  // Not a rule, but scenarios in which few connect test little.
  expect(connected).toBeGreaterThan(scenarios)
  expect(direct).toBeGreaterThan(scenarios / 2)
}

test(
  `${SOME} random scenarios: each dial and each message ends, and nothing stays behind`,
  () => play(SOME),
  runs(60_000),
)
test(`${MANY} random scenarios: each dial and each message ends, and nothing stays behind`, { tags: ['long'] }, () =>
  play(MANY),
)

/** The dice are the same for the same list of faults. */
const BEFORE_RELAYS_STOPPED = SOAK_FAULTS.filter((fault) => fault !== 'relay suspend')

test.each([
  [144_506_451, 'a relay lost each session by which a connection without a path looked for one', NETWORK_FAULTS],
  [1048, 'the only relay of a connection without a path was about to end', BEFORE_RELAYS_STOPPED],
  [486, 'a relay that was left was asked for ever whether it is there', SOAK_FAULTS],
])('seed %i, which once failed: %s', async (seed, _why, faults) => {
  await expect(soak(seed, faults)).resolves.toMatchObject({ messages: expect.any(Number) })
})

test.each(SOAK_FAULTS)('nothing but one kind of fault: %s', async (fault) => {
  const outcomes = [1, 2, 3].map((seed) => soak(`${fault} ${seed}`, [fault]))
  expect((await Promise.all(outcomes)).reduce((sum, { faults }) => sum + faults, 0)).toBeGreaterThan(0)
})

test('the same seed is the same run', async () => {
  expect(await soak('twice')).toEqual(await soak('twice'))
})
