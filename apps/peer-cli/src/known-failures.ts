/** Failures that are no bugs: those of the program, and errors of the packages by their codes. */
import { ShowchainError } from '@showchain/wire'
import { Failure } from './failures.ts'

const EXIT_CODES: Readonly<Partial<Record<ShowchainError['code'], number>>> = {
  ERR_BAD_CODE: 2,
  ERR_BAD_CONFIG: 2,
  ERR_BAD_ENDPOINT: 2,
  ERR_BAD_PEER_ID: 2,
  ERR_BAD_TICKET: 2,
  ERR_FILE_EXISTS: 2,
  ERR_FILE_MODE: 2,
  ERR_FILE_READ: 2,
  ERR_FILE_WRITE: 2,
  ERR_KEY_REFUSED: 2,
  ERR_PASSPHRASE_NEEDED: 2,
  ERR_PASSPHRASE_WRONG: 2,
  ERR_CANNOT_RESOLVE: 3,
  ERR_CODE_EXPIRED: 3,
  ERR_CODE_SPENT: 3,
  ERR_CODE_UNKNOWN: 3,
  ERR_CODE_WRONG: 3,
  ERR_CONNECT_FAILED: 3,
  ERR_MAILBOX_BUSY: 3,
  ERR_MAILBOX_FAILED: 3,
  ERR_NO_PATH: 3,
  ERR_TIMEOUT: 3,
  ERR_TUNNEL_REFUSED: 3,
  ERR_UNKNOWN_PROTOCOL: 3,
}

/** Undefined for what is unexpected: a bug. */
export function knownFailure(error: unknown): { readonly code: string; readonly exitCode: number } | undefined {
  if (error instanceof Failure) return error
  if (error instanceof ShowchainError) return { code: error.code, exitCode: EXIT_CODES[error.code] ?? 1 }
  return undefined
}
