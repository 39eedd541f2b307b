/** The showchain program. Exit codes: see `program.ts`. */
import { ShowchainError } from '@showchain/wire'
import { CommanderError } from 'commander'
import { program } from './program.ts'
import { UndeliveredError } from './undelivered-error.ts'
import { UsageError } from './usage-error.ts'

const EXIT_CODES: Readonly<Partial<Record<ShowchainError['code'], number>>> = {
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
  ERR_CONNECT_FAILED: 3,
  ERR_NO_PATH: 3,
  ERR_TIMEOUT: 3,
}

/** Prints the error in one line; a stack only for an unexpected one, which is a bug. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError || error instanceof UndeliveredError || error instanceof ShowchainError) {
    console.error(`showchain: ${error.message}`)
    if (error instanceof ShowchainError) return EXIT_CODES[error.code] ?? 1
    return error instanceof UsageError ? 2 : 1
  }
  console.error(error)
  return 1
}

// EPIPE: the reader of stdout has gone (`… | head -1`), so end like any filter.
process.stdout.on('error', () => process.exit())
process.stderr.on('error', () => {})

try {
  await program().parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
