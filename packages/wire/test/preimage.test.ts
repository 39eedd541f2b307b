import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, type Extensions, MESSAGES, preimage, rowOf, type SignedMessage } from '../src/index.ts'
import { messageOf } from './arbitraries.ts'
import {
  ALICE,
  ALICE_HEX,
  BOB,
  BOB_HEX,
  CHALLENGE,
  DIRECT_REQUEST,
  encodeIfFits,
  hex,
  PROXY_DATA,
  PUNCH_PASS_REQUEST,
  repeat,
  SEQ,
  SEQ_HEX,
  SESSION,
  SESSION_HEX,
  TS,
  TS_HEX,
} from './samples.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
/** "SHOWCHAIN-P2P-v1" and a zero byte. */
const CONTEXT = '53484f57434841494e2d5032502d763100'
const of = (message: object): string => hex(preimage(message as SignedMessage, sha256))
const common = { seq: SEQ, ts: TS, sign: repeat(0x55, 256) }
const SEQ_TS = `${SEQ_HEX}${TS_HEX}`

describe('the preimage is the context, the op code and the signature list of the seed', () => {
  test.each<[string, object, string]>([
    ['0x101: op_code target seq ts', DIRECT_REQUEST, `0101${BOB_HEX}${SEQ_TS}`],
    ['0x102: op_code id seq ts', { op_code: 0x102, id: ALICE, ...common }, `0102${ALICE_HEX}${SEQ_TS}`],
    ['0x111: op_code target seq ts', { op_code: 0x111, target: BOB, id: ALICE, ...common }, `0111${BOB_HEX}${SEQ_TS}`],
    ['0x112: the list of 0x111 over op 0x111', PUNCH_PASS_REQUEST, `0111${BOB_HEX}${SEQ_TS}`],
    [
      '0x113: op_code target id seq ts',
      { op_code: 0x113, target: BOB, id: ALICE, ...common },
      `0113${BOB_HEX}${ALICE_HEX}${SEQ_TS}`,
    ],
    [
      '0x114: op_code session seq ts',
      { op_code: 0x114, id: ALICE, session: SESSION, ...common },
      `0114${SESSION_HEX}${SEQ_TS}`,
    ],
    [
      '0x115: the list of 0x114 over op 0x114',
      { op_code: 0x115, id: ALICE, ip: '192.0.2.1', port: 4000, session: SESSION, ...common },
      `0114${SESSION_HEX}${SEQ_TS}`,
    ],
    ['0x121: op_code target seq ts', { op_code: 0x121, target: BOB, id: ALICE, ...common }, `0121${BOB_HEX}${SEQ_TS}`],
    [
      '0x122: op_code target session seq ts',
      { op_code: 0x122, session: SESSION, target: BOB, ...common },
      `0122${BOB_HEX}${SESSION_HEX}${SEQ_TS}`,
    ],
    ['0x123: op_code target session seq ts, not data', PROXY_DATA, `0123${BOB_HEX}${SESSION_HEX}${SEQ_TS}`],
  ])('%s', (_name, message, expected) => {
    expect(of(message)).toBe(CONTEXT + expected)
  })

  test('a message without sign, which is how it is signed, has the same preimage', () => {
    const { sign: _, ...unsigned } = DIRECT_REQUEST
    expect(of(unsigned)).toBe(of(DIRECT_REQUEST))
  })
})

describe('extension fields in the preimage', () => {
  const withExt = (ext: Extensions): string => of({ ...DIRECT_REQUEST, ext })
  const plain = of(DIRECT_REQUEST)
  const hashed = (fields: string): string => plain + hex(sha256(Buffer.from(fields, 'hex')))

  test('add one element, the hash of their encoding', () => {
    expect(withExt({ caps: 5 })).toBe(hashed('03 0004 00000005'.replaceAll(' ', '')))
    expect(withExt({ cookie: repeat(0x66, 2), nat: { mapping: 1, filtering: 3 } })).toBe(
      hashed('02 0002 6666 04 0002 0103'.replaceAll(' ', '')),
    )
    expect(withExt({ hello: repeat(7, 42), token: repeat(8, 1), pad: 2 })).toBe(
      hashed(`08002a${'07'.repeat(42)}09000108${'0b0002'}0000`),
    )
    expect(withExt({ kx: repeat(7, 32) })).toBe(hashed(`060020${'07'.repeat(32)}`))
  })

  test('key and local stand outside', () => {
    expect(withExt({ key: repeat(1, 100), local: [{ ip: '192.0.2.1', port: 1 }] })).toBe(plain)
    expect(withExt({ key: repeat(1, 100), caps: 5, local: [{ ip: '192.0.2.1', port: 1 }] })).toBe(withExt({ caps: 5 }))
  })

  test('unknown types are covered, in their place by type', () => {
    expect(withExt({ caps: 5, unknown: [{ type: 200, value: repeat(9, 1) }] })).toBe(
      hashed(`0300040000000${'5'}c8000109`),
    )
    expect(withExt({ caps: 5, unknown: [{ type: 0, value: new Uint8Array(0) }] })).toBe(hashed('00000003000400000005'))
  })

  test('a type that this message does not list is unknown in it, and so covered whatever its number', () => {
    expect(of({ ...PROXY_DATA, ext: { unknown: [{ type: 1, value: repeat(1, 2) }] } })).toBe(
      of(PROXY_DATA) + hex(sha256(Buffer.from('0100020101', 'hex'))),
    )
  })

  test('what a relay passes on hashes as what was sent', () => {
    const ext: Extensions = {
      ...{ cookie: repeat(1, 8), caps: 4, nat: { mapping: 2, filtering: 2 }, hello: repeat(7, 42) },
      also: [{ ip: '192.0.2.1', port: 1 }],
    }
    expect(of({ ...PUNCH_PASS_REQUEST, ext })).toBe(of({ op_code: 0x111, target: BOB, id: ALICE, ...common, ext }))
  })

  test('an empty set of extension fields is none', () => {
    expect(withExt({})).toBe(plain)
    expect(withExt({ unknown: [] })).toBe(plain)
  })

  test('one that the message may not have is an error, not left out', () => {
    expect(() => withExt({ observed: { ip: '192.0.2.1', port: 1 } })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_MESSAGE' }),
    )
  })
})

describe('a preimage', () => {
  test('of a message that is not signed, or whose field is missing, is an error', () => {
    const badMessage = expect.objectContaining({ code: 'ERR_BAD_MESSAGE' })
    expect(() => of(CHALLENGE)).toThrow(badMessage)
    expect(() => of({ ...DIRECT_REQUEST, op_code: 0x999 })).toThrow(badMessage)
    expect(() => of({ ...DIRECT_REQUEST, target: undefined })).toThrow(badMessage)
    expect(() => of({ ...DIRECT_REQUEST, seq: -1 })).toThrow(badMessage)
  })

  test('does not depend on the encoding of the datagram', () => {
    const signedRow = fc.constantFrom(...MESSAGES.filter((row) => rowOf(row.op)?.signature !== undefined))
    fc.assert(
      fc.property(signedRow.chain(messageOf), (message) => {
        const expected = of(message)
        for (const encoding of ['binary', 'json'] as const) {
          const datagram = encodeIfFits(message, encoding)
          if (datagram === undefined) continue
          const decoded = decode(datagram)
          expect(decoded.ok && of(decoded.message)).toBe(expected)
        }
      }),
    )
  })
})
