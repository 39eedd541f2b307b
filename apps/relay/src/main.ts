/** The showchain-relay program. Exit codes: see `program.ts`. */
import cluster from 'node:cluster'
import { limitGarbage } from '@showchain/server/runtime'
import { ShowchainError } from '@showchain/wire'
import { CommanderError } from 'commander'
import { UsageError } from './config.ts'
import { program } from './program.ts'
import { WORKER_ARGUMENT, WorkerFailed } from './workers/worker-program.ts'

/** Prints the error in one line; a stack only for an unexpected one, which is a bug. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  // It has printed why.
  if (error instanceof WorkerFailed) return error.exitCode
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
  if (cluster.isWorker && process.argv[2] === WORKER_ARGUMENT) await (await import('./workers/worker.ts')).work()
  else await program().parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
  // Its channel to the primary would keep it, and the primary waits for it.
  if (cluster.isWorker) process.exit()
}
