import { describe, expect, test } from 'vitest'
import { type Decoded, decode, type Extensions, encode, type Message } from '../src/index.ts'
import {
  ALICE,
  accepted,
  CHALLENGE,
  DIRECT_REQUEST,
  DIRECT_REQUEST_JSON,
  fromHex,
  hex,
  json,
  PROXY_DATA,
  PUNCH_PASS_REQUEST,
  refused,
  repeat,
  SEQ,
  TS,
} from './samples.ts'

const request = encode(DIRECT_REQUEST, 'binary')
const RESPONSE: Message = { op_code: 0x102, id: ALICE, seq: SEQ, ts: TS, sign: repeat(0x55, 256) }

/** What a message is with these extension fields behind it. */
const read = (fields: string, message: Message = DIRECT_REQUEST): Decoded =>
  decode(Uint8Array.of(...encode(message, 'binary'), ...fromHex(fields)))

const V4 = '04c00002010fa0'
const V6 = '0620010db80000000000000000000000010fa0'

describe('each extension has its value', () => {
  test.each<[string, string, Extensions]>([
    ['key', `01 0003 010203`, { key: Uint8Array.of(1, 2, 3) }],
    ['cookie', '02 0001 aa', { cookie: Uint8Array.of(0xaa) }],
    ['caps', '03 0004 80000001', { caps: 0x8000_0001 }],
    ['nat', '04 0002 0103', { nat: { mapping: 1, filtering: 3 } }],
    ['one local candidate', `05 0007 ${V4}`, { local: [{ ip: '192.0.2.1', port: 4000 }] }],
    [
      'local candidates of both families',
      `05 001a ${V4} ${V6}`,
      {
        local: [
          { ip: '192.0.2.1', port: 4000 },
          { ip: '2001:db8::1', port: 4000 },
        ],
      },
    ],
    ['kx', `06 0020 ${'07'.repeat(32)}`, { kx: repeat(7, 32) }],
    ['hello', `08 002a ${'07'.repeat(42)}`, { hello: repeat(7, 42) }],
    ['a long hello', `08 0320 ${'07'.repeat(800)}`, { hello: repeat(7, 800) }],
    ['token', '09 0001 aa', { token: Uint8Array.of(0xaa) }],
    ['pad', '0b 0003 000000', { pad: 3 }],
    ['an empty pad', '0b 0000', { pad: 0 }],
    ['permit', '0c 0002 abcd', { permit: Uint8Array.of(0xab, 0xcd) }],
    ['modulus', `0d 0100 ${'87'.repeat(256)}`, { modulus: repeat(0x87, 256) }],
  ])('%s', (_name, fields, ext) => {
    expect(read(fields)).toEqual(accepted({ ...DIRECT_REQUEST, ext }, 'binary'))
    expect(hex(encode({ ...DIRECT_REQUEST, ext }, 'binary').subarray(request.length))).toBe(hex(fromHex(fields)))
  })

  test('also', () => {
    const ext = { also: [{ ip: '192.0.2.1', port: 4000 }] }
    expect(read(`0a 0007 ${V4}`, PUNCH_PASS_REQUEST)).toEqual(accepted({ ...PUNCH_PASS_REQUEST, ext }, 'binary'))
    expect(read('0a 0000', PUNCH_PASS_REQUEST)).toEqual(refused('extension'))
    expect(read(`0a 0023 ${V4.repeat(5)}`, PUNCH_PASS_REQUEST)).toEqual(refused('extension'))
  })

  test('observed', () => {
    const ext = { observed: { ip: '192.0.2.1', port: 4000 } }
    expect(read(`07 0007 ${V4}`, RESPONSE)).toEqual(accepted({ ...RESPONSE, ext }, 'binary'))
  })
})

describe('a known extension with a bad value refuses the datagram', () => {
  test.each([
    ['an empty key', '01 0000'],
    ['a key of 601 bytes', `01 0259 ${'00'.repeat(601)}`],
    ['an empty cookie', '02 0000'],
    ['a cookie of 65 bytes', `02 0041 ${'00'.repeat(65)}`],
    ['caps of three bytes', '03 0003 000001'],
    ['caps of five bytes', '03 0005 0000000001'],
    ['nat of one byte', '04 0001 01'],
    ['nat of three bytes', '04 0003 010101'],
    ['a mapping that does not exist', '04 0002 0401'],
    ['a filtering that does not exist', '04 0002 0104'],
    ['no local candidate', '05 0000'],
    ['five local candidates', `05 0023 ${V4.repeat(5)}`],
    ['half a local candidate', '05 0005 04c0000201'],
    ['a local candidate and a byte', `05 0008 ${V4}04`],
    ['a local candidate with port 0', '05 0007 04c00002010000'],
    ['a local candidate of another family', '05 0007 05c00002010fa0'],
    ['a mapped local candidate', '05 0013 0600000000000000000000ffffc00002010fa0'],
    ['a local candidate that borrows bytes of the next field', '05 0005 04c0000201 c8 0001 00'],
    ['kx of 31 bytes', `06 001f ${'07'.repeat(31)}`],
    ['kx of 33 bytes', `06 0021 ${'07'.repeat(33)}`],
    ['a hello of 41 bytes', `08 0029 ${'07'.repeat(41)}`],
    ['an empty token', '09 0000'],
    ['a token of 65 bytes', `09 0041 ${'00'.repeat(65)}`],
    ['pad with another byte than zero', '0b 0003 000001'],
    ['an empty permit', '0c 0000'],
    ['a permit of 53 bytes', `0c 0035 ${'00'.repeat(53)}`],
    ['a modulus of another length than keys have', `0d 00ff ${'87'.repeat(255)}`],
    ['a modulus of fewer bits than its length', `0d 0100 ${'7f'.repeat(256)}`],
  ])('%s', (_what, fields) => {
    expect(read(fields)).toEqual(refused('extension'))
  })

  test.each([
    ['no address', '07 0000'],
    ['two addresses', `07 000e ${V4}${V4}`],
    ['an address with port 0', '07 0007 04c00002010000'],
  ])('observed with %s', (_what, fields) => {
    expect(read(fields, RESPONSE)).toEqual(refused('extension'))
  })
})

describe('an unknown extension', () => {
  test('is kept with its bytes, in its place, and written again', () => {
    const fields = '00 0001 05 03 0004 00000001 0f 0000 ff 0002 0a0b'
    const ext: Extensions = {
      caps: 1,
      unknown: [
        { type: 0, value: Uint8Array.of(5) },
        { type: 15, value: new Uint8Array(0) },
        { type: 255, value: Uint8Array.of(10, 11) },
      ],
    }
    expect(read(fields)).toEqual(accepted({ ...DIRECT_REQUEST, ext }, 'binary'))
    expect(hex(encode({ ...DIRECT_REQUEST, ext }, 'binary').subarray(request.length))).toBe(hex(fromHex(fields)))
  })

  test('is any known one in a message that does not list it, whatever its value', () => {
    expect(read('01 0000', PROXY_DATA)).toEqual(
      accepted({ ...PROXY_DATA, ext: { unknown: [{ type: 1, value: new Uint8Array(0) }] } }, 'binary'),
    )
    expect(read('07 0001 00')).toEqual(
      accepted({ ...DIRECT_REQUEST, ext: { unknown: [{ type: 7, value: repeat(0, 1) }] } }, 'binary'),
    )
    expect(read('02 0001 00', CHALLENGE)).toEqual(
      accepted({ ...CHALLENGE, ext: { unknown: [{ type: 2, value: repeat(0, 1) }] } }, 'binary'),
    )
  })

  test('is written in ascending order wherever it stands in the list', () => {
    const unknown = [
      { type: 200, value: repeat(2, 1) },
      { type: 100, value: repeat(1, 1) },
    ]
    const bytes = encode({ ...DIRECT_REQUEST, ext: { caps: 1, unknown } }, 'binary')
    expect(hex(bytes.subarray(request.length))).toBe(hex(fromHex('03 0004 00000001 64 0001 01 c8 0001 02')))
  })
})

describe('the order of extension fields', () => {
  test.each([
    ['descending', 'c9 0000 c8 0000'],
    ['known behind unknown of a higher type', 'c8 0000 03 0004 00000001'],
    ['a known type twice', '03 0004 00000001 03 0004 00000001'],
    ['an unknown type twice', 'c8 0000 c8 0000'],
  ])('%s is refused', (_what, fields) => {
    expect(read(fields)).toEqual(refused('extension'))
  })
})

describe('the encoder refuses with ERR_BAD_MESSAGE', () => {
  test.each<[string, unknown]>([
    ['a known extension that the message does not list', { observed: { ip: '192.0.2.1', port: 1 } }],
    ['a known type among the unknown', { unknown: [{ type: 3, value: repeat(0, 4) }] }],
    ['an unknown type twice', { unknown: [200, 200].map((type) => ({ type, value: repeat(0, 1) })) }],
    ['type 256', { unknown: [{ type: 256, value: repeat(0, 1) }] }],
    ['type −1', { unknown: [{ type: -1, value: repeat(0, 1) }] }],
    ['type 1.5', { unknown: [{ type: 1.5, value: repeat(0, 1) }] }],
    ['an unknown value that is no bytes', { unknown: [{ type: 200, value: 'x' }] }],
    ['an unknown field that is nothing', { unknown: [undefined] }],
    ['unknown fields that are no list', { unknown: 7 }],
    ['an empty key', { key: new Uint8Array(0) }],
    ['caps past 32 bits', { caps: 2 ** 32 }],
    ['a nat behaviour that does not exist', { nat: { mapping: 4, filtering: 0 } }],
    ['nat that is nothing', { nat: null }],
    ['no local candidates', { local: [] }],
    ['five local candidates', { local: new Array(5).fill({ ip: '192.0.2.1', port: 1 }) }],
    ['a local candidate that is nothing', { local: [null] }],
    ['local candidates that are no list', { local: 'x' }],
    ['kx of another length', { kx: repeat(0, 31) }],
    ['a hello that is too short', { hello: repeat(0, 41) }],
    ['a hello that is too long', { hello: repeat(0, 1001) }],
    ['an empty token', { token: new Uint8Array(0) }],
    ['an empty permit', { permit: new Uint8Array(0) }],
    ['a permit that is too long', { permit: repeat(1, 53) }],
    ['a permit that is a text', { permit: 'x' }],
    ['a modulus that is too short', { modulus: repeat(0x87, 255) }],
    ['a modulus of fewer bits', { modulus: repeat(0x7f, 256) }],
    ['a pad of less than nothing', { pad: -1 }],
    ['a pad of bytes', { pad: repeat(0, 3) }],
    ['a pad that is longer than a datagram', { pad: 1201 }],
  ])('%s', (_what, ext) => {
    const message = { ...DIRECT_REQUEST, ext: ext as Extensions }
    expect(() => encode(message, 'binary')).toThrow(expect.objectContaining({ code: 'ERR_BAD_MESSAGE' }))
    expect(() => encode(message, 'json')).toThrow(expect.objectContaining({ code: 'ERR_BAD_MESSAGE' }))
  })
})

describe('extension fields in JSON', () => {
  const readJson = (members: object, strict = false): Decoded =>
    decode(json({ ...DIRECT_REQUEST_JSON, ...members }), { strict })

  test('stand under their names as base64url of their binary value', () => {
    expect(
      // caps 5; nat 1, 3; local 192.0.2.1:4000; type 200 with one byte
      readJson({ ext200: 'Ag', local: 'BMAAAgEPoA', nat: 'AQM', caps: 'AAAABQ', cookie: 'Zg', key: 'AQID' }, true),
    ).toEqual(
      accepted(
        {
          ...DIRECT_REQUEST,
          ext: {
            key: Uint8Array.of(1, 2, 3),
            cookie: Uint8Array.of(0x66),
            caps: 5,
            nat: { mapping: 1, filtering: 3 },
            local: [{ ip: '192.0.2.1', port: 4000 }],
            unknown: [{ type: 200, value: Uint8Array.of(2) }],
          },
        },
        'json',
      ),
    )
  })

  test('are sorted by type wherever they stand', () => {
    const decoded = readJson({ ext200: 'Ag', ext100: 'AQ', ext0: '' })
    expect(decoded.ok && decoded.message.ext?.unknown?.map((field) => field.type)).toEqual([0, 100, 200])
  })

  test.each<[string, object]>([
    ['a number', { caps: 5 }],
    ['null', { caps: null }],
    ['an object', { nat: { mapping: 1, filtering: 3 } }],
    ['padded', { caps: 'AAAABQ==' }],
    ['not canonical', { cookie: 'Zh' }],
    ['a bad value', { caps: 'AAAA' }],
    ['an unknown one that is no text', { ext200: 7 }],
    ['an unknown one that is not canonical', { ext200: 'Zh' }],
    ['a known one under its number', { ext3: 'AAAABQ' }],
    ['a known one under both', { caps: 'AAAABQ', ext3: 'AAAABQ' }],
  ])('are refused as %s', (_what, members) => {
    expect(readJson(members)).toEqual(refused('extension'))
    expect(readJson(members, true)).toEqual(refused('extension'))
  })

  test.each(['ext', 'ext256', 'ext999', 'ext01', 'ext-1', 'ext1000', 'EXT8', 'ext8 ', 'observed', 'unknown'])(
    '%s is an unknown name: ignored by default, refused in strict mode',
    (name) => {
      expect(readJson({ [name]: 'AA' })).toEqual(accepted(DIRECT_REQUEST, 'json'))
      expect(readJson({ [name]: 'AA' }, true)).toEqual(refused('unknownName'))
    },
  )

  test('a known type that the message does not list stands under its number', () => {
    const message: Message = { ...PROXY_DATA, ext: { unknown: [{ type: 1, value: Uint8Array.of(1, 2, 3) }] } }
    const text = Buffer.from(encode(message, 'json')).toString()
    expect(text).toContain('"ext1":"AQID"')
    expect(decode(encode(message, 'json'), { strict: true })).toEqual(accepted(message, 'json'))
  })

  test('the cookie of a challenge is its field; an extension of that type stands under its number', () => {
    const message: Message = { ...CHALLENGE, ext: { unknown: [{ type: 2, value: Uint8Array.of(1) }] } }
    expect(JSON.parse(Buffer.from(encode(message, 'json')).toString())).toEqual({
      op_code: 0x1f1,
      cookie: 'ZmZmZmZmZmY',
      ref_op: 257,
      seq: 7,
      ts: 1763935769829,
      ext2: 'AQ',
    })
    expect(decode(encode(message, 'json'), { strict: true })).toEqual(accepted(message, 'json'))
  })
})
