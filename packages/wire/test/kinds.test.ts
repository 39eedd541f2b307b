import { describe, expect, test } from 'vitest'
import { FIELDS, type FieldName } from '../src/index.ts'
import type { Kind } from '../src/kinds.ts'
import { ALICE, ALICE_HEX, fromHex, hex, repeat, SESSION, SESSION_HEX } from './samples.ts'

const kind = (name: FieldName): Kind<unknown> => FIELDS[name] as Kind<unknown>

/** Value ↔ binary ↔ JSON, by hand. */
const FORMS: readonly (readonly [name: FieldName, value: unknown, binary: string, json: string | number])[] = [
  ['id', ALICE, ALICE_HEX, ALICE],
  ['target', ALICE, ALICE_HEX, ALICE],
  ['session', SESSION, SESSION_HEX, SESSION],
  ['seq', 0, '0000000000000000', 0],
  ['seq', 258, '0000000000000102', 258],
  ['seq', 2 ** 32 - 1, '00000000ffffffff', 4294967295],
  ['seq', 2 ** 32, '0000000100000000', 4294967296],
  ['ts', Number.MAX_SAFE_INTEGER, '001fffffffffffff', 9007199254740991],
  ['ip', '192.0.2.1', '04c0000201', '192.0.2.1'],
  ['ip', '2001:db8::1', '0620010db8000000000000000000000001', '2001:db8::1'],
  ['ip', '::', `06${'00'.repeat(16)}`, '::'],
  ['port', 1, '0001', 1],
  ['port', 65535, 'ffff', 65535],
  ['code', 0, '0000', 0],
  ['ref_op', 0x101, '0101', 257],
  ['cookie', repeat(0xff, 1), '0001ff', '_w'],
  ['cookie', repeat(0, 64), `0040${'00'.repeat(64)}`, 'A'.repeat(86)],
  ['data', new Uint8Array(0), '0000', ''],
  ['data', fromHex('68 69'), '00026869', 'aGk'],
  ['sign', repeat(0, 256), `0100${'00'.repeat(256)}`, 'A'.repeat(342)],
  ['sign', repeat(0, 384), `0180${'00'.repeat(384)}`, 'A'.repeat(512)],
  ['sign', repeat(0, 512), `0200${'00'.repeat(512)}`, 'A'.repeat(683)],
]

describe('each kind of field', () => {
  test.each(FORMS)('%s %s has its binary and its JSON form', (name, value, binary, json) => {
    const bytes = fromHex(binary)
    expect(kind(name).measure(value)).toBe(bytes.length)
    const out = new Uint8Array(bytes.length + 2)
    expect(kind(name).write(out, 1, value)).toBe(bytes.length + 1)
    expect(hex(out)).toBe(`00${binary}00`)
    expect(kind(name).end(out, 1)).toBe(bytes.length + 1)
    expect(kind(name).read(out, 1, bytes.length + 1)).toEqual(value)
    expect(kind(name).toJson(value)).toBe(json)
    expect(kind(name).fromJson(json)).toEqual(value)
    expect(kind(name).schema.safeParse(value).success).toBe(true)
  })

  test.each(FORMS)('%s %s is refused when it is cut short anywhere', (name, _value, binary) => {
    const bytes = fromHex(binary)
    for (let length = 0; length < bytes.length; length++) expect(kind(name).end(bytes.subarray(0, length), 0)).toBe(-1)
  })

  test.each<[FieldName, string, string]>([
    ['seq', 'more than 2^53−1', '0020000000000000'],
    ['ts', 'all ones', 'ffffffffffffffff'],
    ['port', 'port 0', '0000'],
    ['ip', 'family 0', '00c0000201'],
    ['ip', 'family 5', `05${'00'.repeat(16)}`],
    ['ip', 'an IPv4-mapped address as family 6', '0600000000000000000000ffffc0000201'],
    ['cookie', 'an empty cookie', '0000'],
    ['cookie', 'a cookie of 65 bytes', `0041${'00'.repeat(65)}`],
    ['sign', 'an empty signature', '0000'],
    ['sign', 'a signature of 255 bytes', `00ff${'00'.repeat(255)}`],
    ['sign', 'a signature of 257 bytes', `0101${'00'.repeat(257)}`],
    ['data', 'data longer than any datagram', `04b1${'00'.repeat(1201)}`],
  ])('binary %s refuses %s', (name, _what, binary) => {
    expect(kind(name).end(fromHex(binary), 0)).toBe(-1)
  })

  test.each<[FieldName, unknown]>([
    ['id', 'short'],
    ['id', repeat(0x11, 32)],
    ['id', 7],
    ['session', ALICE],
    ['session', undefined],
    ['seq', -1],
    ['seq', 1.5],
    ['seq', 2 ** 53],
    ['seq', Number.NaN],
    ['seq', '7'],
    ['seq', 7n],
    ['ip', '2001:DB8::1'],
    ['ip', '::ffff:192.0.2.1'],
    ['ip', 'fe80::1%1'],
    ['ip', 3232235777],
    ['port', 0],
    ['port', 65536],
    ['code', 65536],
    ['code', -1],
    ['cookie', new Uint8Array(0)],
    ['cookie', repeat(0, 65)],
    ['cookie', 'AA'],
    ['data', [1, 2]],
    ['data', null],
    ['sign', repeat(0, 255)],
  ])('%s cannot be written with the value %s, and its schema says the same', (name, value) => {
    expect(kind(name).measure(value)).toBe(-1)
    expect(kind(name).schema.safeParse(value).success).toBe(false)
  })

  test.each<[FieldName, string | number]>([
    ['id', `${ALICE}=`],
    ['id', `${ALICE.slice(0, -1)}F`],
    ['id', 1],
    ['session', ALICE],
    ['seq', '7'],
    ['seq', -1],
    ['port', 0],
    ['port', '80'],
    ['ip', '2001:db8:0::1'],
    ['ip', '::ffff:c000:201'],
    ['ip', '::ffff:192.0.2.1'],
    ['ip', '010.0.0.1'],
    ['cookie', ''],
    ['data', 'aGl'],
    ['data', 'aGk='],
    ['data', 0],
    ['sign', ''],
    ['sign', 'A'.repeat(343)],
  ])('JSON %s refuses %s', (name, json) => {
    expect(kind(name).fromJson(json)).toBeUndefined()
  })
})
