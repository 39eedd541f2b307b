import { describe, expect, test } from 'vitest'
import { decode, encode, type Message } from '../src/index.ts'
import {
  ALICE,
  ALICE_HEX,
  accepted,
  ascii,
  BOB_HEX,
  CHALLENGE,
  DIRECT_REQUEST,
  fromHex,
  hex,
  KEEP_ALIVE,
  PROXY_DATA,
  PUNCH_PASS_REQUEST,
  refused,
  repeat,
  SEQ_HEX,
  SESSION_HEX,
  TS_HEX,
} from './samples.ts'

const SIGN_HEX = `0100${'55'.repeat(256)}`
const DIRECT_REQUEST_HEX = `b10101${ALICE_HEX}${BOB_HEX}${SEQ_HEX}${TS_HEX}${SIGN_HEX}`

describe('the binary encoding, byte by byte', () => {
  test.each<[string, Message, string]>([
    ['keep-alive', KEEP_ALIVE, `b10100${ALICE_HEX}${'00'.repeat(16)}`],
    ['direct request', DIRECT_REQUEST, DIRECT_REQUEST_HEX],
    [
      'passed punch request',
      PUNCH_PASS_REQUEST,
      `b10112${BOB_HEX}${ALICE_HEX}${SEQ_HEX}${TS_HEX}04c00002010fa0${SESSION_HEX}${SIGN_HEX}`,
    ],
    ['proxied data', PROXY_DATA, `b10123${BOB_HEX}${ALICE_HEX}00026869${SESSION_HEX}${SEQ_HEX}${TS_HEX}${SIGN_HEX}`],
    ['challenge', CHALLENGE, `b101f10008${'66'.repeat(8)}0101${SEQ_HEX}${TS_HEX}`],
    ['error', { op_code: 0x1f0, code: 1, ref_op: 0x100, seq: 0, ts: 0 }, `b101f000010100${'00'.repeat(16)}`],
    [
      'direct request with extension fields',
      { ...DIRECT_REQUEST, ext: { caps: 5, key: repeat(1, 2), unknown: [{ type: 200, value: repeat(2, 1) }] } },
      `${DIRECT_REQUEST_HEX} 01 0002 0101 03 0004 00000005 c8 0001 02`,
    ],
  ])('%s', (_name, message, bytes) => {
    expect(hex(encode(message, 'binary'))).toBe(hex(fromHex(bytes)))
    expect(decode(fromHex(bytes))).toEqual(accepted(message, 'binary'))
  })

  test('byte values are views into the datagram, not copies', () => {
    const datagram = fromHex(DIRECT_REQUEST_HEX)
    const decoded = decode(datagram)
    expect(decoded.ok && 'sign' in decoded.message && decoded.message.sign.buffer).toBe(datagram.buffer)
  })

  test('a datagram that is a view into a larger buffer is read within its bounds', () => {
    const bytes = fromHex(`ffff ${DIRECT_REQUEST_HEX} 03 0004 00000005 ff`)
    const start = 2
    const end = start + DIRECT_REQUEST_HEX.length / 2
    expect(decode(bytes.subarray(start, end))).toEqual(accepted(DIRECT_REQUEST, 'binary'))
    expect(decode(bytes.subarray(start, -1))).toEqual(accepted({ ...DIRECT_REQUEST, ext: { caps: 5 } }, 'binary'))
  })
})

describe('the binary decoder refuses', () => {
  test.each<[string, string, string]>([
    ['an empty datagram', '', 'size'],
    ['more than 1200 bytes', `${DIRECT_REQUEST_HEX}c8035a${'00'.repeat(859)}`, 'size'],
    ['another version', `b4${DIRECT_REQUEST_HEX.slice(2)}`, 'class'],
    ['a record', `b2${'00'.repeat(40)}`, 'class'],
    ['a version byte alone', 'b1', 'field'],
    ['half an op code', 'b101', 'field'],
    ['an op code that is not in the table', `b10103${ALICE_HEX}`, 'op'],
    ['an op code of the seed\u2019s range that the seed does not have', `b10126${SESSION_HEX}`, 'op'],
    ['no fields', 'b10101', 'field'],
    ['a last field that is cut short', DIRECT_REQUEST_HEX.slice(0, -2), 'field'],
    ['seq past 2^53\u22121', `b10125${SESSION_HEX}0020000000000000${TS_HEX}`, 'field'],
    ['port 0', `b10112${BOB_HEX}${ALICE_HEX}${SEQ_HEX}${TS_HEX}04c00002010000${SESSION_HEX}${SIGN_HEX}`, 'field'],
    [
      'a family that is neither 4 nor 6',
      `b10112${BOB_HEX}${ALICE_HEX}${SEQ_HEX}${TS_HEX}05c00002010fa0${SESSION_HEX}${SIGN_HEX}`,
      'field',
    ],
    [
      'an IPv4-mapped address as family 6',
      `b10112${BOB_HEX}${ALICE_HEX}${SEQ_HEX}${TS_HEX}0600000000000000000000ffffc00002010fa0${SESSION_HEX}${SIGN_HEX}`,
      'field',
    ],
    [
      'a signature of 128 bytes (RSA-1024)',
      `b10101${ALICE_HEX}${BOB_HEX}${SEQ_HEX}${TS_HEX}0080${'55'.repeat(128)}`,
      'field',
    ],
    ['a length that runs past the end', `b10123${BOB_HEX}${ALICE_HEX}0400`, 'field'],
    ['an empty cookie in a challenge', `b101f100000101${SEQ_HEX}${TS_HEX}`, 'field'],
    ['a keep-alive with a seq', `b10100${ALICE_HEX}${SEQ_HEX}${'00'.repeat(8)}`, 'rule'],
    ['a keep-alive with a ts', `b10100${ALICE_HEX}${'00'.repeat(8)}${TS_HEX}`, 'rule'],
    ['a request whose target is its own id', `b10101${ALICE_HEX}${ALICE_HEX}${SEQ_HEX}${TS_HEX}${SIGN_HEX}`, 'rule'],
    ['one byte behind the message', `${DIRECT_REQUEST_HEX}00`, 'extension'],
    ['a type without a length', `${DIRECT_REQUEST_HEX}c8`, 'extension'],
    ['half a length', `${DIRECT_REQUEST_HEX}c800`, 'extension'],
    ['a value that is cut short', `${DIRECT_REQUEST_HEX}c8000201`, 'extension'],
  ])('%s', (_what, datagram, refusal) => {
    expect(decode(fromHex(datagram))).toEqual(refused(refusal))
  })

  test('every cut of a message without extension fields', () => {
    const datagram = fromHex(DIRECT_REQUEST_HEX)
    for (let length = 0; length < datagram.length; length++) expect(decode(datagram.subarray(0, length)).ok).toBe(false)
  })
})

describe('the binary encoder refuses', () => {
  const badMessage = expect.objectContaining({ code: 'ERR_BAD_MESSAGE' })

  test.each<[string, object]>([
    ['an op code that is not in the table', { op_code: 0x103, id: ALICE }],
    ['a message without an op code', { id: ALICE }],
    ['a missing field', { ...DIRECT_REQUEST, target: undefined }],
    ['a field of another kind', { ...DIRECT_REQUEST, seq: '7' }],
    ['a target that is its own id', { ...DIRECT_REQUEST, target: ALICE }],
    ['a keep-alive with a seq', { ...KEEP_ALIVE, seq: 1 }],
    ['extension fields that are none', { ...DIRECT_REQUEST, ext: null }],
  ])('%s with ERR_BAD_MESSAGE', (_what, message) => {
    expect(() => encode(message as Message, 'binary')).toThrow(badMessage)
    expect(() => encode(message as Message, 'json')).toThrow(badMessage)
  })

  test('what does not fit one datagram with ERR_TOO_LARGE', () => {
    const room = 1200 - encode(PROXY_DATA, 'binary').length + 2
    expect(encode({ ...PROXY_DATA, data: repeat(1, room) }, 'binary')).toHaveLength(1200)
    expect(() => encode({ ...PROXY_DATA, data: repeat(1, room + 1) }, 'binary')).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_LARGE' }),
    )
    expect(() => encode({ ...PROXY_DATA, data: ascii('x'.repeat(room)) }, 'json')).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_LARGE' }),
    )
  })
})
