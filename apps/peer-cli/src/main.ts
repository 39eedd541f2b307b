/** The showchain program. Exit codes: see `program.ts`. */
import { CommanderError } from 'commander'
import { outputFor } from './output.ts'
import { program } from './program.ts'

/** Milliseconds that a reader of stdout or stderr has to take the rest. */
const FLUSH = 1000

async function run(): Promise<number> {
  try {
    await program().parseAsync()
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return outputFor({ pipe: true }).failed(error).exitCode
  }
}

// Also when its reader has gone: the exit code and the goodbyes come first.
process.stderr.on('error', () => {})
process.exitCode = await run()
// Whatever is still pending waits for a peer that is closed.
setTimeout(() => process.exit(), FLUSH).unref()
