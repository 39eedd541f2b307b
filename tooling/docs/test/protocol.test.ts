import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { generatedNames, regenerate } from '../src/blocks.ts'
import { docs, PROTOCOL } from '../src/files.ts'

describe('generated tables', () => {
  test('docs/protocol.md has the message, field and extension tables', () => {
    const names = generatedNames(readFileSync(PROTOCOL, 'utf8'))
    expect(names).toEqual(expect.arrayContaining(['messages', 'fields', 'extensions']))
  })

  test.each(docs())('%s says what the tables of @showchain/wire say (otherwise: pnpm docs:write)', (path) => {
    const text = readFileSync(path, 'utf8')
    expect(regenerate(text)).toBe(text)
  })

  test('a block is replaced, the text around it is not', () => {
    const text = 'before\n<!-- generated:messages -->\nold\n<!-- /generated -->\nafter\n'
    const fresh = regenerate(text)
    expect(fresh.startsWith('before\n<!-- generated:messages -->\n| op |')).toBe(true)
    expect(fresh.endsWith('|\n<!-- /generated -->\nafter\n')).toBe(true)
    expect(fresh).toContain('| 0x101 | directRequest | 2 | id target seq ts sign | op_code target seq ts |')
    expect(regenerate(fresh)).toBe(fresh)
  })

  test('a block of an unknown name is an error', () => {
    expect(() => regenerate('<!-- generated:nonsense -->\n<!-- /generated -->')).toThrow('nonsense')
  })
})
