import { DATAGRAM_OVERHEAD } from '@showchain/wire/end-to-end'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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

describe('packet size', () => {
  it('is what every path takes until something was acknowledged, then the most, at the first try', () => {
    const pair = new Pair(BBR, PATH)
    stream(pair, 500_000)
    expect(sizesOf(pair)).toEqual({ first: base, largest: most })
    const full = pair.a.sentSizes.filter((size) => size === most).length
    expect([pair.a.transport.recordSize, full > 200]).toEqual([most, true])
  })

  it('is the largest of those tried that passes, for every path, and nothing is lost meanwhile', () => {
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

  it('is found when next to nothing is said', () => {
    const pair = new Pair(BBR, { ...PATH, mtu: 1400 })
    pair.a.transport.ping()
    pair.run(10 * SECONDS)
    expect(pair.a.transport.recordSize).toBe(larger[1])
    expect(pair.a.sentSizes.length).toBeLessThan(40)
  })

  it('does not slow the stream down while it is looked for', () => {
    const took = [1200, 1500].map((mtu) => {
      const pair = new Pair(CUBIC, { ...PATH, mtu })
      stream(pair, 5_000_000)
      return pair.now
    })
    // Wider packets carry a fifth more, less what the headers take either way.
    expect((took[0] as number) / (took[1] as number)).toBeLessThan(1.1)
  })

  it.each([
    ['cubic', CUBIC],
    ['bbr', BBR],
  ] as const)('falls back when the path becomes a narrower one (%s)', (_name, congestion) => {
    const pair = new Pair(congestion, PATH)
    stream(pair, 500_000)
    expect(pair.a.transport.recordSize).toBe(most)
    for (const end of [pair.a, pair.b]) Object.assign(end.path, { shape: { ...PATH, mtu: 1300 } })
    stream(pair, 500_000)
    expect(pair.a.transport.recordSize).toBe(base)
  })

  it('is looked for once more after ten minutes', () => {
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

  it('begins anew on another path', () => {
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

  it('stays when packets of all sizes are lost', () => {
    const pair = new Pair(BBR, { ...PATH, loss: 0.1 }, { seed: 5 })
    stream(pair, 3_000_000)
    expect(pair.a.transport.recordSize).toBeGreaterThan(1400)
  })

  it('bounds datagrams: one that fits goes whole, also when it waits behind a probe', () => {
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
})
