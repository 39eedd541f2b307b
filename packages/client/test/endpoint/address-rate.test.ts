/** The rate of each address and port, in a table of a fixed size. */
import { AddressTimes, instant } from '@showchain/client/endpoint'
import { beforeEach, describe, expect, test } from 'vitest'
import { AddressRate } from '../../src/core/endpoint/address-rate.ts'

let key = 1
beforeEach(() => {
  key = 1
})
const random = { uint32: () => Math.imul(key++, 0x9e37_79b1) >>> 0 }
const RATE = { perSecond: 1, burst: 3 }
const at = (number: number, port = 4000): { readonly ip: string; readonly port: number } => ({
  ip: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
  port,
})

describe('an address', () => {
  test('has its burst at once, and then its rate, at any time of the clock', () => {
    const rate = new AddressRate(RATE, 100, random)
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
    const rate = new AddressRate(RATE, 100, random)
    for (let times = 0; times < 4; times++) rate.take(at(1), instant(0))
    expect([rate.take(at(1), instant(0)), rate.take(other, instant(0))]).toEqual([false, true])
  })
})

describe('a flood from ever new addresses', () => {
  test('finds nearly all of the room, and then refuses new ones and forgets no limit', () => {
    const rate = new AddressRate(RATE, 8192, random)
    for (let times = 0; times < 3; times++) rate.take(at(0), instant(0))
    let taken = 0
    for (let number = 1; number < 40_000; number++) if (rate.take(at(number), instant(0))) taken++
    expect(taken).toBe(8191)
    expect(rate.size).toBe(8192)
    expect(rate.take(at(0), instant(0))).toBe(false)
  })

  test('keeps no honest one out a second later', () => {
    const rate = new AddressRate(RATE, 8192, random)
    for (let number = 0; number < 40_000; number++) rate.take(at(number), instant(0))
    expect(rate.take(at(50_000), instant(1000))).toBe(true)
    rate.expire(instant(1000))
    expect(rate.size).toBe(1)
    rate.expire(instant(5000))
    expect(rate.size).toBe(0)
  })

  test('spreads over the sets, whatever its addresses have in common', () => {
    const times = new AddressTimes(8 * 1024, random)
    let crowded = 0
    for (let number = 0; number < 4 * 1024; number++) {
      const found = times.find(at(1, 1024 + number), instant(0))
      if (found.taken) crowded++
      else times.put(found, instant(1000))
    }
    // Of half as many as there are slots, 2 % meet a set of eight that is full (binomial).
    expect(crowded).toBeLessThan(0.04 * 4 * 1024)
  })

  test('meets others where the key is another, so that nobody can choose who shares a set', () => {
    const first = new AddressTimes(64, random)
    const second = new AddressTimes(64, random)
    const slots = (times: AddressTimes): readonly number[] =>
      Array.from({ length: 64 }, (_, number) => times.find(at(number), instant(0)).slot)
    expect(slots(first)).not.toEqual(slots(second))
  })
})
