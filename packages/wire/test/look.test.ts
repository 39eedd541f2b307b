import { describe, expect, test } from 'vitest'
import { decode, encode, Look, rewriteOp } from '../src/index.ts'
import { ALICE_HEX, accepted, BOB_HEX, hex, PROXY_DATA, refused, SEQ_HEX, SESSION_HEX, TS_HEX } from './samples.ts'

describe('a look at a binary message in place', () => {
  const bytes = encode(PROXY_DATA, 'binary')

  test('finds each field without building anything', () => {
    const look = new Look()
    expect(look.at(bytes)).toBe(true)
    expect(look.row?.name).toBe('proxyData')
    const parts = look.row?.fields.map((name, i) => [name, hex(bytes.subarray(look.startOf(i), look.endOf(i)))])
    expect(parts).toEqual([
      ['target', BOB_HEX],
      ['id', ALICE_HEX],
      ['data', '00026869'],
      ['session', SESSION_HEX],
      ['seq', SEQ_HEX],
      ['ts', TS_HEX],
      ['sign', `0100${'55'.repeat(256)}`],
    ])
    expect(look.end).toBe(bytes.length)
  })

  test('does not look at extension fields, and says where they start', () => {
    const look = new Look()
    expect(look.at(Uint8Array.of(...bytes, 0xff))).toBe(true)
    expect(look.end).toBe(bytes.length)
  })

  test('is of nothing when the message is not well formed', () => {
    const look = new Look()
    look.at(bytes)
    expect(look.at(bytes.subarray(0, bytes.length - 1))).toBe(false)
    expect(look.row).toBeUndefined()
    expect(look.at(Uint8Array.of(0xb1, 0xff, 0xff))).toBe(false)
    expect(look.at(Uint8Array.of(0xb1, 0x01))).toBe(false)
    expect(look.at(new Uint8Array(0))).toBe(false)
  })

  test('0x123 becomes 0x124 by another op code and without its signature', () => {
    const copy = bytes.slice()
    const look = new Look()
    look.at(copy)
    rewriteOp(copy, 0x124)
    const { sign: _, ...rest } = PROXY_DATA
    expect(decode(copy.subarray(0, look.startOf(6)))).toEqual(accepted({ ...rest, op_code: 0x124 }, 'binary'))
    expect(decode(copy)).toEqual(refused('extension'))
  })
})
