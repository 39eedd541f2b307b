/**
 * `pnpm bench`: runs the suites one after the other and shows their tables, or compares two
 * checkouts.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { codec } from './codec.ts'
import { compare, showComparison } from './compare.ts'
import { connect } from './connect.ts'
import { type Effort, FULL_EFFORT, QUICK_EFFORT } from './effort.ts'
import type { FigureTable, Findings } from './figures.ts'
import { fleet } from './fleet.ts'
import { frames } from './frames.ts'
import { growth } from './growth.ts'
import { hostile } from './hostile.ts'
import { internet } from './internet.ts'
import { latency } from './latency.ts'
import { describeMachine, machineFacts } from './machine-facts.ts'
import { memory } from './memory.ts'
import { type BenchOptions, COMPARED, readOptions, USAGE } from './options.ts'
import { packets } from './packets.ts'
import { registrations } from './registrations.ts'
import { showTable } from './show.ts'
import { siege } from './siege.ts'
import { signatures } from './signatures.ts'
import { streams } from './streams.ts'
import { tunnels } from './tunnels.ts'

const SUITES: Readonly<Record<string, (effort: Effort) => Promise<Findings>>> = {
  codec,
  signatures,
  registrations,
  packets,
  frames,
  fleet,
  streams,
  tunnels,
  connect,
  memory,
  growth,
  latency,
  internet,
  siege,
  hostile,
}
const NAMES = Object.keys(SUITES)
const BAD_ARGUMENTS = 2

function usage(problem: string): never {
  console.error(`bench: ${problem}\n\n${USAGE(NAMES)}`)
  process.exit(BAD_ARGUMENTS)
}

function options(): BenchOptions {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    return usage((error as Error).message.split('\n')[0] ?? '')
  }
}

/** Checked first, since the figures take minutes. */
function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    usage(`cannot write ${file} (${(error as NodeJS.ErrnoException).code}).`)
  }
}

const { base, rounds, filters, json, quick, help, seconds: siegeSeconds } = options()
if (help) {
  console.log(USAGE(NAMES))
  process.exit()
}
const unknown = filters.find((filter) => !NAMES.some((name) => name.includes(filter)))
if (unknown !== undefined) usage(`there is no suite "${unknown}".`)
const suites =
  filters.length > 0
    ? NAMES.filter((name) => filters.some((filter) => name.includes(filter)))
    : base === undefined
      ? NAMES
      : COMPARED
if (json !== undefined) checkWritable(json)

const write = (content: object): void => {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(content, undefined, 2)}\n`)
}
const facts = machineFacts()
if (base === undefined) await measure()
else {
  console.log(`${describeMachine(facts)}\nThis checkout in parts of ${base}, medians of ${rounds} rounds.\n`)
  try {
    const found = await compare({ base, suites, rounds, quick })
    console.log(showComparison(found))
    write({ machine: facts, quick, base, rounds, suites: found })
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`)
    process.exitCode = 1
  }
}

async function measure(): Promise<void> {
  console.log(`${describeMachine(facts)}\nMedians, with the median deviation of the samples from them.\n`)
  const started = performance.now()
  const tables: (FigureTable & { readonly suite: string })[] = []
  const failures: string[] = []
  for (const suite of suites) {
    const effort = quick ? QUICK_EFFORT : FULL_EFFORT
    const found = await SUITES[suite]?.(siegeSeconds === undefined ? effort : { ...effort, siegeSeconds })
    for (const table of found?.tables ?? []) {
      console.log(`${showTable(table)}\n`)
      tables.push({ suite, ...table })
    }
    if (found?.failed !== undefined) failures.push(found.failed)
  }
  const seconds = (performance.now() - started) / 1000
  console.log(`${seconds.toFixed(0)} s${quick ? ', quick: the figures mean nothing' : ''}`)
  write({ machine: facts, quick, seconds, tables })
  for (const failure of failures) console.error(`bench: ${failure}`)
  process.exitCode = failures.length === 0 ? 0 : 1
}
