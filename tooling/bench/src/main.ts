/** `pnpm bench`: runs the suites one after the other, shows their tables, and writes them as JSON when told to. */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { codec } from './codec.ts'
import { type Effort, FULL_EFFORT, QUICK_EFFORT } from './effort.ts'
import type { FigureTable, Findings } from './figures.ts'
import { frames } from './frames.ts'
import { internet } from './internet.ts'
import { describeMachine, machineFacts } from './machine-facts.ts'

import { memory } from './memory.ts'
import { type BenchOptions, readOptions, USAGE } from './options.ts'
import { packets } from './packets.ts'
import { registrations } from './registrations.ts'
import { showTable } from './show.ts'
import { signatures } from './signatures.ts'
import { streams } from './streams.ts'

const SUITES: Readonly<Record<string, (effort: Effort) => Promise<Findings>>> = {
  codec,
  signatures,
  registrations,
  packets,
  frames,
  streams,
  memory,
  internet,
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

/** Before minutes are spent on what goes there. */
function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    usage(`cannot write ${file} (${(error as NodeJS.ErrnoException).code}).`)
  }
}

const { filters, json, quick, help } = options()
if (help) {
  console.log(USAGE(NAMES))
  process.exit()
}
const unknown = filters.find((filter) => !NAMES.some((name) => name.includes(filter)))
if (unknown !== undefined) usage(`there is no suite "${unknown}".`)
const chosen = NAMES.filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
if (json !== undefined) checkWritable(json)

const facts = machineFacts()
console.log(`${describeMachine(facts)}\nMedians, with the median deviation of the samples from them.\n`)
const started = performance.now()
const tables: (FigureTable & { readonly suite: string })[] = []
const failures: string[] = []
for (const suite of chosen) {
  const found = await SUITES[suite]?.(quick ? QUICK_EFFORT : FULL_EFFORT)
  for (const table of found?.tables ?? []) {
    console.log(`${showTable(table)}\n`)
    tables.push({ suite, ...table })
  }
  if (found?.failed !== undefined) failures.push(found.failed)
}
const seconds = (performance.now() - started) / 1000
console.log(`${seconds.toFixed(0)} s${quick ? ', quick: the figures mean nothing' : ''}`)
if (json !== undefined)
  writeFileSync(json, `${JSON.stringify({ machine: facts, quick, seconds, tables }, undefined, 2)}\n`)
for (const failure of failures) console.error(`bench: ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
