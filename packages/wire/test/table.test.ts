import { describe, expect, test } from 'vitest'
import { CAPS, EXTENSIONS, FIELDS, MESSAGES, OP, rowOf, WIRE_ERROR } from '../src/index.ts'

/**
 * The seed's messages, copied by hand from its sections: op code, fields in order, signature list
 * behind the op code.
 */
const SEED: readonly (readonly [op: number, fields: string, signed: string | undefined])[] = [
  [0x100, 'id seq ts', undefined],
  [0x101, 'id target seq ts sign', 'target seq ts'],
  [0x102, 'id seq ts sign', 'id seq ts'],
  [0x111, 'target id seq ts sign', 'target seq ts'],
  [0x112, 'target id seq ts ip port session sign', 'target seq ts'],
  [0x113, 'target id seq ts sign', 'target id seq ts'],
  [0x114, 'id seq ts session sign', 'session seq ts'],
  [0x115, 'id seq ts ip port session sign', 'session seq ts'],
  [0x121, 'target id seq ts sign', 'target seq ts'],
  [0x122, 'session target seq ts sign', 'target session seq ts'],
  [0x123, 'target id data session seq ts sign', 'target session seq ts'],
  [0x124, 'target id data session seq ts', undefined],
  [0x125, 'session seq ts', undefined],
]

describe('the message table', () => {
  test.each(SEED)('row 0x%s has the fields and the signature list of the seed', (op, fields, signed) => {
    expect(rowOf(op)?.fields.join(' ')).toBe(fields)
    expect(rowOf(op)?.signature?.join(' ')).toBe(signed)
  })

  test('has the rows of the seed, and others only from 0x1E0 to 0x1FF', () => {
    const others = MESSAGES.filter((row) => !SEED.some(([op]) => op === row.op))
    expect(MESSAGES.length - others.length).toBe(SEED.length)
    for (const row of others) {
      expect(row.op).toBeGreaterThanOrEqual(0x1e0)
      expect(row.op).toBeLessThanOrEqual(0x1ff)
      expect(row.section).toBe('ext')
    }
  })

  test('is in ascending order of op codes, each once', () => {
    const ops = MESSAGES.map((row) => row.op)
    expect(ops).toEqual([...new Set(ops)].toSorted((a, b) => a - b))
  })

  test('names each message once, and OP finds each by its name', () => {
    expect(new Set(MESSAGES.map((row) => row.name)).size).toBe(MESSAGES.length)
    for (const row of MESSAGES) expect(OP[row.name]).toBe(row.op)
    expect(OP.directRequest).toBe(0x101)
  })

  test.each(MESSAGES.map((row) => [row.name, rowOf(row.op)] as const))('%s signs only fields that it has', (_, row) => {
    expect(row?.fields).toEqual(expect.arrayContaining([...(row?.signature ?? [])]))
    expect(row?.signature !== undefined).toBe(row?.fields.includes('sign'))
    for (const name of row?.fields ?? []) expect(Object.keys(FIELDS)).toContain(name)
  })

  test('a signature that is passed on is that of a row with the same list', () => {
    expect(rowOf(0x112)?.signedAs).toBe(0x111)
    expect(rowOf(0x115)?.signedAs).toBe(0x114)
    for (const row of MESSAGES) {
      const signedAs = rowOf(row.op)?.signedAs
      if (signedAs !== undefined) expect(rowOf(row.op)?.signature).toEqual(rowOf(signedAs)?.signature)
    }
  })

  test('the row that passes a message on knows every extension field of that message', () => {
    for (const [from, to] of [
      [0x111, 0x112],
      [0x114, 0x115],
    ] as const)
      for (const { in: ops } of Object.values(EXTENSIONS)) if (ops.includes(from)) expect(ops).toContain(to)
  })

  test('an op code that is not in the table has no row', () => {
    for (const op of [0, 0x103, 0x1ef, 0xffff, -1, 257.5]) expect(rowOf(op)).toBeUndefined()
  })
})

describe('the extension table', () => {
  test('has the types, the places and the signing of docs/protocol.md', () => {
    const rows = Object.entries(EXTENSIONS).map(([name, row]) => [
      row.type,
      name,
      row.in.map((op) => op.toString(16)).join(' '),
      row.signed,
    ])
    expect(rows).toEqual([
      [1, 'key', '101 102 111 112 113 114 115 121 122', false],
      [2, 'cookie', '101 111 112 121', true],
      [3, 'caps', '101 102 111 112 114 115 121 122', true],
      [4, 'nat', '101 111 112 114 115', true],
      [5, 'local', '101 111 112 113 114 115', false],
      [6, 'kx', '101 102 111 112 114 115 121 122', true],
      [7, 'observed', '102', true],
      [8, 'hello', '101 102 111 112 114 115', true],
      [9, 'token', '101 102', true],
      [10, 'also', '111 112 114 115', true],
      [11, 'pad', '101', true],
      [12, 'permit', '101', true],
      [13, 'modulus', '101', false],
    ])
  })

  test('capabilities are single bits, error codes are small numbers, each its own', () => {
    const bits = Object.values(CAPS)
    expect(bits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256])
    expect(Object.values(WIRE_ERROR)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })
})
