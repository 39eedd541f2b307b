import { describe, expect, test } from 'vitest'
import { ERROR_CODES, type ErrorCode, ShowchainError } from '../src/index.ts'

describe('ShowchainError', () => {
  test('says the sentence of its code, then what exactly', () => {
    const error = new ShowchainError('ERR_TIMEOUT', 'The relay was silent for 4 s.')
    expect(error.message).toBe('No answer came in time. The relay was silent for 4 s.')
    expect(error).toMatchObject({ name: 'ShowchainError', code: 'ERR_TIMEOUT', retryable: true })
    expect(error).toBeInstanceOf(Error)
    expect(new ShowchainError('ERR_CLOSED').message).toBe('This has been closed.')
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
