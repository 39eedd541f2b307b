/** What a stream gets of a path, by controller. */
import { expect, test } from 'vitest'
import { BBR, Bottleneck, CUBIC, Pair, runAll } from '../pair.ts'
import { SECONDS, sendEndlessly } from '../traffic.ts'

/** Bytes per second of a flow between two moments. */
function goodput(pair: Pair, from: number, to: number): number {
  const id = sendEndlessly(pair)
  pair.run(from)
  const before = pair.b.received.get(id) ?? 0
  pair.run(to)
  return ((pair.b.received.get(id) ?? 0) - before) / ((to - from) / 1000)
}

// Of 1200 bytes 1126 are the stream's. Cubic fills what loses nothing; BBR keeps a margin and probes.
test.each([
  ['cubic', CUBIC, { delay: 0.5, rate: 50e6, queue: 20_000 }, 0.85],
  ['cubic', CUBIC, { delay: 10, rate: 100e6, queue: 250_000 }, 0.9],
  ['cubic', CUBIC, { delay: 150, rate: 1e6, queue: 40_000 }, 0.9],
  ['bbr', BBR, { delay: 0.5, rate: 50e6, queue: 20_000 }, 0.85],
  ['bbr', BBR, { delay: 10, rate: 100e6, queue: 250_000 }, 0.85],
  ['bbr', BBR, { delay: 10, rate: 100e6, queue: 250_000, loss: 0.01 }, 0.8],
  ['bbr', BBR, { delay: 25, rate: 50e6, queue: 300_000, loss: 0.03 }, 0.8],
  ['bbr', BBR, { delay: 150, rate: 1e6, queue: 40_000 }, 0.85],
] as const)('%s fills %o', (_name, congestion, shape, share) => {
  const pair = new Pair(congestion, shape)
  expect(goodput(pair, 5 * SECONDS, 8 * SECONDS)).toBeGreaterThan((shape.rate / 8) * share)
})

test('cubic gets half of what its theory says where packets are lost at random', () => {
  const pair = new Pair(CUBIC, { delay: 10, rate: 100e6, queue: 250_000, loss: 0.01 })
  // RFC 9438 §5.1: about 1.2/√p packets each round trip in the region of Reno.
  const theory = ((1.2 / Math.sqrt(0.01)) * 1200) / 0.02
  expect(goodput(pair, 5 * SECONDS, 15 * SECONDS)).toBeGreaterThan(theory / 2)
})

test.each([
  ['cubic', CUBIC, 0.6],
  ['bbr', BBR, 0.5],
] as const)('two flows of %s share a bottleneck', { tags: ['long'] }, (_name, congestion, fairness) => {
  const shape = { delay: 20, rate: 20e6, queue: 100_000 }
  const there = new Bottleneck(shape)
  const back = new Bottleneck(shape)
  const pairs = [1, 2].map((seed) => new Pair(congestion, shape, { seed, there, back }))
  for (const pair of pairs) sendEndlessly(pair)
  const received = (): number[] => pairs.map(({ b }) => b.received.get(0) ?? 0)
  runAll(pairs, 10 * SECONDS)
  const before = received()
  runAll(pairs, 40 * SECONDS)
  const [one = 0, two = 0] = received().map((bytes, index) => bytes - (before[index] as number))
  expect(Math.min(one, two) / Math.max(one, two)).toBeGreaterThan(fairness)
  expect(one + two).toBeGreaterThan((20e6 / 8) * 30 * 0.85)
})
