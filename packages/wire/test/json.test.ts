import { describe, expect, test } from 'vitest'
import { decode, encode, type Message } from '../src/index.ts'
import {
  ALICE,
  accepted,
  ascii,
  BOB,
  DIRECT_REQUEST,
  DIRECT_REQUEST_JSON,
  json,
  PROXY_DATA,
  PUNCH_PASS_REQUEST,
  refused,
  SESSION,
} from './samples.ts'

const SIGN = DIRECT_REQUEST_JSON.sign
/** The text of `DIRECT_REQUEST` with one member written in another way. */
const written = (member: string, as: string): Uint8Array => {
  const text = JSON.stringify(DIRECT_REQUEST_JSON)
  const found = new RegExp(`"${member}":(?:"[^"]*"|[^,}]*)`)
  expect(text).toMatch(found)
  return ascii(text.replace(found, as))
}

describe('the JSON encoding', () => {
  test.each<[string, Message, object]>([
    ['direct request', DIRECT_REQUEST, DIRECT_REQUEST_JSON],
    [
      'passed punch request',
      PUNCH_PASS_REQUEST,
      {
        op_code: 274,
        target: BOB,
        id: ALICE,
        seq: 7,
        ts: 1763935769829,
        ip: '192.0.2.1',
        port: 4000,
        session: SESSION,
        sign: SIGN,
      },
    ],
    [
      'proxied data',
      PROXY_DATA,
      { op_code: 291, target: BOB, id: ALICE, data: 'aGk', session: SESSION, seq: 7, ts: 1763935769829, sign: SIGN },
    ],
  ])('of a %s is one flat object in the order of the row', (_name, message, members) => {
    expect(Buffer.from(encode(message, 'json')).toString()).toBe(JSON.stringify(members))
    expect(decode(json(members), { strict: true })).toEqual(accepted(message, 'json'))
  })

  test('is read whatever its white space, key order and escapes', () => {
    const spaced = JSON.stringify(DIRECT_REQUEST_JSON, undefined, '\t').replaceAll('\n', '\r\n ')
    expect(decode(ascii(`${spaced} \n`))).toEqual(accepted(DIRECT_REQUEST, 'json'))
    const reversed = Object.fromEntries(Object.entries(DIRECT_REQUEST_JSON).toReversed())
    expect(decode(json(reversed))).toEqual(accepted(DIRECT_REQUEST, 'json'))
    expect(decode(written('seq', '"\\u0073eq":7'))).toEqual(accepted(DIRECT_REQUEST, 'json'))
    expect(decode(written('id', `"id":"\\u0045${ALICE.slice(1)}"`))).toEqual(accepted(DIRECT_REQUEST, 'json'))
  })
})

describe('JSON that is refused as a whole', () => {
  const text = JSON.stringify(DIRECT_REQUEST_JSON)

  test.each<[string, Uint8Array, string]>([
    ['a byte order mark', ascii(`\ufeff${text}`), 'class'],
    ['white space in front', ascii(` ${text}`), 'class'],
    ['an array', ascii(`[${text}]`), 'class'],
    ['cut short', ascii(text.slice(0, -1)), 'syntax'],
    ['trailing garbage', ascii(`${text}x`), 'syntax'],
    ['two objects', ascii(`${text}${text.slice(0, 2)}}`), 'syntax'],
    ['a NUL behind it', ascii(`${text}\0`), 'syntax'],
    ['a trailing comma', ascii(`${text.slice(0, -1)},}`), 'syntax'],
    ['a comment', ascii(text.replace(',', ',/**/')), 'syntax'],
    ['single quotes, the seed’s notation taken literally', ascii(text.replaceAll('"', "'")), 'syntax'],
    ['a hexadecimal op code', written('op_code', '"op_code":0x101'), 'syntax'],
    [
      'bytes that are not UTF-8',
      Uint8Array.of(...ascii(text.slice(0, -1)), 0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d),
      'syntax',
    ],
    ['an overlong UTF-8 form', Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d), 'syntax'],
    ['a raw control character in a string', ascii(text.replace(ALICE, `\n${ALICE}`)), 'syntax'],
    ['no members', ascii('{}'), 'op'],
    ['no op code', json({ ...DIRECT_REQUEST_JSON, op_code: undefined }), 'op'],
    ['an op code that is not in the table', json({ ...DIRECT_REQUEST_JSON, op_code: 0x103 }), 'op'],
    ['an op code in a string', json({ ...DIRECT_REQUEST_JSON, op_code: '257' }), 'op'],
    ['an op code written 257.0', written('op_code', '"op_code":257.0'), 'op'],
    ['more than 1200 bytes', ascii(text.padEnd(1201)), 'size'],
  ])('%s', (_what, bytes, refusal) => {
    expect(decode(bytes)).toEqual(refused(refusal))
    expect(decode(bytes, { strict: true })).toEqual(refused(refusal))
  })

  test('1200 bytes are not too many', () => {
    expect(decode(ascii(text.padEnd(1200)))).toEqual(accepted(DIRECT_REQUEST, 'json'))
  })
})

describe('a name twice is refused', () => {
  test.each([
    ['with equal values', '"seq":7,"seq":7'],
    ['with different values', '"seq":7,"seq":8'],
    ['the second escaped', '"seq":7,"\\u0073eq":7'],
    ['the first escaped', '"s\\u0065q":7,"seq":7'],
    ['both escaped in different ways', '"s\\u0065q":7,"se\\u0071":7'],
    ['escaped with the other letter case', '"seq":7,"\\u0073\\u0065\\u0071":7'],
    ['an unknown name', '"seq":7,"x":1,"x":1'],
    ['an unknown name with nested values', '"seq":7,"x":{"a":[1,"}"]},"y":2,"x":[]'],
    ['a name of the object prototype', '"seq":7,"__proto__":1,"__proto__":1'],
    ['the empty name', '"seq":7,"":1,"":1'],
    ['names that hide quotes and backslashes', '"seq":7,"a\\"\\\\":1,"a\\u0022\\u005c":1'],
  ])('%s', (_what, members) => {
    expect(decode(written('seq', members))).toEqual(refused('syntax'))
  })

  test('the op code too', () => {
    expect(decode(written('op_code', '"op_code":257,"op_code":257'))).toEqual(refused('syntax'))
  })

  test('but only in the message itself: what is inside an ignored value is not looked at', () => {
    expect(decode(written('seq', '"seq":7,"x":{"a":1,"a":2,"seq":9}'))).toEqual(accepted(DIRECT_REQUEST, 'json'))
  })
})

describe('a number is written in one way', () => {
  test.each([
    '-0',
    '-1',
    '7.0',
    '7e0',
    '7E0',
    '70e-1',
    '1e3',
    '0.7e1',
    '9007199254740992',
    '9007199254740993',
    '1e400',
    '"7"',
    'true',
    'null',
    '[7]',
    '{"seq":7}',
  ])('%s is refused', (number) => {
    expect(decode(written('seq', `"seq":${number}`))).toEqual(refused('field'))
  })

  test.each(['07', '00', '+7', '.7', '7.', '0x7', 'NaN', 'Infinity', '-', '1_000'])('%s is not JSON', (number) => {
    expect(decode(written('seq', `"seq":${number}`))).toEqual(refused('syntax'))
  })

  test('up to 2^53−1', () => {
    expect(decode(written('seq', '"seq":9007199254740991'))).toEqual(
      accepted({ ...DIRECT_REQUEST, seq: Number.MAX_SAFE_INTEGER }, 'json'),
    )
    expect(decode(written('seq', '"seq":0'))).toEqual(accepted({ ...DIRECT_REQUEST, seq: 0 }, 'json'))
  })
})

describe('a field is refused', () => {
  test.each<[string, object]>([
    ['when it is missing', { target: undefined }],
    ['when it is null', { id: null }],
    ['when an id is padded', { id: `${ALICE}=` }],
    ['when an id is another spelling of the same bytes', { id: `${ALICE.slice(0, -1)}F` }],
    ['when an id is in the other base64 alphabet', { id: `${ALICE.slice(0, -4)}+/8A` }],
    ['when a signature is short', { sign: 'VVVV' }],
    ['when a signature is a list of numbers', { sign: [1, 2, 3] }],
  ])('%s', (_what, members) => {
    expect(decode(json({ ...DIRECT_REQUEST_JSON, ...members }))).toEqual(refused('field'))
  })

  test.each<[string, object]>([
    ['an IPv4-mapped address', { ip: '::ffff:192.0.2.1' }],
    ['an address with a zone', { ip: 'fe80::1%eth0' }],
    ['an address in upper case', { ip: '2001:DB8::1' }],
    ['an address that is not shortened', { ip: '2001:db8:0:0:0:0:0:1' }],
    ['an address with leading zeros', { ip: '192.0.02.1' }],
    ['port 0', { port: 0 }],
    ['port 65536', { port: 65536 }],
  ])('with %s', (_what, members) => {
    const passed = JSON.parse(Buffer.from(encode(PUNCH_PASS_REQUEST, 'json')).toString()) as object
    expect(decode(json({ ...passed, ...members }))).toEqual(refused('field'))
  })

  test('when a value breaks a rule of its row', () => {
    expect(decode(json({ ...DIRECT_REQUEST_JSON, target: ALICE }))).toEqual(refused('rule'))
    expect(decode(json({ op_code: 256, id: ALICE, seq: 1, ts: 0 }))).toEqual(refused('rule'))
    expect(decode(json({ op_code: 256, id: ALICE, seq: 0, ts: 1 }))).toEqual(refused('rule'))
  })
})

describe('a name that is neither field nor extension', () => {
  test.each([
    ['a text', '"x":"y"'],
    ['a number that no field could have', '"x":-1.5e3'],
    ['a literal', '"x":null,"y":true,"z":false'],
    ['a nested object', '"x":{"a":{"b":[1,2,{"c":"}]\\""}]}}'],
    ['an array', '"x":[[],[[]],"]",{}]'],
    ['a text with quotes, backslashes and brackets', '"x":"\\"\\\\","y":"\\\\\\"}{,:"'],
    ['__proto__', '"__proto__":{"seq":9}'],
    ['constructor', '"constructor":1'],
    ['hasOwnProperty', '"hasOwnProperty":"x"'],
    ['toString', '"toString":"x"'],
    ['a field of another message', '"session":"x"'],
    ['the name of the object that holds extensions in memory', '"ext":{"caps":1}'],
    ['another case', '"SEQ":8'],
    ['the empty name', '"":0'],
    ['a lone surrogate', '"\\ud800":0'],
  ])('%s is ignored by default and refused in strict mode', (_what, members) => {
    const datagram = written('seq', `${members} ,\t"seq" :\n7`)
    expect(decode(datagram)).toEqual(accepted(DIRECT_REQUEST, 'json'))
    expect(decode(datagram, { strict: true })).toEqual(refused('unknownName'))
  })

  test('does not reach the prototype of the message', () => {
    const decoded = decode(written('seq', '"seq":7,"__proto__":{"polluted":true}'))
    expect(decoded.ok && Object.getPrototypeOf(decoded.message)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('nested as deep as a datagram allows is no trouble', () => {
    const deep = '['.repeat(560) + ']'.repeat(560)
    const text = `{"op_code":293,"session":"${SESSION}","seq":1,"ts":2,"x":${deep}}`
    expect(decode(ascii(`{"x":${'['.repeat(1195)}`))).toEqual(refused('syntax'))
    expect(decode(ascii(`{"x":${'{"":'.repeat(298)}`))).toEqual(refused('syntax'))
    expect(decode(ascii(text))).toEqual(accepted({ op_code: 0x125, session: SESSION, seq: 1, ts: 2 }, 'json'))
  })
})
