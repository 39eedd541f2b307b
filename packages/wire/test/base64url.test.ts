import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeChunk, isBase64urlOf } from '../src/base64url.ts'
import { fromBase64url, toBase64url } from '../src/index.ts'
import { ascii } from './samples.ts'

describe('base64url', () => {
  // RFC 4648 §10, without padding
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('writes and reads "%s" as "%s"', (plain, text) => {
    expect(toBase64url(ascii(plain))).toBe(text)
    expect(fromBase64url(text)).toEqual(ascii(plain))
  })

  test('uses the two characters that are safe in a URL', () => {
    expect(toBase64url(Uint8Array.of(0xfb, 0xff))).toBe('-_8')
    expect(fromBase64url('-_8')).toEqual(Uint8Array.of(0xfb, 0xff))
  })

  test.each([
    ['padding', 'Zg=='],
    ['the other alphabet', '+/8'],
    ['one character too many', 'Zm9vY'],
    ['unused bits that are not zero, one byte', 'Zh'],
    ['unused bits that are not zero, two bytes', 'Zm9'],
    ['white space', 'Zm 9'],
    ['a line end', 'Zm9v\n'],
    ['a character outside ASCII', 'Zm9ö'],
    ['a character outside ASCII whose low byte is in the alphabet', 'Zm9\u0141'],
    ['NUL', '\0\0\0\0'],
  ])('refuses %s', (_what, text) => {
    expect(fromBase64url(text)).toBeUndefined()
  })

  test('agrees with node in both directions for bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url')
        expect(toBase64url(bytes)).toBe(text)
        expect(fromBase64url(text)).toEqual(bytes)
      }),
      { numRuns: runs(50) },
    )
  })

  test('knows how many bytes a text has without reading it', () => {
    const alike = fc.string({ unit: fc.constantFrom(...'AQgwZz09-_=+/ ö\u0141'), maxLength: 9 })
    const canonical = fc.uint8Array({ maxLength: 9 }).map((bytes) => toBase64url(bytes))
    fc.assert(
      fc.property(fc.oneof(alike, canonical), fc.nat(9), (text, bytes) => {
        expect(isBase64urlOf(text, bytes)).toBe(fromBase64url(text)?.length === bytes)
      }),
      { numRuns: runs(2000) },
    )
  })

  test('reads only the spelling that it writes', () => {
    const almost = fc.string({ unit: fc.constantFrom(...'AQgwZz09-_=+/ '), maxLength: 9 })
    fc.assert(
      fc.property(almost, (text) => {
        const bytes = fromBase64url(text)
        if (bytes !== undefined) expect(toBase64url(bytes)).toBe(text)
      }),
    )
  })

  test('writes a part of a larger array as it writes that part alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(80), fc.nat(80), (bytes, a, b) => {
        const from = Math.min(a, b, bytes.length)
        const to = Math.min(Math.max(a, b), bytes.length)
        expect(encodeChunk(bytes, from, to)).toBe(toBase64url(bytes.subarray(from, to)))
      }),
    )
  })
})
