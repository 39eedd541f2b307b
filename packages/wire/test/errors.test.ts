import { describe, expect, test } from 'vitest'
import {
  ERROR_CODES,
  type ErrorCode,
  encode,
  type Message,
  parseAddress,
  parseEndpoint,
  parsePeerId,
  parseTicket,
  preimage,
  quote,
  ShowchainError,
  type SignedMessage,
} from '../src/index.ts'

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

describe('a foreign value in an error', () => {
  const FOREIGN: readonly unknown[] = [
    undefined,
    null,
    5,
    5n,
    Number.NaN,
    Symbol('s'),
    () => 1,
    [],
    { toString: [] },
    Object.create(null),
    {
      toString() {
        throw new Error('never asked')
      },
    },
  ]

  test('is shown without asking it, in one line, cut short', () => {
    for (const value of FOREIGN) expect(quote(value)).toMatch(/^[ -~]{1,82}$/)
    expect(quote('a\n\u001b[2J'.padEnd(200))).toMatch(/^"a\\n\\u001b\[2J *"$/)
    expect(quote('x'.repeat(200))).toHaveLength(82)
  })

  test.each(FOREIGN.map((value) => [typeof value, value] as const))(
    'of type %s makes a typed error',
    (_type, value) => {
      const typed = (code: ErrorCode, call: () => unknown): void =>
        expect(call).toThrow(expect.objectContaining({ code }))
      for (const message of [value, { op_code: value }, { op_code: 0x101, id: value }] as readonly Message[]) {
        typed('ERR_BAD_MESSAGE', () => encode(message, 'binary'))
        typed('ERR_BAD_MESSAGE', () => encode(message, 'json'))
        typed('ERR_BAD_MESSAGE', () => preimage(message as SignedMessage, (bytes) => bytes))
      }
      typed('ERR_BAD_PEER_ID', () => parsePeerId(value as string))
      typed('ERR_BAD_ENDPOINT', () => parseEndpoint(value as string))
      typed('ERR_BAD_ENDPOINT', () => parseAddress(value as string))
      typed('ERR_BAD_TICKET', () => parseTicket(value as string))
    },
  )
})
