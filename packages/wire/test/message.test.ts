import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EXTENSIONS,
  encode,
  hasExtensions,
  MESSAGE_SCHEMAS,
  MESSAGES,
  type Message,
  messageSchema,
  ShowchainError,
} from '../src/index.ts'
import { anyMessage, extensionsOf, messageOf } from './arbitraries.ts'
import { ALICE, DIRECT_REQUEST, KEEP_ALIVE, repeat } from './samples.ts'

/** Whether the codec takes the message for one, whatever its size. */
function encodes(message: unknown): boolean {
  try {
    encode(message as Message, 'binary')
    return true
  } catch (error) {
    if (!(error instanceof ShowchainError)) throw error
    return error.code === 'ERR_TOO_LARGE'
  }
}
const fitsSchema = (message: unknown): boolean => messageSchema.safeParse(message).success

describe('the schemas', () => {
  test('there is one for each row', () => {
    expect([...MESSAGE_SCHEMAS.keys()]).toEqual(MESSAGES.map((row) => row.op))
  })

  test('take every message that the codec encodes', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(MESSAGE_SCHEMAS.get(message.op_code)?.safeParse(message).success).toBe(true)
        expect(fitsSchema(message)).toBe(true)
      }),
    )
  })

  test('and the codec agree about a message in which one field has any other value', () => {
    const almost = fc.constantFrom<unknown>(
      ...[
        0,
        -1,
        1,
        7.5,
        65535,
        65536,
        2 ** 53,
        Number.NaN,
        '',
        'AA',
        ALICE,
        '192.0.2.1',
        '::FFFF:1',
        null,
        undefined,
        {},
      ],
      ...[new Uint8Array(0), repeat(0, 1), repeat(0, 64), repeat(0, 65), repeat(0, 256), repeat(0, 300), [0], true],
    )
    const changed = fc
      .constantFrom(...MESSAGES)
      .chain((row) =>
        fc
          .tuple(
            messageOf(row),
            fc.constantFrom<string>('op_code', 'ext', ...row.fields),
            fc.oneof(almost, fc.anything()),
          )
          .map(([message, name, value]) => ({ ...message, [name]: value })),
      )
    fc.assert(
      fc.property(changed, (message) => {
        // the codec reads what it knows of an object; a schema also refuses names that it does not
        // know
        if (message.ext !== undefined && !hasKnownNames(message.ext)) return
        expect(fitsSchema(message)).toBe(encodes(message))
      }),
      { numRuns: runs(2000) },
    )
  })

  test('and the codec agree about extension fields of any message in any other', () => {
    const swapped = fc
      .tuple(anyMessage, fc.constantFrom(...MESSAGES).chain(extensionsOf))
      .map(([message, ext]) => ({ ...message, ext }))
    fc.assert(
      fc.property(swapped, (message) => {
        expect(fitsSchema(message)).toBe(encodes(message))
      }),
      { numRuns: runs(500) },
    )
  })

  test.each<[string, unknown]>([
    ['an unknown type twice', { unknown: [200, 200].map((type) => ({ type, value: repeat(0, 1) })) }],
    ['a known type among the unknown', { unknown: [{ type: 3, value: repeat(0, 4) }] }],
    ['a value longer than a datagram', { unknown: [{ type: 200, value: repeat(0, 1201) }] }],
    ['no local candidates', { local: [] }],
  ])('and the codec both refuse %s', (_what, ext) => {
    const message = { ...DIRECT_REQUEST, ext }
    expect([fitsSchema(message), encodes(message)]).toEqual([false, false])
  })

  test('and the codec both take unknown fields in any order', () => {
    const ext = { unknown: [201, 200].map((type) => ({ type, value: repeat(0, 1) })) }
    const message = { ...DIRECT_REQUEST, ext }
    expect([fitsSchema(message), encodes(message)]).toEqual([true, true])
  })

  test('refuse names that are not in the row', () => {
    expect(fitsSchema({ ...KEEP_ALIVE, port: 1 })).toBe(false)
    expect(fitsSchema({ ...DIRECT_REQUEST, ext: { colour: 1 } })).toBe(false)
  })

  test('refuse a peer that targets itself and a keep-alive with a seq', () => {
    expect(fitsSchema({ ...DIRECT_REQUEST, target: ALICE })).toBe(false)
    expect(fitsSchema({ ...KEEP_ALIVE, seq: 1 })).toBe(false)
  })
})

/** Whether it is an object with no names but those of extensions. */
function hasKnownNames(ext: unknown): boolean {
  return (
    typeof ext === 'object' &&
    ext !== null &&
    !Array.isArray(ext) &&
    Object.keys(ext).every((name) => name === 'unknown' || name in EXTENSIONS)
  )
}

describe('hasExtensions', () => {
  test('tells a sender that knows extensions from seed mode', () => {
    expect(hasExtensions(DIRECT_REQUEST)).toBe(false)
    expect(hasExtensions({ ...DIRECT_REQUEST, ext: { caps: 0 } })).toBe(true)
  })
})
