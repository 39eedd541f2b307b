/**
 * `npm start`: every section of the protocol between real processes. `--json`: the same as NDJSON.
 */
import { parseArgs } from 'node:util'
import { Demo } from './demo.ts'
import { showFor } from './show.ts'

/** Far above the usual duration, in case the demo hangs. */
const TIME_LIMIT_MS = 60_000
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

function readArguments(): { readonly json: boolean } {
  try {
    const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
    return values
  } catch (error) {
    console.error(`demo: ${(error as Error).message.split('\n')[0]} The only option is --json.`)
    process.exit(2)
  }
}

const { json } = readArguments()
const demo = new Demo(showFor(json))

async function stop(exitCode: number): Promise<void> {
  await demo.end()
  process.exit(exitCode)
}
for (const [signal, exitCode] of Object.entries(EXIT_CODES)) process.once(signal, () => void stop(exitCode))
// EPIPE: the reader of stdout has gone (`… | head`).
process.stdout.once('error', () => void stop(0)).on('error', () => {})
const limit = setTimeout(() => {
  console.error(`demo: timed out after ${TIME_LIMIT_MS / 1000} s`)
  void stop(1)
}, TIME_LIMIT_MS)
const ok = await demo.run()
clearTimeout(limit)
process.exitCode = ok ? 0 : 1
