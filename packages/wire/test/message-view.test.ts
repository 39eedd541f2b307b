import { describe, expect, test } from 'vitest'
import { decode, encode, MessageView, rewriteOp } from '../src/index.ts'
import { ALICE_HEX, accepted, BOB_HEX, hex, PROXY_DATA, refused, SEQ_HEX, SESSION_HEX, TS_HEX } from './samples.ts'

describe('a view of a binary message', () => {
  const bytes = encode(PROXY_DATA, 'binary')

  test('finds each field without building anything', () => {
    const view = new MessageView()
    expect(view.parse(bytes)).toBe(true)
    expect(view.row?.name).toBe('proxyData')
    const parts = view.row?.fields.map((name, i) => [name, hex(bytes.subarray(view.startOf(i), view.endOf(i)))])
    expect(parts).toEqual([
      ['target', BOB_HEX],
      ['id', ALICE_HEX],
      ['data', '00026869'],
      ['session', SESSION_HEX],
      ['seq', SEQ_HEX],
      ['ts', TS_HEX],
      ['sign', `0100${'55'.repeat(256)}`],
    ])
    expect(view.end).toBe(bytes.length)
  })

  test('does not look at extension fields, and says where they start', () => {
    const view = new MessageView()
    expect(view.parse(Uint8Array.of(...bytes, 0xff))).toBe(true)
    expect(view.end).toBe(bytes.length)
  })

  test('is of nothing when the message is not well formed', () => {
    const view = new MessageView()
    view.parse(bytes)
    expect(view.parse(bytes.subarray(0, bytes.length - 1))).toBe(false)
    expect(view.row).toBeUndefined()
    expect(view.parse(Uint8Array.of(0xb1, 0xff, 0xff))).toBe(false)
    expect(view.parse(Uint8Array.of(0xb1, 0x01))).toBe(false)
    expect(view.parse(new Uint8Array(0))).toBe(false)
  })

  test('0x123 becomes 0x124 by another op code and without its signature', () => {
    const copy = bytes.slice()
    const view = new MessageView()
    view.parse(copy)
    rewriteOp(copy, 0x124)
    const { sign: _, ...rest } = PROXY_DATA
    expect(decode(copy.subarray(0, view.startOf(6)))).toEqual(accepted({ ...rest, op_code: 0x124 }, 'binary'))
    expect(decode(copy)).toEqual(refused('extension'))
  })
})
