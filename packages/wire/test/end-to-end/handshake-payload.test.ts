import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  directSessionPreimage,
  handshakePrologue,
  readHandshakePayload,
  writeHandshakePayload,
} from '../../src/end-to-end/index.ts'
import { peerIdFromBytes } from '../../src/index.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const ascii = (text: string): string => Buffer.from(text, 'ascii').toString('hex')
const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const ALICE = peerIdFromBytes(bytes(32, 0xaa))
const BOB = peerIdFromBytes(bytes(32, 0xbb))

test('a prologue is the context, the version, the initiator and the responder', () => {
  expect(hex(handshakePrologue(ALICE, BOB))).toBe(
    `${ascii('SHOWCHAIN-P2P-v1 end-to-end\0')}01${'aa'.repeat(32)}${'bb'.repeat(32)}`,
  )
})

test('a payload is the version, flags for who dialled and who knows named streams, zeros, the connection id, the current connection and the certificate', () => {
  const ends = { connectionId: bytes(8, 0xc1), current: bytes(16, 0xd2), certificate: bytes(3, 0xe3) }
  const payload = { ...ends, dialled: true, namedStreams: false }
  const front = `0101${'00'.repeat(3)}${'c1'.repeat(8)}`
  expect(hex(writeHandshakePayload(payload))).toBe(`${front}${'d2'.repeat(16)}e3e3e3`)
  expect(hex(writeHandshakePayload({ ...payload, current: undefined }))).toBe(`${front}${'00'.repeat(16)}e3e3e3`)
  const front2 = `01${'00'.repeat(4)}${'c1'.repeat(8)}`
  expect(hex(writeHandshakePayload({ ...payload, dialled: false }))).toBe(`${front2}${'d2'.repeat(16)}e3e3e3`)
  const [third, both] = [
    { ...ends, dialled: false, namedStreams: true },
    { ...ends, dialled: true, namedStreams: true },
  ]
  expect([third, both].map((each) => hex(writeHandshakePayload(each)).slice(0, 10))).toEqual([
    '0102000000',
    '0103000000',
  ])
})

test('a payload reads as it was written', () => {
  const notZero = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: length, maxLength: length }).filter((each) => each.some((byte) => byte !== 0))
  const payloads = fc.record({
    dialled: fc.boolean(),
    namedStreams: fc.boolean(),
    connectionId: notZero(8),
    current: fc.option(notZero(16), { nil: undefined }),
    certificate: fc.uint8Array({ maxLength: 100 }),
  })
  fc.assert(
    fc.property(payloads, (payload) => {
      expect(readHandshakePayload(writeHandshakePayload(payload))).toEqual(payload)
    }),
  )
})

test('a payload of another version, of zeros as connection id, or cut short, is refused', () => {
  const good = writeHandshakePayload({
    ...{ dialled: false, namedStreams: false, connectionId: bytes(8, 1), current: undefined, certificate: bytes(0, 0) },
  })
  expect(readHandshakePayload(good)).toBeDefined()
  for (let length = 0; length < good.length; length++)
    expect(readHandshakePayload(good.subarray(0, length))).toBeUndefined()
  expect(readHandshakePayload(good.with(0, 2))).toBeUndefined()
  expect(readHandshakePayload(good.fill(0, 5, 13))).toBeUndefined()
})

test('of the four bytes behind the version only the flags are read', () => {
  for (const [dialled, namedStreams, flags] of [
    [true, true, 0xff],
    [false, true, 0xfe],
    [true, false, 0xfd],
  ] as const) {
    const payload = { dialled, namedStreams, connectionId: bytes(8, 1), current: undefined, certificate: bytes(5, 2) }
    const written = writeHandshakePayload(payload)
    written.fill(0xff, 2, 5)
    written[1] = flags
    expect(readHandshakePayload(written)).toEqual(payload)
  }
})

test('a direct session hashes the context, both ids, seq and ts', () => {
  const preimage = directSessionPreimage({ requester: ALICE, responder: BOB, seq: 0x0102_0304, ts: 0x1122_3344_5566 })
  expect(hex(preimage)).toBe(
    `${ascii('SHOWCHAIN-P2P-v1 direct\0')}${'aa'.repeat(32)}${'bb'.repeat(32)}00000000010203040000112233445566`,
  )
})
