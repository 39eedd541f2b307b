import { Cubic, duration } from '@showchain/client/core'
import { expect, test } from 'vitest'
import { goodput, nat, streamSoak } from '../../src/index.ts'

test.each([1, 2, 3])(
  'streams through loss, rebinding NATs and a dying relay: nothing lost, doubled, reordered or altered (%d)',
  async (seed) => {
    const found = await streamSoak({
      ...{ seed: `streams ${seed}`, bytes: 8_000_000 },
      ...{ rate: 1e6, rebind: duration(13_000), relayDies: duration(29_000) },
    })
    expect(found.bytes).toBe(8_000_000)
    expect(found.rebindings).toBeGreaterThan(2)
    expect(found.relayDeaths).toBeGreaterThan(1)
  },
)

const RELAYED = 'so do they where both NATs change ports, and the relay is all there is (%d)'
async function relayed(seed: number): Promise<void> {
  const found = await streamSoak({
    ...{ seed, bytes: 8_000_000, nats: [nat.T4(), nat.T4()] },
    ...{ rate: 1e6, rebind: duration(13_000), relayDies: duration(29_000) },
  })
  expect(found.bytes).toBe(8_000_000)
  expect(found.relayDeaths).toBeGreaterThan(5)
}
test.each([6])(RELAYED, relayed)
test.each([8, 40, 58])(RELAYED, { tags: ['long'] }, relayed)

test('a stream gets most of a line, with CUBIC too', async () => {
  const line = { rtt: 20, rate: 50e6 }
  const found = await goodput({ seed: 'line', line, congestion: (packet) => new Cubic(packet) })
  expect(found).toBeGreaterThan(0.85 * line.rate)
})
