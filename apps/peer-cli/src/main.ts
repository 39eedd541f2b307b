/** The showchain program. Exit codes: see `program.ts`. */
import { CommanderError } from 'commander'
import { ClosedStdoutError } from './failures.ts'
import { program } from './program.ts'
import { print } from './stdio.ts'

/** Milliseconds that a reader of stdout or stderr has to take the rest. */
const FLUSH = 1000

async function run(): Promise<number> {
  let help = ''
  try {
    await program((text) => {
      help += text
    }).parseAsync()
    return 0
  } catch (error) {
    if (!(error instanceof CommanderError)) return reported(error)
    return error.exitCode === 0 ? show(help) : 2
  }
}

/** A reader that leaves, such as `head`, has read of a help what it wanted. */
async function show(help: string): Promise<number> {
  try {
    await print(help)
    return 0
  } catch (error) {
    return error instanceof ClosedStdoutError ? 0 : reported(error)
  }
}

async function reported(error: unknown): Promise<number> {
  const { outputFor } = await import('./output.ts')
  return outputFor({ pipe: true }).failed(error).exitCode
}

// Also when its reader has gone: the exit code and the goodbyes come first.
process.stderr.on('error', () => {})
process.exitCode = await run()
// Whatever is still pending waits for a peer that is closed.
setTimeout(() => process.exit(), FLUSH).unref()
