import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CHANNEL_HEADER_BYTES,
  HANDSHAKE_HEADER_BYTES,
  idKey,
  isHandshake,
  RECORD_HEADER_BYTES,
  RECORD_OVERHEAD,
  readHandshakePart,
  readRecordHeader,
  writeChannelHeader,
  writeHandshakePart,
  writeRecordHeader,
  writeRecordNonce,
} from '../../src/end-to-end/index.ts'
import { classify } from '../../src/index.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const ID = fromHex('0102030405060708')
const SESSION = fromHex('a0a1a2a3a4a5a6a7a8a9aaabacadaeaf')

describe('a record', () => {
  test('begins with these bytes', () => {
    const record = new Uint8Array(RECORD_OVERHEAD)
    writeRecordHeader(record, 0, ID, 0x0203, 0x0405_0607_0809)
    expect(hex(record.subarray(0, RECORD_HEADER_BYTES))).toBe(
      'b2 0102030405060708 0203 040506070809'.replaceAll(' ', ''),
    )
    expect(classify(record)).toBe('record')
    expect(isHandshake(record)).toBe(false)
  })

  test('is read as it was written, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 2 ** 48 - 1 }),
        fc.nat(40),
        (epoch, number, at) => {
          const bytes = new Uint8Array(at + RECORD_OVERHEAD)
          writeRecordHeader(bytes, at, ID, epoch, number)
          expect(readRecordHeader(bytes.subarray(at))).toEqual({ epoch, number })
        },
      ),
    )
  })

  test('is none when it is too short, or begins otherwise', () => {
    const record = new Uint8Array(RECORD_OVERHEAD)
    writeRecordHeader(record, 0, ID, 0, 0)
    for (let length = 0; length < record.length; length++)
      expect(readRecordHeader(record.subarray(0, length))).toBeUndefined()
    record[0] = 0xb3
    expect(readRecordHeader(record)).toBeUndefined()
  })
})

describe('a part of a handshake', () => {
  const part = { session: SESSION, kind: 2, index: 1, count: 3, group: 0xdeadbeef, bytes: fromHex('c0ffee') }

  test('has these bytes', () => {
    expect(hex(writeHandshakePart(part))).toBe(
      `b2 0000000000000000 ${hex(SESSION)} 02 13 deadbeef c0ffee`.replaceAll(' ', ''),
    )
    expect(readHandshakePart(writeHandshakePart(part))).toEqual(part)
    expect(isHandshake(writeHandshakePart(part))).toBe(true)
  })

  test('is none when it is cut in its header, or has a number that its message has not', () => {
    const bytes = writeHandshakePart(part)
    for (let length = 0; length < HANDSHAKE_HEADER_BYTES; length++)
      expect(readHandshakePart(bytes.subarray(0, length))).toBeUndefined()
    expect(readHandshakePart(writeHandshakePart({ ...part, index: 3 }))).toBeUndefined()
    expect(readHandshakePart(writeHandshakePart({ ...part, index: 0, count: 0 }))).toBeUndefined()
  })

  test('is none when any bit of its connection id is set: then it is a record', () => {
    for (let bit = 8; bit < 72; bit++) {
      const bytes = writeHandshakePart(part)
      bytes[bit >> 3] = 1 << (bit & 7)
      expect([isHandshake(bytes), readHandshakePart(bytes)]).toEqual([false, undefined])
    }
  })

  test('is never read with a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        readHandshakePart(bytes)
        expect(readRecordHeader(bytes) === undefined || bytes.length >= RECORD_OVERHEAD).toBe(true)
      }),
    )
  })
})

test('a channel frame begins with these bytes', () => {
  const frame = new Uint8Array(CHANNEL_HEADER_BYTES)
  writeChannelHeader(frame, SESSION)
  expect(hex(frame)).toBe(`b3${hex(SESSION)}`)
  expect(classify(frame)).toBe('channel')
})

test('the number of an id depends on its first thirty bits', () => {
  expect(idKey(ID, 0)).toBe(0x0102_0304)
  expect(idKey(fromHex('ffffffff'), 0)).toBe(0x3fff_ffff)
  expect(idKey(fromHex('00aabbccdd'), 1)).toBe(0x2abb_ccdd)
})

test('a nonce is four zeros, the number and the epoch, little-endian', () => {
  const nonce = new Uint8Array(12)
  writeRecordNonce(nonce, 0x0203, 0x0405_0607_0809)
  expect(hex(nonce)).toBe('00000000 090807060504 0302'.replaceAll(' ', ''))
  writeRecordNonce(nonce, 0xffff, 2 ** 48 - 1)
  expect(hex(nonce)).toBe(`00000000${'ff'.repeat(8)}`)
})
