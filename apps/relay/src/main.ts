/** The showchain-relay program. Exit codes: see `program.ts`. */
import { limitGarbage } from '@showchain/server/runtime'
import { ShowchainError } from '@showchain/wire'
import { CommanderError } from 'commander'
import { UsageError } from './config.ts'
import { program } from './program.ts'

/** Prints the error in one line; a stack only for an unexpected one, which is a bug. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError || error instanceof ShowchainError) {
    console.error(`showchain-relay: ${error.message}`)
    return error instanceof UsageError || error.code === 'ERR_BAD_CONFIG' ? 2 : 1
  }
  console.error(error)
  return 1
}

// EPIPE: the reader of stdout or stderr has gone. A relay goes on, and of --help it has read what it wanted.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
limitGarbage()
try {
  await program().parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
