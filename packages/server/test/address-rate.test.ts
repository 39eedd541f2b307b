/** The rate of each address and port, in a table that grows up to its capacity. */
import { instant } from '@showchain/client/endpoint'
import { openssl } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import { AddressRate, addressKey } from '../src/core/address-rate.ts'

const key = addressKey(openssl, new Uint8Array(32))
const RATE = { perSecond: 1, burst: 3 }
const at = (number: number, port = 4000): { readonly ip: string; readonly port: number } => ({
  ip: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
  port,
})

/** @returns how many of so many addresses were let through */
function flood(rate: AddressRate, from: number, to: number, ms = 0): number {
  let taken = 0
  for (let number = from; number < to; number++) if (rate.take(at(number), instant(ms))) taken++
  return taken
}

describe('an address', () => {
  test('has its burst at once, and then its rate, at any time of the clock', () => {
    const rate = new AddressRate(RATE, { capacity: 100, key })
    const start = 12_345.678_901
    const take = (ms: number): boolean => rate.take(at(1), instant(start + ms))
    expect([take(0), take(0), take(0), take(0)]).toEqual([true, true, true, false])
    expect([take(999), take(1000), take(1000)]).toEqual([false, true, false])
    expect([take(60_000), take(60_000), take(60_000), take(60_000)]).toEqual([true, true, true, false])
  })

  test.each([
    ['port', at(1, 4001)],
    ['address', at(2)],
    ['family', { ip: '2001:db8::1', port: 4000 }],
  ])('has another rate than one with another %s', (_what, other) => {
    const rate = new AddressRate(RATE, { capacity: 100, key })
    for (let times = 0; times < 4; times++) rate.take(at(1), instant(0))
    expect([rate.take(at(1), instant(0)), rate.take(other, instant(0))]).toEqual([false, true])
  })
})

describe('a flood from ever new addresses', () => {
  test('makes the table grow, and no limit is forgotten by that', () => {
    const rate = new AddressRate(RATE, { capacity: 65_536, key })
    const spent = 40
    for (let times = 0; times < 3; times++) flood(rate, 0, spent)
    expect(flood(rate, spent, 20_000)).toBe(20_000 - spent)
    expect(rate.size).toBe(20_000)
    expect(flood(rate, 0, spent)).toBe(0)
    // Slots are at most twice as many as are needed, and those are filled to two thirds before both sets of one are full.
    expect(rate.memory).toBeLessThanOrEqual(65_536 * 16)
  })

  test('makes nothing grow further than it is in one second', () => {
    const rate = new AddressRate(RATE, { capacity: 524_288, key })
    flood(rate, 0, 20_000)
    const { memory } = rate
    for (let second = 1; second < 5; second++) {
      expect(flood(rate, second * 20_000, (second + 1) * 20_000, second * 1000)).toBe(20_000)
      rate.expire(instant(second * 1000))
      expect(rate.size).toBe(20_000)
    }
    expect(rate.memory).toBe(memory)
  })

  test('finds nearly all of the room, and then refuses new ones and forgets no limit', () => {
    const rate = new AddressRate(RATE, { capacity: 8192, key })
    for (let times = 0; times < 3; times++) rate.take(at(0), instant(0))
    expect(flood(rate, 1, 40_000)).toBeGreaterThan(0.99 * 8192)
    expect(rate.memory).toBe(8192 * 16)
    expect(rate.take(at(0), instant(0))).toBe(false)
    expect(rate.take(at(50_000), instant(0))).toBe(false)
  })

  test('shuts out nobody where the oldest may be forgotten', () => {
    const rate = new AddressRate({ perSecond: 1, burst: 1 }, { capacity: 64, key, forgets: true })
    let taken = 0
    for (let number = 0; number < 1000; number++) if (rate.take(at(number), instant(number / 1000))) taken++
    expect([taken, rate.memory]).toEqual([1000, 64 * 16])
    expect(rate.take(at(999), instant(1))).toBe(false)
  })

  test('keeps no honest one out a second later, and leaves nothing behind', () => {
    const rate = new AddressRate(RATE, { capacity: 8192, key })
    const { memory } = rate
    flood(rate, 0, 40_000)
    expect(rate.take(at(50_000), instant(1000))).toBe(true)
    rate.expire(instant(1000))
    expect(rate.size).toBe(1)
    rate.expire(instant(5000))
    expect([rate.size, rate.memory]).toEqual([0, memory])
    expect(memory).toBe(1024)
  })

  test('meets others where the secret is another, so that nobody can choose who shares a set', () => {
    const crowd = (secret: number): readonly boolean[] => {
      const rate = new AddressRate(RATE, { capacity: 256, key: addressKey(openssl, new Uint8Array(32).fill(secret)) })
      return Array.from({ length: 512 }, (_, number) => rate.take(at(number), instant(0)))
    }
    expect(crowd(1)).toEqual(crowd(1))
    expect(crowd(1)).not.toEqual(crowd(2))
  })
})
