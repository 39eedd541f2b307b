import { Cubic, duration } from '@showchain/client/core'
import { expect, test } from 'vitest'
import { goodput, streamSoak } from '../../src/index.ts'

test.each([1, 2, 3])(
  'streams through loss, rebinding NATs and a dying relay: nothing lost, doubled, reordered or altered (%d)',
  async (seed) => {
    const found = await streamSoak({
      ...{ seed: `streams ${seed}`, bytes: 6_000_000 },
      ...{ rate: 2e6, rebind: duration(7000), relayDies: duration(11_000) },
    })
    expect(found.bytes).toBe(6_000_000)
    expect(found.rebindings).toBeGreaterThan(2)
    expect(found.relayDeaths).toBeGreaterThan(1)
    expect(found.moves).toBeGreaterThan(0)
  },
)

test('a stream gets most of a line, with CUBIC too', async () => {
  const line = { rtt: 20, rate: 50e6 }
  const found = await goodput({ seed: 'line', line, congestion: (packet) => new Cubic(packet) })
  expect(found).toBeGreaterThan(0.85 * line.rate)
})
