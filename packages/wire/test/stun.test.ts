import { createHmac } from 'node:crypto'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeStun,
  encodeStun,
  isClassic,
  isStun,
  MAX_DATAGRAM,
  STUN_ATTRIBUTE,
  type StunMessage,
} from '../src/index.ts'
import { endpoint } from './arbitraries.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/[^0-9a-f]/g, ''), 'hex'))

/** RFC 5769 §2: complete messages, with the password of §2.1 to §2.3. */
const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt'
const TRANSACTION = hex('b7e7a701 bc34d686 fa87dfae')
const REQUEST = hex(`
  00010058 2112a442 b7e7a701 bc34d686 fa87dfae
  80220010 5354554e 20746573 7420636c 69656e74
  00240004 6e0001ff
  80290008 932ff9b1 51263b36
  00060009 6576746a 3a683676 59202020
  00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
  80280004 e57a3bcf`)
const RESPONSE_IPV4 = hex(`
  0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220
  00200008 0001a147 e112a643
  00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
  80280004 c07d4c96`)
const RESPONSE_IPV6 = hex(`
  01010048 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220
  00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
  00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
  80280004 c8fb0b4c`)
const REQUEST_LONG_TERM = hex(`
  00010060 2112a442 78ad3433 c6ad72c0 29da412e
  00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
  0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341
  0014000b 6578616d 706c652e 6f726700
  00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666`)

describe('RFC 5769', () => {
  test('§2.1: a request; ICE’s PRIORITY is not understood here', () => {
    expect(decodeStun(REQUEST)).toEqual({
      type: 'bindingRequest',
      transactionId: TRANSACTION,
      notUnderstood: [0x0024],
      fingerprint: true,
    })
  })

  test.each([
    ['§2.2: IPv4', RESPONSE_IPV4, '192.0.2.1'],
    ['§2.3: IPv6', RESPONSE_IPV6, '2001:db8:1234:5678:11:2233:4455:6677'],
  ])('%s response', (_section, bytes, ip) => {
    expect(decodeStun(bytes)).toEqual({
      type: 'bindingSuccess',
      transactionId: TRANSACTION,
      mapped: { ip, port: 32_853 },
      fingerprint: true,
    })
  })

  test('§2.4: a request with long-term credentials, which are skipped', () => {
    const transactionId = hex('78ad3433 c6ad72c0 29da412e')
    expect(decodeStun(REQUEST_LONG_TERM)).toEqual({ type: 'bindingRequest', transactionId })
  })

  test('the vectors above are the published ones: their integrity is right', () => {
    for (const bytes of [REQUEST, RESPONSE_IPV4, RESPONSE_IPV6]) {
      const end = bytes.length - 8
      const covered = Buffer.from(bytes.subarray(0, end - 24))
      covered.writeUInt16BE(end - 20, 2)
      const expected = createHmac('sha1', PASSWORD).update(covered).digest('hex')
      expect(Buffer.from(bytes.subarray(end - 20, end)).toString('hex')).toBe(expected)
    }
  })

  test('a fingerprint covers every bit', () => {
    for (const bytes of [REQUEST, RESPONSE_IPV4, RESPONSE_IPV6]) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(decodeStun(flipped)?.fingerprint, `bit ${bit}`).not.toBe(true)
      }
    }
  })
})

const ports = fc.integer({ min: 1, max: 0xffff })
const messages: fc.Arbitrary<StunMessage> = fc.record(
  {
    type: fc.constantFrom('bindingRequest', 'bindingIndication', 'bindingSuccess', 'bindingError' as const),
    transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
    mapped: endpoint,
    origin: endpoint,
    other: endpoint,
    change: fc.record({ ip: fc.boolean(), port: fc.boolean() }),
    responsePort: ports,
    padding: fc.integer({ min: 0, max: 600 }),
    clock: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
    error: fc.record({
      code: fc.integer({ min: 300, max: 699 }),
      reason: fc.string({ maxLength: 60, unit: 'binary' }),
    }),
    unknown: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }),
    fingerprint: fc.constant(true as const),
  },
  { requiredKeys: ['type', 'transactionId'] },
)
/**
 * RFC 3489: sixteen bytes that do not begin with the cookie; no fingerprint; an odd list of unknown
 * attributes is not possible.
 */
const classics = fc
  .tuple(messages, fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .filter(([{ unknown = [] }, id]) => unknown.length % 2 === 0 && id[0] !== 0x21)
  .map(([message, transactionId]): StunMessage => ({ ...message, transactionId }))

describe('round trip', () => {
  test.each([
    ['RFC 8489 and RFC 5780', messages],
    ['RFC 3489', classics],
  ])('%s', (_rfc, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const bytes = encodeStun(message)
        expect(isStun(bytes)).toBe(true)
        expect(decodeStun(bytes)).toEqual(message)
      }),
    )
  })

  test('whatever is cut off or added is refused', () => {
    fc.assert(
      fc.property(messages, fc.uint8Array({ minLength: 1, maxLength: 8 }), (message, more) => {
        const bytes = encodeStun(message)
        for (let length = 0; length < bytes.length; length += 3)
          expect(decodeStun(bytes.subarray(0, length))).toBeUndefined()
        expect(decodeStun(Uint8Array.of(...bytes, ...more))).toBeUndefined()
      }),
      { numRuns: runs(30) },
    )
  })

  test('no bytes make it throw', () => {
    const framed = fc.uint8Array({ minLength: 16, maxLength: 200 }).map((body) => {
      const length = body.length & ~3
      return Uint8Array.of(
        0,
        1,
        length >> 8,
        length & 0xff,
        ...hex('2112a442'),
        ...TRANSACTION,
        ...body.subarray(0, length),
      )
    })
    fc.assert(
      fc.property(framed, (bytes) => {
        expect(isStun(bytes)).toBe(true)
        decodeStun(bytes)
      }),
      { numRuns: runs(2000) },
    )
  })
})

/** A message of these attributes: type, length as it is told, value as it stands. */
const withAttributes = (...attributes: readonly string[]): Uint8Array => {
  const body = hex(attributes.join(''))
  return Uint8Array.of(0x01, 0x01, body.length >> 8, body.length & 0xff, ...hex('2112a442'), ...TRANSACTION, ...body)
}
const decoded = (...attributes: readonly string[]): Omit<StunMessage, 'type' | 'transactionId'> | undefined => {
  const message = decodeStun(withAttributes(...attributes))
  if (message === undefined) return undefined
  const { type: _type, transactionId: _id, ...rest } = message
  return rest
}

describe('what an attribute must be', () => {
  test.each([
    ['unknown and required (below 0x8000): named', '7abc0000', { notUnderstood: [0x7abc] }],
    ['unknown and optional: skipped', 'fabc0003 01020300', {}],
    ['the first of two counts', '00030004 00000004 00030004 00000002', { change: { ip: true, port: false } }],
    [
      'XOR-MAPPED-ADDRESS before MAPPED-ADDRESS',
      '00010008 0001000a 0a000001 00200008 0001a147 e112a643',
      { mapped: { ip: '192.0.2.1', port: 32_853 } },
    ],
    [
      'and after it',
      '00200008 0001a147 e112a643 00010008 0001000a 0a000001',
      { mapped: { ip: '192.0.2.1', port: 32_853 } },
    ],
    ['MAPPED-ADDRESS alone', '00010008 0001000a 0a000001', { mapped: { ip: '10.0.0.1', port: 10 } }],
    ['RESPONSE-PORT without its padding inside (RFC 5780 §7.5)', '00270002 12340000', { responsePort: 0x1234 }],
    ['what follows MESSAGE-INTEGRITY-SHA256 does not count', '001c0004 00000000 00270002 12340000', {}],
  ])('%s', (_what, attribute, expected) => {
    expect(decoded(attribute)).toEqual(expected)
  })

  test.each([
    ['a header that is cut', '0003'],
    ['a value that is cut', '00030008 00000000'],
    ['an address of no family', '00010008 0003000a 0a000001'],
    ['an IPv6 family with an IPv4 address', '00010008 0002000a 0a000001'],
    ['port 0', '00010008 00010000 0a000001'],
    ['an IPv4-mapped IPv6 address', '00010014 0002000a 00000000 00000000 0000ffff 0a000001'],
    ['CHANGE-REQUEST of another size', '00030002 00040000'],
    ['RESPONSE-PORT 0', '00270004 00000000'],
    ['RESPONSE-PORT of another size', '00270003 12340000'],
    ['ERROR-CODE without a code', '00090002 00000000'],
    ['ERROR-CODE with a reason that is no UTF-8', '00090005 00000414 ff000000'],
    ['UNKNOWN-ATTRIBUTES of odd size', '000a0003 00010000'],
    ['a FINGERPRINT that is wrong', '80280004 00000000'],
  ])('%s is refused', (_what, attribute) => {
    expect(decoded(attribute)).toBeUndefined()
  })

  test('nothing follows FINGERPRINT', () => {
    const end = encodeStun({ type: 'bindingSuccess', transactionId: TRANSACTION, fingerprint: true })
    const more = Uint8Array.of(...end, ...hex('fabc0000'))
    more[3] = more.length - 20
    expect(decodeStun(more)).toBeUndefined()
  })

  test('another method than Binding is no message of ours', () => {
    expect(decodeStun(withAttributes('').map((byte, index) => (index === 1 ? 0x03 : byte)))).toBeUndefined()
  })
})

describe('RFC 3489', () => {
  const transactionId = new Uint8Array(16).fill(7)
  const mapped = { ip: '192.0.2.1', port: 4000 }

  test('is told by the missing cookie, and answered without XOR under its own names', () => {
    const message = { type: 'bindingSuccess', transactionId, mapped, origin: mapped, other: mapped } as const
    const bytes = encodeStun(message)
    expect(isClassic(decodeStun(bytes) as StunMessage)).toBe(true)
    expect([...bytes.subarray(20)]).toEqual([
      ...hex('00010008 00010fa0 c0000201'),
      ...hex('00040008 00010fa0 c0000201'),
      ...hex('00050008 00010fa0 c0000201'),
    ])
  })

  test('§11.2.10: an odd list of unknown attributes repeats its last', () => {
    const bytes = encodeStun({ type: 'bindingError', transactionId, unknown: [3, 0x27, 5] })
    expect(decodeStun(bytes)?.unknown).toEqual([3, 0x27, 5, 5])
  })
})

describe('what cannot be encoded', () => {
  test.each([
    ['a transaction id of 13 bytes', { type: 'bindingRequest', transactionId: new Uint8Array(13) }, 'ERR_BAD_MESSAGE'],
    [
      'an address that is none',
      { type: 'bindingSuccess', transactionId: TRANSACTION, mapped: { ip: '1.2.3', port: 1 } },
      'ERR_BAD_MESSAGE',
    ],
    [
      'more than a datagram',
      { type: 'bindingRequest', transactionId: TRANSACTION, padding: MAX_DATAGRAM },
      'ERR_TOO_LARGE',
    ],
  ] as const)('%s', (_what, message, code) => {
    expect(() => encodeStun(message)).toThrow(expect.objectContaining({ code }))
  })
})

test('every attribute has a number of its own', () => {
  const numbers = Object.values(STUN_ATTRIBUTE)
  expect(new Set(numbers).size).toBe(numbers.length)
})
