import { foreign, unreadable, withHostile } from '@showchain-tooling/vitest/foreign'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  ERROR_CODES,
  type ErrorCode,
  encode,
  MAX_DATAGRAM,
  type Message,
  parseAddress,
  parseEndpoint,
  parseOptions,
  parsePeerId,
  parseTicket,
  preimage,
  quote,
  ShowchainError,
  type SignedMessage,
} from '../src/index.ts'
import { anyMessage } from './arbitraries.ts'
import { PROXY_DATA } from './samples.ts'

describe('ShowchainError', () => {
  test('says the sentence of its code, then what exactly', () => {
    const error = new ShowchainError('ERR_TIMEOUT', 'The relay was silent for 4 s.')
    expect(error.message).toBe('Timed out. The relay was silent for 4 s.')
    expect(error).toMatchObject({ name: 'ShowchainError', code: 'ERR_TIMEOUT', retryable: true })
    expect(error).toBeInstanceOf(Error)
    expect(new ShowchainError('ERR_CLOSED').message).toBe('The peer, connection or stream is closed.')
  })

  test('carries its cause', () => {
    const cause = new Error('inner')
    expect(new ShowchainError('ERR_FILE_READ', undefined, { cause }).cause).toBe(cause)
    expect('cause' in new ShowchainError('ERR_FILE_READ')).toBe(false)
  })

  test.each(Object.entries(ERROR_CODES))('%s has a sentence for people that ends in a full stop', (code, row) => {
    expect(code).toMatch(/^ERR_[A-Z_]+$/)
    expect(row.sentence).toMatch(/^[A-Z].+\.$/)
    expect(new ShowchainError(code as ErrorCode).retryable).toBe(row.retryable)
  })
})

describe('the sentence of an error', () => {
  test('is one line of a terminal, whatever its detail', () => {
    const error = new ShowchainError('ERR_FILE_READ', 'a\n\u001b[2J\u202e')
    expect(error.message).toBe('The file cannot be read. a\\u{a}\\u{1b}[2J\\u{202e}')
  })
})

/**
 * At most 80 characters of six or more each when all are escaped, quotes and what says that it is
 * cut.
 */
const LONGEST_QUOTE = 80 * 9 + 3
/** Neither control characters nor anything else that a terminal obeys. */
const ONE_LINE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u

describe('a foreign value in an error', () => {
  test('is shown in one short line', () => {
    expect([undefined, null, true, 5, 5n, 10n ** 30n].map(quote)).toEqual([
      ...['undefined', 'null', 'true', '5', '5n', 'a bigint'],
    ])
    expect([Symbol('s'), () => 1, [], new Error('no')].map(quote)).toEqual([
      ...['a symbol', 'a function', 'an object', 'an object'],
    ])
    expect(quote('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`)
    expect(quote('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`)
    expect(quote('a"\n\u001b[2J\u009b\u202e')).toBe('"a\\"\\n\\u001b[2J\\u{9b}\\u{202e}"')
  })

  test('is shown without asking it', () => {
    fc.assert(
      fc.property(foreign, (given) => {
        const shown = quote(given())
        expect(shown).toMatch(ONE_LINE)
        expect(shown.length).toBeLessThanOrEqual(LONGEST_QUOTE)
      }),
      withHostile,
    )
  })

  /** A message in which one value is a foreign one, or cannot even be read. */
  const NAMES = ['op_code', 'id', 'session', 'seq', 'ip', 'data', 'sign', 'ext', 'relays', 'addresses'] as const
  const spoilt = fc.tuple(anyMessage, fc.constantFrom(...NAMES), foreign).map(([message, name, given]) => () => ({
    ...message,
    [name]: given(),
  }))
  const throwing = fc.tuple(anyMessage, fc.constantFrom(...NAMES)).map(
    ([message, name]) =>
      () =>
        unreadable({ ...message }, name),
  )
  const object = fc.oneof(foreign, spoilt, throwing)
  const OPTIONS = z.strictObject({ op_code: z.number().max(5), id: z.record(z.string(), z.int()).optional() }).partial()

  test.each([
    ['ERR_BAD_MESSAGE or ERR_TOO_LARGE', (value: unknown) => encode(value as Message, 'binary')],
    ['ERR_BAD_MESSAGE or ERR_TOO_LARGE', (value: unknown) => encode(value as Message, 'json')],
    ['ERR_BAD_MESSAGE', (value: unknown) => preimage(value as SignedMessage, () => new Uint8Array(32))],
    ['ERR_BAD_PEER_ID', (value: unknown) => parsePeerId(value as string)],
    ['ERR_BAD_ENDPOINT', (value: unknown) => parseEndpoint(value as string)],
    ['ERR_BAD_ENDPOINT', (value: unknown) => parseAddress(value as string)],
    ['ERR_BAD_TICKET', (value: unknown) => parseTicket(value as string)],
    ['ERR_BAD_CONFIG', (value: unknown) => parseOptions(OPTIONS, value, 'options')],
    ['ERR_BAD_ARGUMENT', (value: unknown) => parseOptions(OPTIONS, value, 'options', 'ERR_BAD_ARGUMENT')],
  ] as const)('makes no other error than %s', (codes, call) => {
    fc.assert(
      fc.property(object, (given) => {
        try {
          call(given())
        } catch (error) {
          // not by `toThrow`: the value itself could be what was thrown
          expect(codes.split(' or ')).toContain(error instanceof ShowchainError && error.code)
          expect((error as ShowchainError).message).toMatch(ONE_LINE)
        }
      }),
      { numRuns: runs(300), ...withHostile },
    )
  })

  test.each(['binary', 'json'] as const)('that is of its kind may be too long for a datagram in %s', (encoding) => {
    const tooLong = { ...PROXY_DATA, data: new Uint8Array(MAX_DATAGRAM) }
    expect(() => encode(tooLong, encoding)).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_LARGE', message: expect.stringMatching(ONE_LINE) }),
    )
  })

  test('may throw what throws when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const message = {
      get op_code(): never {
        throw proxy
      },
    }
    expect(() => encode(message as unknown as Message, 'binary')).toThrow(ShowchainError)
  })
})
