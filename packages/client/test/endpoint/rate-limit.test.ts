import { instant, RateLimit, rateSource, TokenBucket } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'

const rate = { perSecond: 10, burst: 3 }

describe('a token bucket', () => {
  test('gives its burst at once and then its rate', () => {
    const bucket = new TokenBucket(rate, instant(0))
    const take = (ms: number) => bucket.take(instant(ms))
    expect([take(0), take(0), take(0), take(0)]).toEqual([true, true, true, false])
    expect([take(99), take(100), take(100)]).toEqual([false, true, false])
  })

  test('never holds more than its burst', () => {
    const bucket = new TokenBucket(rate, instant(0))
    const taken = [1, 2, 3, 4].map(() => bucket.take(instant(60_000)))
    expect(taken).toEqual([true, true, true, false])
  })
})

describe('a rate limit', () => {
  test('keeps keys apart', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 }, 10)
    expect([limit.take('a', instant(0)), limit.take('a', instant(0)), limit.take('b', instant(0))]).toEqual([
      true,
      false,
      true,
    ])
  })

  test('refuses new keys when its table is full of busy ones, and serves the known ones', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 2 }, 2)
    const now = instant(0)
    expect([limit.take('a', now), limit.take('b', now), limit.take('c', now), limit.take('a', now)]).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(limit.size).toBe(2)
  })

  test('forgets with time the buckets that are full again, and no other', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 2 }, 2)
    limit.take('a', instant(0))
    limit.take('b', instant(500))
    limit.take('b', instant(500))
    limit.expire(instant(1000))
    expect(limit.size).toBe(1)
    expect([limit.take('b', instant(1000)), limit.take('b', instant(1500))]).toEqual([false, true])
  })

  test('makes room by the buckets that are full again, which say nothing', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 2 }, 2)
    limit.take('a', instant(0))
    limit.take('b', instant(0))
    expect(limit.take('c', instant(1000))).toBe(true)
    expect(limit.size).toBeLessThanOrEqual(2)
  })

  test('never forgets a bucket that holds somebody back', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 2 }, 2)
    for (let times = 0; times < 3; times++) limit.take('greedy', instant(0))
    limit.take('b', instant(0))
    for (let key = 0; key < 100; key++) limit.take(`new ${key}`, instant(500))
    expect(limit.take('greedy', instant(500))).toBe(false)
  })

  test('is kept small by those who come: of a flood from ever new keys it holds little more than is in force', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 3 }, 100_000)
    // One of each key, so that each bucket is full again after a second.
    for (let ms = 0; ms < 5000; ms++)
      for (let key = 0; key < 2; key++) expect(limit.take(`${ms} ${key}`, instant(ms))).toBe(true)
    expect(limit.size).toBeLessThan(2 * 2000)
    expect(limit.size).toBeGreaterThanOrEqual(2000)
  })

  test('finds room in a large table however many busy buckets stand in front', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 100 }, 100)
    for (let key = 0; key < 99; key++) for (let times = 0; times < 50; times++) limit.take(`busy ${key}`, instant(0))
    limit.take('idle', instant(0))
    const tries = Array.from({ length: 20 }, () => limit.take('new', instant(2000)))
    expect(tries).toContain(true)
  })
})

describe('who shares a rate', () => {
  test('an IPv4 address is one source', () => {
    expect(rateSource('192.0.2.1')).not.toBe(rateSource('192.0.2.2'))
  })

  test('an IPv6 /64 is one source', () => {
    expect(rateSource('2001:db8:1:2::1')).toBe(rateSource('2001:db8:1:2:ffff:ffff:ffff:ffff'))
    expect(rateSource('2001:db8:1:2::1')).not.toBe(rateSource('2001:db8:1:3::1'))
    expect(rateSource('2001:db8::1')).not.toBe(rateSource('2001:d:b800::1'))
  })
})
