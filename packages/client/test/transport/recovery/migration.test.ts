/** RFC 9000 §9: records take another path. */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { STREAM_WINDOW } from '../../../src/core/transport/limits.ts'
import { BBR, CUBIC, Pair } from '../pair.ts'
import { checking, open, SECONDS, send, sendEndlessly } from '../traffic.ts'

test.each([
  ['a dead path', true],
  ['a path that still delivers', false],
])('migration from %s loses, doubles and reorders nothing', (_what, dead) => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat(400), { minLength: 1, maxLength: 4 }), (seed, moves) => {
      const pair = new Pair(BBR, { delay: 30, rate: 20e6, queue: 100_000, loss: 0.02 }, { seed })
      const found = checking(pair)
      const id = open(pair)
      send(pair, id, 1_500_000)
      for (const wait of moves) {
        pair.run(pair.now + wait)
        pair.migrate({ delay: 1 + (wait % 40), rate: 20e6, queue: 100_000, loss: 0.02 }, dead)
      }
      pair.run(60 * SECONDS, () => pair.b.ended.has(id))
      expect([pair.b.received.get(id), found.wrong]).toEqual([1_500_000, 0])
    }),
    { numRuns: runs(15) },
  )
})

test('what the former path lost is sent again within three round trips, though flow control blocks new data', () => {
  const pair = new Pair(CUBIC, { delay: 20 })
  const id = open(pair)
  pair.b.reads = false
  send(pair, id, 2 * STREAM_WINDOW)
  pair.run(SECONDS, () => pair.a.sentSizes.reduce((sum, size) => sum + size, 0) > STREAM_WINDOW)
  pair.run(pair.now + 10)
  pair.a.flights.splice(-8)
  pair.migrate({ delay: 20 }, false)
  pair.run(pair.now + 3 * 40)
  pair.b.read(id, pair.now)
  expect(pair.b.received.get(id)).toBe(STREAM_WINDOW)
})

test.each([
  ['cubic', CUBIC],
  ['bbr', BBR],
] as const)('%s has half of the new rate within a second', (_name, congestion) => {
  const pair = new Pair(congestion, { delay: 40, rate: 5e6, queue: 50_000 })
  const id = sendEndlessly(pair)
  pair.run(5 * SECONDS)
  pair.migrate({ delay: 10, rate: 50e6, queue: 125_000 }, true)
  const before = pair.b.received.get(id) ?? 0
  pair.run(6 * SECONDS)
  const inASecond = (pair.b.received.get(id) ?? 0) - before
  expect(inASecond).toBeGreaterThan(50e6 / 8 / 2)
})
