import { runs, SEED } from '@showchain-tooling/vitest/random'
import { expect, test } from 'vitest'
import { soak } from '../../src/index.ts'

/** `pnpm soak` plays 10,000. */
const SCENARIOS = runs(300)

test(
  `${SCENARIOS} random scenarios: each dial and each message ends, and nothing stays behind`,
  async () => {
    let connected = 0
    let direct = 0
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
      const outcome = await soak(SEED + scenario)
      connected += outcome.connected
      direct += outcome.direct
    }
    // Not a rule, but a scenario in which nobody meets tests nothing.
    expect(connected).toBeGreaterThan(SCENARIOS)
    expect(direct).toBeGreaterThan(SCENARIOS / 2)
  },
  runs(180_000),
)

test.each([[144_506_451, 'a relay lost each session by which a connection without a path looked for one']])(
  'seed %i, on which messages never ended: %s',
  async (seed) => {
    await expect(soak(seed)).resolves.toMatchObject({ messages: expect.any(Number) })
  },
)

test('the same seed is the same run', async () => {
  expect(await soak('twice')).toEqual(await soak('twice'))
})
