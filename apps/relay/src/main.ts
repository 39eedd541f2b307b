/** The showchain-relay program. Exit codes: 0 ended as asked, 1 failed while running, 2 wrong arguments or configuration. */
import { ShowchainError } from '@showchain/wire'
import { CommanderError } from 'commander'
import { UsageError } from './config.ts'
import { program } from './program.ts'

/** Codes that mean that the one who started it has to change something. */
const USAGE_CODES: readonly string[] = [
  'ERR_BAD_CONFIG',
  'ERR_BAD_ENDPOINT',
  'ERR_FILE_EXISTS',
  'ERR_FILE_MODE',
  'ERR_FILE_READ',
  'ERR_KEY_REFUSED',
  'ERR_PASSPHRASE_NEEDED',
  'ERR_PASSPHRASE_WRONG',
]

/** One line for people and the exit code for scripts; a stack only for what is our own mistake. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError || error instanceof ShowchainError) {
    console.error(`showchain-relay: ${error.message}`)
    return error instanceof UsageError || USAGE_CODES.includes(error.code) ? 2 : 1
  }
  console.error(error)
  return 1
}

try {
  await program().parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
