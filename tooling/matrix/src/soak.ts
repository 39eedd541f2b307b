/**
 * `pnpm soak`: thousands of random scenarios, on every processor. A seed that fails is printed with
 * the command that plays it alone: it fails again.
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { SoakOutcome } from '@showchain/testkit'
import { Command } from 'commander'

export interface SoakReport {
  readonly seed: number
  readonly outcome?: SoakOutcome
  readonly failure?: string
}

const command = new Command('soak')
  .description('Plays random scenarios on the simulated internet: random places, random faults.')
  .option('--scenarios <number>', 'how many', Number, 10_000)
  .option('--from <seed>', 'the first seed; the others count on from it (default: a random one)', Number)
  .option('--jobs <number>', 'how many at once', Number, availableParallelism())
  .showHelpAfterError()
  .parse()
const {
  scenarios,
  from = randomInt(2 ** 31),
  jobs,
} = command.opts<{ scenarios: number; from?: number; jobs: number }>()
console.log(`${scenarios} scenarios from seed ${from} on`)

/** A line of progress after so many. */
const STEP = 500
const started = performance.now()
const sum = new Map<string, number>()
const failed: SoakReport[] = []
let next = from
let done = 0

function took({ seed, outcome, failure }: SoakReport): void {
  done++
  if (failure !== undefined) {
    failed.push({ seed, failure })
    console.error(`seed ${seed}: ${failure}`)
    console.error(`  replay: pnpm soak --scenarios 1 --from ${seed}`)
  }
  for (const [name, value] of Object.entries(outcome ?? {})) sum.set(name, (sum.get(name) ?? 0) + value)
  if (done % STEP === 0) console.log(`${done} scenarios, ${failed.length} failed`)
}

await Promise.all(
  Array.from({ length: Math.min(jobs, scenarios) }, () => {
    const worker = new Worker(new URL('./soak-worker.js', import.meta.url), { stderr: true })
    return new Promise<void>((resolve, reject) => {
      const give = (): void => {
        if (next < from + scenarios) worker.postMessage(next++)
        else void worker.terminate().then(() => resolve())
      }
      worker.on('message', (report: SoakReport) => {
        took(report)
        give()
      })
      worker.on('error', reject)
      give()
    })
  }),
)
const seconds = ((performance.now() - started) / 1000).toFixed(0)
const figures = [...sum].map(([name, value]) => `${Math.round(value).toLocaleString('en')} ${name}`)
console.log(`${done} scenarios in ${seconds} s: ${figures.join(', ')}.`)
console.log(failed.length === 0 ? 'All passed.' : `Failed seeds: ${failed.map(({ seed }) => seed).join(' ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
