/**
 * What a line does, against the definition of each condition. Shares are bounded by five standard
 * deviations.
 */
import { duration, instant } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { type Conditions, GOOD_CONDITIONS, Line, SeededRandom } from '../../src/index.ts'

const NOW = instant(0)
const datagram = (size: number): Uint8Array => new Uint8Array(size).fill(0x5a)

function carry(count: number, conditions: Partial<Conditions>, size = 100) {
  const line = new Line(new SeededRandom('line'))
  const all = { ...GOOD_CONDITIONS, ...conditions }
  return Array.from({ length: count }, () => line.carry(datagram(size), 4, all, NOW))
}
const share = (of: readonly unknown[], all: readonly unknown[]): number => of.length / all.length
const deviations = (p: number, n: number): number => 5 * Math.sqrt((p * (1 - p)) / n)

/** Lengths of runs of lost datagrams. */
function bursts(fates: readonly string[]): readonly number[] {
  const runs = fates.map((fate) => (fate === 'lost' ? 'x' : ' ')).join('')
  return (runs.match(/x+/g) ?? []).map(({ length }) => length)
}

describe('bursts of losses (Gilbert, Elliott)', () => {
  const N = 100_000

  test.each([
    [0.01, 0.2],
    [0.05, 0.5],
    [0.001, 0.05],
  ])('entered with %d and left with %d: losses enter/(enter + leave), bursts of 1/leave', (enter, leave) => {
    const fates = carry(N, { bursts: { enter, leave } }).map(({ fate }) => fate)
    const lost = share(
      fates.filter((fate) => fate === 'lost'),
      fates,
    )
    const expected = enter / (enter + leave)
    const runs = bursts(fates)
    // Datagrams of one burst are not independent: bursts are.
    expect(Math.abs(lost / expected - 1)).toBeLessThan(5 / Math.sqrt(runs.length / 2))
    const mean = runs.reduce((sum, each) => sum + each, 0) / runs.length
    expect(Math.abs(mean * leave - 1)).toBeLessThan(5 / Math.sqrt(runs.length))
  })

  test('independent losses come in bursts of 1/(1 − loss)', () => {
    const runs = bursts(carry(N, { loss: 0.2 }).map(({ fate }) => fate))
    const mean = runs.reduce((sum, each) => sum + each, 0) / runs.length
    expect(mean).toBeCloseTo(1.25, 1)
  })

  test('a bad line may let some through', () => {
    const fates = carry(N, { bursts: { enter: 0.02, leave: 0.1, loss: 0.5 } }).map(({ fate }) => fate)
    const lost = share(
      fates.filter((fate) => fate === 'lost'),
      fates,
    )
    expect(Math.abs(lost - 0.5 * (0.02 / 0.12))).toBeLessThan(0.01)
  })
})

describe('corruption', () => {
  test('flips one bit of the share that was asked for, any bit', () => {
    const N = 20_000
    const carried = carry(N, { corrupt: 0.1 }, 20)
    const corrupted = carried.filter(({ fate }) => fate === 'corrupted')
    expect(Math.abs(share(corrupted, carried) - 0.1)).toBeLessThan(deviations(0.1, N))
    const bits = corrupted.map(({ bytes }) => {
      const flips = [...bytes].flatMap((byte, index) =>
        [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bit) => ((byte ^ 0x5a) & (1 << bit) ? [index * 8 + bit] : [])),
      )
      expect(flips).toHaveLength(1)
      return flips[0]
    })
    expect(new Set(bits).size).toBe(160)
  })

  test('leaves the sender’s own bytes alone', () => {
    const sent = datagram(10)
    const line = new Line(new SeededRandom('own'))
    line.carry(sent, 4, { ...GOOD_CONDITIONS, corrupt: 1 }, NOW)
    expect(sent).toEqual(datagram(10))
  })
})

describe('bandwidth', () => {
  /** 1 Mbit/s: 125 bytes a millisecond; 97 bytes of payload are 125 of IPv4. */
  const slow = { bandwidth: 1_000_000, latency: duration(0) }

  test('each datagram takes its time on the line, headers included', () => {
    const delays = carry(5, slow, 97).flatMap(({ delays }) => delays)
    expect(delays).toEqual([1, 2, 3, 4, 5])
  })

  test('IPv6 has 20 bytes more', () => {
    const line = new Line(new SeededRandom('six'))
    expect(line.carry(datagram(77), 6, { ...GOOD_CONDITIONS, ...slow }, NOW).delays).toEqual([1])
  })

  test('what waits is at most the queue; what comes on top is dropped', () => {
    const all = carry(100, { ...slow, queue: 1250 }, 97)
    const carried = all.filter(({ fate }) => fate === 'carried')
    expect(all.slice(0, 11)).toEqual(carried)
    expect(carried.at(-1)?.delays).toEqual([11])
    expect(new Set(all.slice(11).map(({ fate }) => fate))).toEqual(new Set(['queue full']))
  })

  test('an idle line owes nothing to what it carried before', () => {
    const line = new Line(new SeededRandom('idle'))
    const all = { ...GOOD_CONDITIONS, ...slow }
    line.carry(datagram(97), 4, all, NOW)
    expect(line.carry(datagram(97), 4, all, instant(1000)).delays).toEqual([1])
  })

  test('is what comes through, however much more is sent', () => {
    const line = new Line(new SeededRandom('through'))
    const all = { ...GOOD_CONDITIONS, ...slow, queue: 5000 }
    let bytes = 0
    // Twice the bandwidth for ten seconds.
    for (let i = 0; i < 20_000; i++)
      if (line.carry(datagram(97), 4, all, instant(i / 2)).fate === 'carried') bytes += 125
    expect(Math.abs(bytes / 1_250_000 - 1)).toBeLessThan(0.01)
  })
})

describe('MTU', () => {
  test.each([
    [4, 1472],
    [6, 1452],
  ] as const)('over IPv%d a payload of %d bytes fits into 1500, and one more disappears', (family, largest) => {
    const line = new Line(new SeededRandom('mtu'))
    const fate = (size: number): string => line.carry(datagram(size), family, GOOD_CONDITIONS, NOW).fate
    expect([fate(largest), fate(largest + 1)]).toEqual(['carried', 'too big'])
  })
})

test('more loss does not change when the others arrive', () => {
  const conditions = { jitter: duration(50), reorder: 0.1, duplicate: 0.1 }
  const [some, more] = [carry(1000, { ...conditions, loss: 0.1 }), carry(1000, { ...conditions, loss: 0.4 })]
  const both = some.flatMap((carriage, index) => {
    const other = more[index]
    return carriage.fate === 'carried' && other?.fate === 'carried' ? [[carriage.delays, other.delays]] : []
  })
  expect(both.length).toBeGreaterThan(500)
  for (const [ours, theirs] of both) expect(ours).toEqual(theirs)
})
