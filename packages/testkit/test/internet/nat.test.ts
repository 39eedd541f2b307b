/** The NAT model against what RFC 4787 and RFC 3489 say a NAT of each kind does. */
import { duration, type Instant, instant, later } from '@showchain/client/core'
import type { Endpoint } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type Dependence, type NatBehaviour, NatTable, nat, SeededRandom } from '../../src/index.ts'

const START = instant(0)
/** RFC 4787 §4.1: X:x inside, Y1:y1 and Y2:y2 outside. */
const X: Endpoint = { ip: '192.168.1.10', port: 5000 }
const Y1: Endpoint = { ip: '81.2.0.1', port: 1001 }
const Y1_OTHER_PORT: Endpoint = { ip: '81.2.0.1', port: 1002 }
const Y2: Endpoint = { ip: '81.2.0.2', port: 1001 }

const table = (behaviour: NatBehaviour, seed = 'nat'): NatTable => new NatTable(behaviour, new SeededRandom(seed))
const natOf = (mapping: Dependence, filtering: Dependence, changes: Partial<NatBehaviour> = {}): NatBehaviour =>
  nat.T4({ mapping, filtering, ...changes })

const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const

describe('mapping (RFC 4787 §4.1): X1:x1 is reused …', () => {
  test.each([
    // [behaviour, same for another port of Y1, same for Y2]
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const)('%s: for another port %s, for another address %s', (mapping, otherPort, otherAddress) => {
    const it = table(natOf(mapping, 'endpoint-independent'))
    const first = it.outbound(X, Y1, START)
    expect(it.outbound(X, Y1, START)).toBe(first)
    expect(it.outbound(X, Y1_OTHER_PORT, START) === first).toBe(otherPort)
    expect(it.outbound(X, Y2, START) === first).toBe(otherAddress)
  })

  test.each(DEPENDENCES)('%s: two internal endpoints never share an external one', (mapping) => {
    const it = table(natOf(mapping, 'endpoint-independent'))
    const ports = [X, { ...X, port: 5001 }, { ...X, ip: '192.168.1.11' }].map((inside) =>
      it.outbound(inside, Y1, START),
    )
    expect(new Set(ports).size).toBe(3)
  })
})

describe('filtering (RFC 4787 §5): after X sent to Y1 …', () => {
  test.each([
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const)('%s: another port of Y1 may answer: %s; Y2 may: %s', (filtering, otherPort, otherAddress) => {
    const it = table(natOf('endpoint-independent', filtering))
    const port = it.outbound(X, Y1, START) as number
    expect(it.inbound(port, Y1, START)).toEqual(X)
    expect(it.inbound(port, Y1_OTHER_PORT, START)).toEqual(otherPort ? X : 'filtered')
    expect(it.inbound(port, Y2, START)).toEqual(otherAddress ? X : 'filtered')
    // The filter opens for whoever X sends to.
    it.outbound(X, Y2, START)
    expect(it.inbound(port, Y2, START)).toEqual(X)
  })

  test('a port without a mapping lets nothing in', () => {
    expect(table(nat.T1()).inbound(5000, Y1, START)).toBe('no mapping')
  })
})

describe('the types of RFC 3489 §5', () => {
  test.each([
    [
      'T1',
      'full cone: all requests from one internal endpoint are mapped to one external one, and any host can send there',
      true,
      true,
      true,
    ],
    ['T2', 'restricted cone: only hosts that the internal one sent to, from any port', true, true, false],
    ['T3', 'port restricted cone: only endpoints that the internal one sent to', true, false, false],
    ['T4', 'symmetric: another mapping for each destination, and only it may answer', false, false, false],
  ] as const)('%s, %s', (type, _what, oneMapping, otherPort, anyHost) => {
    const it = table(nat[type]())
    const port = it.outbound(X, Y1, START) as number
    expect(it.outbound(X, { ip: '81.2.0.9', port: 9 }, START) === port).toBe(oneMapping)
    expect(it.inbound(port, Y1_OTHER_PORT, START) === X).toBe(otherPort)
    expect(it.inbound(port, Y2, START) === X).toBe(anyHost)
  })
})

describe('port allocation', () => {
  const outbound = (it: NatTable, port: number): number | undefined => it.outbound({ ...X, port }, Y1, START)

  test('port preservation (RFC 4787 §4.2.1) keeps the internal port where it is free, and takes another where not', () => {
    const it = table(nat.T3({ allocation: 'preserving' }))
    expect(outbound(it, 5000)).toBe(5000)
    const other = it.outbound({ ip: '192.168.1.11', port: 5000 }, Y1, START)
    expect(other).not.toBe(5000)
    expect(it.inbound(other as number, Y1, START)).toEqual({ ip: '192.168.1.11', port: 5000 })
  })

  test('sequential: one after the other', () => {
    const it = table(nat.T3({ allocation: 'sequential' }))
    const first = outbound(it, 7000) as number
    expect([outbound(it, 6000), outbound(it, 9000)]).toEqual([first + 1, first + 2])
  })

  test('random: spread over all ports above the well-known ones, none twice', () => {
    const it = table(nat.T4())
    const ports = Array.from({ length: 2000 }, (_, index) => outbound(it, 10_000 + index) as number)
    expect(new Set(ports).size).toBe(2000)
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(1024)
    // Of 2000 even draws, a quarter of the range gets 500 ± 4σ, σ = √(2000·¼·¾) ≈ 19.4.
    for (let quarter = 0; quarter < 4; quarter++) {
      const [low, high] = [1024 + (64_512 / 4) * quarter, 1024 + (64_512 / 4) * (quarter + 1)]
      const inside = ports.filter((port) => port >= low && port < high).length
      expect(Math.abs(inside - 500)).toBeLessThan(78)
    }
  })
})

describe('the life of a mapping (RFC 4787 §4.3)', () => {
  const LIFETIME = duration(60_000)
  const at = (ms: number): Instant => later(START, duration(ms))

  test('ends after its lifetime without a packet from inside', () => {
    const it = table(nat.T3({ lifetime: LIFETIME }))
    const port = it.outbound(X, Y1, START) as number
    expect(it.inbound(port, Y1, at(59_999))).toEqual(X)
    expect(it.inbound(port, Y1, at(60_000))).toBe('no mapping')
    expect(it.size(at(60_000))).toBe(0)
  })

  test('REQ-6: a packet from inside refreshes it, one from outside only where that is the rule', () => {
    for (const refresh of ['outbound', 'both'] as const) {
      const it = table(nat.T3({ lifetime: LIFETIME, refresh }))
      const port = it.outbound(X, Y1, START) as number
      it.outbound(X, Y1, at(30_000))
      expect(it.inbound(port, Y1, at(80_000))).toEqual(X)
      expect(it.inbound(port, Y1, at(100_000))).toEqual(refresh === 'both' ? X : 'no mapping')
    }
  })

  test('a filter closes for whom nothing was sent to, while the mapping lives', () => {
    const it = table(nat.T3({ lifetime: LIFETIME }))
    const port = it.outbound(X, Y1, START) as number
    it.outbound(X, Y2, at(30_000))
    expect(it.inbound(port, Y1, at(60_001))).toBe('filtered')
    expect(it.inbound(port, Y2, at(60_001))).toEqual(X)
  })

  test('a full table makes no new mapping, and makes room when an old one has ended', () => {
    const it = table(nat.T4({ capacity: 2, lifetime: LIFETIME }))
    it.outbound(X, Y1, START)
    it.outbound(X, Y2, at(1000))
    expect(it.outbound(X, Y1_OTHER_PORT, at(2000))).toBeUndefined()
    expect(it.outbound(X, Y1_OTHER_PORT, at(60_000))).toBeDefined()
  })

  test('a reboot ends all', () => {
    const it = table(nat.T1())
    const port = it.outbound(X, Y1, START) as number
    it.clear()
    expect(it.inbound(port, Y1, START)).toBe('no mapping')
  })
})
