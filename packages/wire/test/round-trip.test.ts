import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode, encodedLength, MESSAGES, type MessageRow, ShowchainError } from '../src/index.ts'
import { anyMessage, messageOf } from './arbitraries.ts'
import { accepted, ascii, encodeIfFits } from './samples.ts'

const rows: readonly (readonly [name: string, row: MessageRow])[] = MESSAGES.map((row) => [row.name, row])

describe.each(rows)('any %s, with any extension fields,', (_name, row) => {
  test('comes back from binary as it was, and takes the same bytes again', () => {
    fc.assert(
      fc.property(messageOf(row), (message) => {
        const datagram = encode(message, 'binary')
        expect(encodedLength(message, 'binary')).toBe(datagram.length)
        const decoded = decode(datagram)
        expect(decoded).toEqual(accepted(message, 'binary'))
        if (decoded.ok) expect(encode(decoded.message, 'binary')).toEqual(datagram)
      }),
    )
  })

  test('comes back from JSON as it was, in strict mode too, whatever the order of its members', () => {
    fc.assert(
      fc.property(messageOf(row), fc.infiniteStream(fc.nat()), (message, order) => {
        const datagram = encodeIfFits(message, 'json')
        if (datagram === undefined) return
        expect(encodedLength(message, 'json')).toBe(datagram.length)
        expect(decode(datagram, { strict: true })).toEqual(accepted(message, 'json'))
        const members = Object.entries(JSON.parse(Buffer.from(datagram).toString()) as object)
          .map((member) => [order.next().value as number, member] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, member]) => member)
        expect(decode(ascii(JSON.stringify(Object.fromEntries(members))))).toEqual(accepted(message, 'json'))
      }),
    )
  })
})

describe('the binary form', () => {
  test('is refused when anything is cut off or appended', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.nat(255), (message, cut, byte) => {
        const datagram = encode(message, 'binary')
        // cut behind the row's fields it may still be a message, one with fewer extension fields
        const shorter = decode(datagram.subarray(0, cut % datagram.length))
        if (shorter.ok) expect(shorter.message).toEqual({ ...message, ext: shorter.message.ext })
        if (message.ext === undefined) expect(shorter.ok).toBe(false)
        expect(decode(Uint8Array.of(...datagram, byte)).ok).toBe(false)
      }),
    )
  })

  test('any bytes that are accepted are the encoding of what was read', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.nat(255), (message, at, byte) => {
        const datagram = encode(message, 'binary')
        datagram[at % datagram.length] = byte
        const decoded = decode(datagram)
        if (decoded.ok && decoded.encoding === 'binary') expect(encode(decoded.message, 'binary')).toEqual(datagram)
      }),
      { numRuns: runs(1000) },
    )
  })

  test('random bytes are never an error to the decoder, whatever their first byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1300 }), fc.constantFrom(0xb1, 0x7b, 0xb2, 0), (bytes, first) => {
        bytes[0] = first
        expect(typeof decode(bytes).ok).toBe('boolean')
      }),
      { numRuns: runs(1000) },
    )
  })
})

describe('encode', () => {
  test('of anything at all gives a datagram that decodes, or a ShowchainError', () => {
    const anyFieldChanged = fc
      .tuple(anyMessage, fc.constantFrom('id', 'seq', 'ip', 'port', 'sign', 'data', 'ext', 'op_code'), fc.anything())
      .map(([message, name, value]) => ({ ...message, [name]: value }) as unknown as typeof message)
    fc.assert(
      fc.property(anyFieldChanged, fc.constantFrom('binary' as const, 'json' as const), (message, encoding) => {
        try {
          expect(decode(encode(message, encoding)).ok).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(ShowchainError)
        }
      }),
      { numRuns: runs(500) },
    )
  })
})
