/** RFC 8899: how large a record a path takes. */
import { DATAGRAM_OVERHEAD } from '@showchain/wire/end-to-end'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BBR, CUBIC, Pair, type PathShape, TRAITS } from '../pair.ts'

const PATH: PathShape = { delay: 10, rate: 20e6, queue: 60_000 }
const SECONDS = 1000
/** RFC 8899 §5.1.1. */
const RAISE = 600 * SECONDS
const { base, larger } = TRAITS
const most = larger[0] as number

/** Sends a stream from `a`, and waits until it is over. */
function stream(pair: Pair, bytes: number, within = 60 * SECONDS): void {
  const id = pair.a.transport.streams.open() as number
  pair.a.transport.streams.write(id, new Uint8Array(bytes))
  pair.a.transport.streams.end(id)
  pair.run(pair.now + within, () => pair.b.ended.has(id))
  expect([pair.b.received.get(id), pair.b.ended.has(id)]).toEqual([bytes, true])
}

const sizesOf = (pair: Pair): { first: number; largest: number } => ({
  first: Math.max(...pair.a.sentSizes.slice(0, 10)),
  largest: Math.max(...pair.a.sentSizes),
})

test('a path begins at the base size, and takes the largest one at the first probe once something was acknowledged', () => {
  const pair = new Pair(BBR, PATH)
  stream(pair, 500_000)
  expect(sizesOf(pair)).toEqual({ first: base, largest: most })
  const full = pair.a.sentSizes.filter((size) => size === most).length
  expect([pair.a.transport.recordSize, full > 200]).toEqual([most, true])
})

test('the largest size that passes is found for every path, and no data is lost for it', () => {
  fc.assert(
    fc.property(fc.integer({ min: base, max: most + 50 }), fc.constantFrom(CUBIC, BBR), (mtu, congestion) => {
      const pair = new Pair(congestion, { delay: 10, rate: 20e6, mtu })
      stream(pair, 500_000)
      expect(pair.a.transport.recordSize).toBe(larger.find((size) => size <= mtu) ?? base)
      expect(pair.a.transport.statistics.lost).toBe(0)
    }),
    { numRuns: runs(40) },
  )
})

test('the size is found on a connection that is next to idle', () => {
  const pair = new Pair(BBR, { ...PATH, mtu: 1400 })
  pair.a.transport.ping()
  pair.run(10 * SECONDS)
  expect(pair.a.transport.recordSize).toBe(larger[1])
  expect(pair.a.sentSizes.length).toBeLessThan(40)
})

test('probes do not slow a stream down', () => {
  const took = [1200, 1500].map((mtu) => {
    const pair = new Pair(CUBIC, { ...PATH, mtu })
    stream(pair, 5_000_000)
    return pair.now
  })
  // Wider packets carry a fifth more, less what the headers take either way.
  expect((took[0] as number) / (took[1] as number)).toBeLessThan(1.1)
})

test.each([
  ['cubic', CUBIC],
  ['bbr', BBR],
] as const)('a path that becomes narrower falls back to the base size (%s)', (_name, congestion) => {
  const pair = new Pair(congestion, PATH)
  stream(pair, 500_000)
  expect(pair.a.transport.recordSize).toBe(most)
  for (const end of [pair.a, pair.b]) Object.assign(end.path, { shape: { ...PATH, mtu: 1300 } })
  stream(pair, 500_000)
  expect(pair.a.transport.recordSize).toBe(base)
})

test('larger sizes are probed again after ten minutes', () => {
  const pair = new Pair(BBR, { ...PATH, mtu: 1300 })
  stream(pair, 500_000)
  expect(pair.a.transport.recordSize).toBe(larger[2])
  for (const end of [pair.a, pair.b]) Object.assign(end.path, { shape: PATH })
  stream(pair, 500_000)
  expect(pair.a.transport.recordSize).toBe(larger[2])
  pair.run(pair.now + RAISE)
  stream(pair, 10_000)
  pair.run(pair.now + SECONDS)
  expect(pair.a.transport.recordSize).toBe(most)
})

test('another path begins at the base size', () => {
  const pair = new Pair(BBR, PATH)
  stream(pair, 500_000)
  const before = pair.a.sentSizes.length
  pair.migrate({ ...PATH, mtu: base }, false)
  expect(pair.a.transport.recordSize).toBe(base)
  stream(pair, 500_000)
  // Once on the new path nothing but probes is larger than what it takes.
  const probes = pair.a.sentSizes.slice(before).filter((size) => size > base)
  expect([probes.length, new Set(probes).size]).toEqual([probes.length, probes.length])
  expect(probes.length).toBeLessThanOrEqual(larger.length)
})

test('the size stays when records of all sizes are lost', () => {
  const pair = new Pair(BBR, { ...PATH, loss: 0.1 }, { seed: 5 })
  stream(pair, 3_000_000)
  expect(pair.a.transport.recordSize).toBeGreaterThan(1400)
})

test('a datagram of the largest size arrives whole, behind a probe too, and a larger one is dropped', () => {
  const pair = new Pair(BBR, PATH)
  stream(pair, 100_000)
  const largest = new Uint8Array(pair.a.transport.recordSize - DATAGRAM_OVERHEAD).fill(7)
  let left = 0
  for (const bytes of [largest, new Uint8Array(largest.length + 1), largest])
    pair.a.transport.datagrams.push(bytes, () => left++)
  pair.run(pair.now + SECONDS)
  expect(pair.b.datagrams.map((bytes) => bytes.length)).toEqual([largest.length, largest.length])
  expect(left).toBe(3)
})
