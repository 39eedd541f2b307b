/** RFC 8899: how large a record a path takes. */
import { DATAGRAM_OVERHEAD } from '@showchain/wire/end-to-end'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PathTraits } from '../../../src/core/transport/recovery/path-traits.ts'
import { BBR, CUBIC, type End, Pair, type PathShape, TRAITS } from '../pair.ts'

const PATH: PathShape = { delay: 10, rate: 20e6, queue: 60_000 }
/** One that random loss leaves little of. */
const LINE: PathShape = { delay: 20, rate: 5e6, queue: 60_000 }
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

/** Both directions of the path are like this from now on. */
function change(pair: Pair, shape: PathShape): void {
  for (const end of [pair.a, pair.b]) Object.assign(end.path, { shape })
}

/** Uses the connection for another 100 ms. */
function user(pair: Pair, what: 'stream' | 'datagrams', end: End = pair.a): () => void {
  const { streams, datagrams } = end.transport
  const id = what === 'stream' ? (streams.open() as number) : 0
  return () => {
    if (what === 'stream') streams.write(id, new Uint8Array(100_000))
    else {
      for (const bytes of [end.transport.recordSize - DATAGRAM_OVERHEAD, 100])
        datagrams.push(new Uint8Array(bytes), () => {})
    }
    pair.run(pair.now + 100)
  }
}

/** After how long it was so; undefined: not within the time. */
function until(pair: Pair, use: () => void, within: number, holds: () => boolean): number | undefined {
  const from = pair.now
  while (pair.now < from + within) {
    use()
    if (holds()) return pair.now - from
  }
  return undefined
}

/** What came at `b`, of both kinds. */
const carried = ({ b }: Pair): number =>
  [...b.received.values(), ...b.datagrams.map(({ length }) => length)].reduce((sum, bytes) => sum + bytes, 0)

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
] as const)(
  'a path that becomes narrower falls back to the base size, and finds the next one (%s)',
  (_name, congestion) => {
    const pair = new Pair(congestion, PATH)
    stream(pair, 500_000)
    expect(pair.a.transport.recordSize).toBe(most)
    const before = pair.a.sentSizes.length
    change(pair, { ...PATH, mtu: 1300 })
    stream(pair, 1_500_000)
    expect(pair.a.transport.recordSize).toBe(larger[2])
    expect(pair.a.sentSizes.slice(before)).toContain(base)
  },
)

describe('loss at random, and paths that are wide or narrow', () => {
  /** The least share of 10 s at the full size, and the milliseconds until it, at the most. */
  const table = [
    ['bbr', 0, 1500, 300, 1],
    ['bbr', 0.1, 1500, 1000, 0.95],
    ['bbr', 0.2, 1500, 1000, 0.95],
    ['bbr', 0.3, 1500, 1000, 0.95],
    ['cubic', 0.2, 1500, 1000, 0.95],
    ['bbr', 0, 1300, 500, 1],
    ['bbr', 0.1, 1300, 1500, 0.95],
    ['bbr', 0.2, 1300, 2000, 0.95],
    ['bbr', 0.3, 1300, 3000, 0.9],
    ['cubic', 0.2, 1300, 2000, 0.95],
  ] as const
  const traffic = ['stream', 'datagrams'] as const
  const rows = table.flatMap((row) => traffic.map((what) => [...row, what] as const))

  test.each(rows)('%s, loss %d, %d bytes: the full size within %d ms, kept for %d, %s', (...row) => {
    const [name, loss, mtu, within, kept, what] = row
    for (const seed of [10, 20]) {
      const pair = new Pair(name === 'bbr' ? BBR : CUBIC, { ...LINE, loss, mtu }, { seed })
      const use = user(pair, what)
      const full = larger.find((size) => size <= mtu)
      const at = until(pair, use, within, () => pair.a.transport.recordSize === full)
      expect(at).toBeLessThanOrEqual(within)
      let slices = 0
      for (let slice = 0; slice < 100; slice++) {
        use()
        if (pair.a.transport.recordSize === full) slices++
      }
      expect(slices / 100).toBeGreaterThanOrEqual(kept)
    }
  })

  const narrowing = [0, 0.1, 0.2, 0.3].flatMap((loss) =>
    [1210, 1300, 1400].flatMap((mtu) => traffic.map((what) => [loss, mtu, what] as const)),
  )

  test.each(narrowing)('loss %d: a path that narrows to %d bytes is noticed within 1.5 s, %s', (loss, mtu, what) => {
    for (const seed of [10, 20]) {
      const pair = new Pair(BBR, { ...LINE, loss }, { seed })
      const use = user(pair, what)
      until(pair, use, 5 * SECONDS, () => pair.a.transport.recordSize === most)
      change(pair, { ...LINE, loss, mtu })
      expect(until(pair, use, 2 * SECONDS, () => pair.a.transport.recordSize <= mtu)).toBeLessThanOrEqual(1500)
      const before = carried(pair)
      const next = larger.find((size) => size <= mtu) ?? base
      until(pair, use, 10 * SECONDS, () => pair.a.transport.recordSize === next)
      for (let slice = 0; slice < 10; slice++) use()
      expect([pair.a.transport.recordSize, carried(pair) > before]).toEqual([next, true])
    }
  })

  test('only the direction that narrows falls back', () => {
    const pair = new Pair(BBR, LINE)
    const [there, back] = [user(pair, 'stream'), user(pair, 'stream', pair.b)]
    for (let slice = 0; slice < 20; slice++) (slice % 2 === 0 ? there : back)()
    Object.assign(pair.a.path, { shape: { ...LINE, mtu: 1300 } })
    for (let slice = 0; slice < 40; slice++) (slice % 2 === 0 ? there : back)()
    expect([pair.a.transport.recordSize, pair.b.transport.recordSize]).toEqual([larger[2], most])
  })

  test('an outage is no sign of a narrow path', () => {
    const pair = new Pair(BBR, LINE)
    const use = user(pair, 'stream')
    for (let slice = 0; slice < 20; slice++) use()
    change(pair, { ...LINE, loss: 1 })
    for (let slice = 0; slice < 30; slice++) use()
    change(pair, LINE)
    expect(until(pair, use, 10 * SECONDS, () => pair.a.transport.statistics.inFlight > 10 * most)).toBeDefined()
    for (let slice = 0; slice < 10; slice++) use()
    expect(pair.a.transport.recordSize).toBe(most)
  })
})

describe('where nothing is sent in fragments', () => {
  /** An interface with jumbo frames. */
  const wide: PathTraits = { ...TRAITS, larger: [8952, ...larger], search: true }
  const JUMBO = 8952
  /** As close as it gets. */
  const CLOSE = 16

  /** Whether a size is the best one for a path, or next to it. */
  const fits = (size: number, mtu: number): boolean => size <= mtu && size > Math.min(mtu, JUMBO + CLOSE - 1) - CLOSE

  test('the size is searched up to what the link takes, and no data is lost for it', () => {
    fc.assert(
      fc.property(fc.integer({ min: base, max: JUMBO + 50 }), fc.constantFrom(CUBIC, BBR), (mtu, congestion) => {
        const pair = new Pair(congestion, { delay: 10, rate: 20e6, mtu }, { traits: wide })
        stream(pair, 1_000_000)
        pair.run(pair.now + 5 * SECONDS)
        expect(pair.a.transport.recordSize).toSatisfy((size: number) => fits(size, mtu))
        expect(pair.a.transport.statistics.lost).toBe(0)
      }),
      { numRuns: runs(40) },
    )
  })

  test('a search takes one probe a size, and then it is over', () => {
    const pair = new Pair(BBR, { ...PATH, mtu: 1400 }, { traits: wide })
    pair.a.transport.ping()
    pair.run(10 * SECONDS)
    expect(pair.a.transport.recordSize).toSatisfy((size: number) => fits(size, 1400))
    const probes = pair.a.sentSizes.filter((size) => size > base)
    expect([new Set(probes).size, probes.length < 12]).toEqual([probes.length, true])
    stream(pair, 100_000)
    expect(pair.a.sentSizes.filter((size) => size > 1400)).toEqual(probes.filter((size) => size > 1400))
  })

  test.each([
    [0, 1500],
    [0.1, 1500],
    [0.3, 1500],
    [0.1, 4000],
  ])('loss %d: a path that narrows to %d bytes is noticed, and its size is found', (loss, mtu) => {
    for (const what of ['stream', 'datagrams'] as const) {
      const line: PathShape = { delay: 10, rate: 50e6, queue: 200_000, loss }
      const pair = new Pair(BBR, line, { traits: wide, seed: 10 })
      const use = user(pair, what)
      expect(until(pair, use, 5 * SECONDS, () => pair.a.transport.recordSize === JUMBO)).toBeDefined()
      change(pair, { ...line, mtu })
      expect(until(pair, use, 3 * SECONDS, () => pair.a.transport.recordSize <= mtu)).toBeDefined()
      expect(until(pair, use, 20 * SECONDS, () => fits(pair.a.transport.recordSize, mtu))).toBeDefined()
    }
  })

  test('records between the sizes of the list do not hide that full ones are lost', () => {
    const pair = new Pair(BBR, { ...PATH, mtu: 8000 }, { traits: wide })
    stream(pair, 1_000_000)
    pair.run(pair.now + 5 * SECONDS)
    expect(pair.a.transport.recordSize).toSatisfy((size: number) => fits(size, 8000))
    change(pair, { ...PATH, mtu: 7000 })
    const { datagrams } = pair.a.transport
    const use = (): void => {
      for (const bytes of [pair.a.transport.recordSize - DATAGRAM_OVERHEAD, 6000])
        datagrams.push(new Uint8Array(bytes), () => {})
      pair.run(pair.now + 100)
    }
    expect(until(pair, use, 3 * SECONDS, () => pair.a.transport.recordSize <= 7000)).toBeDefined()
  })

  test.each([
    ['cubic', CUBIC],
    ['bbr', BBR],
  ] as const)('a window of less than a record stops nothing (%s)', (_name, congestion) => {
    const pair = new Pair(congestion, { delay: 5, rate: 50e6 }, { traits: wide, seed: 3 })
    stream(pair, 1_000_000)
    expect(pair.a.transport.recordSize).toBe(JUMBO)
    change(pair, { delay: 5, rate: 50e6, loss: 0.4 })
    stream(pair, 500_000)
    expect(pair.a.transport.recordSize).toBe(JUMBO)
  })
})

test('larger sizes are probed again after ten minutes', () => {
  const pair = new Pair(BBR, { delay: 10, rate: 20e6, mtu: 1300 })
  stream(pair, 500_000)
  expect(pair.a.transport.recordSize).toBe(larger[2])
  change(pair, { delay: 10, rate: 20e6 })
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
  pair.migrate({ delay: 10, rate: 20e6, mtu: base }, false)
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
