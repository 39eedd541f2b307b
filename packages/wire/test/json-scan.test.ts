import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scanObject } from '../src/json-scan.ts'
import { ascii } from './samples.ts'

const scan = (text: string): object | undefined => {
  const members = scanObject(ascii(text))
  return members === undefined ? undefined : Object.fromEntries(members)
}

/** What `JSON.parse` makes of a text that is an object, and undefined for any other. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** How the scanner tells a value of `JSON.parse`, as far as that can see. */
const told = (value: unknown): unknown =>
  typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) ? value : null

describe('the scanner', () => {
  test('resolves every escape', () => {
    expect(scan('{"a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00":"\\u0000\\ud800x\\\\"}')).toEqual({
      'a"\\/\b\f\n\r\té😀': '\0\ud800x\\',
    })
  })

  test.each(['\\x41', '\\u12', '\\u12G4', '\\U0041', '\\', '\\a', '\\\\\\', '\t', '\n', '\0'])(
    'refuses the string "%s"',
    (inside) => {
      expect(scan(`{"a":"${inside}"}`)).toBeUndefined()
      expect(scan(`{"${inside}":1}`)).toBeUndefined()
    },
  )

  test('keeps U+FFFD where the sender wrote it, and refuses bytes that would become it', () => {
    expect(scan('{"a":"\ufffd"}')).toEqual({ a: '\ufffd' })
    const text = ascii('{"a":"x\ufffd"}')
    text[6] = 0xff
    expect(scanObject(text)).toBeUndefined()
    expect(scanObject(Uint8Array.of(...ascii('{"a":"'), 0xed, 0xa0, 0x80, ...ascii('"}')))).toBeUndefined()
  })

  test('agrees with JSON.parse about any JSON', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.constantFrom('', ' ', '\t'),
        (value, space) => {
          const text = JSON.stringify(value, undefined, space)
          const expected = Object.fromEntries(
            Object.entries(parsed(text) as object).map(([name, each]) => [name, told(each)]),
          )
          // JSON.stringify writes −0 as 0 and large numbers as integers: told() sees the same
          expect(scan(text)).toEqual(expected)
        },
      ),
      { numRuns: runs(500) },
    )
  })

  test('agrees with JSON.parse about what is JSON at all, names that occur twice aside', () => {
    const tokens = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '"a"',
        '"b"',
        '"a":',
        '"b":1',
        '\\',
        '\\"',
        '\\u0041',
        ' ',
        '\n',
        '\t',
        '\v',
        '\ufeff',
      ],
      ...[
        '0',
        '1',
        '-',
        '-0',
        '01',
        '1.5',
        '1.',
        '.5',
        '1e3',
        '1e',
        '+1',
        'true',
        'false',
        'null',
        'nul',
        'NaN',
        '"\\n"',
        '"\n"',
      ],
    )
    const broken = fc.array(tokens, { maxLength: 12 }).map((parts) => `{"x":${parts.join('')}}`)
    const mutated = fc
      .tuple(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 2 })), fc.nat(), fc.nat(3), tokens)
      .map(([value, at, cut, token]) => {
        const text = JSON.stringify(value)
        const position = at % text.length
        return text.slice(0, position) + token + text.slice(position + cut)
      })
    fc.assert(
      fc.property(fc.oneof(broken, mutated), (text) => {
        const scanned = scan(text)
        if (scanned !== undefined) expect(parsed(text)).toBeDefined()
        else if (parsed(text) !== undefined) expect(hasNameTwice(text)).toBe(true)
      }),
      { numRuns: runs(5000) },
    )
  })
})

/** For texts whose names are single letters: whether one occurs twice in the outer object. */
function hasNameTwice(text: string): boolean {
  const names: string[] = []
  let depth = 0
  const parts = text.match(/"(?:[^"\\]|\\.)*"|./gs) ?? []
  const tokens = parts.filter((part) => part.trim() !== '')
  for (const [index, token] of tokens.entries()) {
    if (token === '{' || token === '[') depth++
    if (token === '}' || token === ']') depth--
    if (token === ':' && depth === 1) names.push(JSON.parse(tokens[index - 1] as string) as string)
  }
  return new Set(names).size < names.length
}
