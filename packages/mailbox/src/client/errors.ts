/** How a run that gave no ticket is told to the application. */
import { type ErrorCode, ShowchainError } from '@showchain/wire'
import type { RunFailure } from '../core/index.ts'

const FAILURES: Readonly<Record<RunFailure, readonly [code: ErrorCode, detail?: string]>> = {
  wrong: ['ERR_CODE_WRONG'],
  unknown: ['ERR_CODE_UNKNOWN'],
  full: ['ERR_MAILBOX_BUSY', 'It has too many slots.'],
  often: ['ERR_MAILBOX_BUSY', 'It was asked too often from here.'],
  expired: ['ERR_CODE_EXPIRED'],
  gone: ['ERR_CODE_SPENT'],
  malformed: ['ERR_MAILBOX_FAILED', 'What it sent, or took, is not what docs/mailbox.md has.'],
  closing: ['ERR_MAILBOX_FAILED', 'It is going.'],
}

export function failureOf(why: RunFailure): ShowchainError {
  const [code, detail] = FAILURES[why]
  return new ShowchainError(code, detail)
}
