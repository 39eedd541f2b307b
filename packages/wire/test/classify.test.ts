import { describe, expect, test } from 'vitest'
import { classify } from '../src/index.ts'
import { fromHex } from './samples.ts'

/**
 * A STUN binding request: method 1, length 0, magic cookie, 12 bytes of transaction id (RFC 8489
 * §5).
 */
const STUN = fromHex('0001 0000 2112a442 000102030405060708090a0b')

describe('the first byte tells what a datagram is', () => {
  test.each([
    ['7b', 'json'],
    ['b1', 'binary'],
    ['b2', 'record'],
    ['b3', 'channel'],
    ['b0', 'unknown'],
    ['b4', 'unknown'],
    ['5b', 'unknown'],
    ['20', 'unknown'],
    ['ef', 'unknown'],
  ])('0x%s is %s', (first, kind) => {
    expect(classify(fromHex(first))).toBe(kind)
    expect(classify(fromHex(`${first}0000002112a442${'00'.repeat(20)}`))).toBe(kind)
  })

  test('an empty datagram is unknown', () => {
    expect(classify(new Uint8Array(0))).toBe('unknown')
  })

  test('STUN is a whole header with the magic cookie and a first byte of 0x00 to 0x03', () => {
    expect(classify(STUN)).toBe('stun')
    for (const first of [0, 1, 2, 3]) expect(classify(Uint8Array.of(first, ...STUN.subarray(1)))).toBe('stun')
    expect(classify(Uint8Array.of(4, ...STUN.subarray(1)))).toBe('unknown')
    expect(classify(STUN.subarray(0, 19))).toBe('unknown')
  })

  test('a message of RFC 3489, without the cookie, is STUN when its length is right', () => {
    const classic = STUN.slice()
    classic[7] = 0x43
    expect(classify(classic)).toBe('stun')
    expect(classify(Uint8Array.of(...classic, 0))).toBe('unknown')
    expect(classify(Uint8Array.of(...classic, 0, 0, 0, 0))).toBe('unknown')
  })

  test('a view into a larger buffer is read at its own start', () => {
    expect(classify(fromHex('00 b1 00').subarray(1))).toBe('binary')
  })
})
