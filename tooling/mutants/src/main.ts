/** `pnpm mutants`: takes out one rule at a time and sees whether its test notices. */
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { type Mutant, testFolderOf } from './mutant.ts'
import { MUTANTS } from './rules/index.ts'
import { type Outcome, type Result, runMutants } from './run-mutants.ts'

interface Options {
  readonly list: boolean
  readonly json: boolean
  readonly jobs: number
}

/** In the order in which they are told. */
const OUTCOMES: readonly Outcome[] = ['killed', 'survived', 'hung', 'broken', 'stale']

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1 on.')
  return value
}

const command = new Command('mutants')
  .description('Takes one security rule at a time out of a copy of the code and sees whether its test fails.')
  .argument('[names...]', 'only mutants whose name contains one of these: a package, a rule')
  .option('--jobs <number>', 'mutants at a time', count, availableParallelism())
  .option('--list', 'show the rules and run nothing', false)
  .option('--json', 'one JSON object a line', false)
  .showHelpAfterError()
  .parse()
const { list, json, jobs } = command.opts<Options>()
const names = command.args
const chosen = names.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => names.some((part) => name.includes(part)))
if (chosen.length === 0) command.error(`No mutant has a name with ${names.join(' or ')} in it.`)

const started = performance.now()
if (list) for (const mutant of chosen) showRule(mutant)
else await play()

function showRule(mutant: Mutant): void {
  const { name, rule, folder, file, test } = mutant
  const tests = `${testFolderOf(mutant)}/${test}`
  if (json) console.log(JSON.stringify({ event: 'rule', name, rule, file: `${folder}/${file}`, test: tests }))
  else console.log(`${name}\n    ${rule}`)
}

function showResult({ mutant: { name, rule }, outcome, why, ms }: Result): void {
  if (json) console.log(JSON.stringify({ event: 'mutant', name, outcome, why, ms, rule }))
  else console.log(`${outcome.padEnd(8)} ${name} (${(ms / 1000).toFixed(1)} s): ${why}`)
}

async function play(): Promise<void> {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const options = { root, mutants: chosen, jobs, signal: interruption.signal, report: showResult }
  const results = await runMutants(options).catch((error: Error) => {
    console.error(interruption.signal.aborted ? 'interrupted' : error.message)
    process.exitCode = 1
  })
  if (results === undefined) return
  const counts = OUTCOMES.map(
    (outcome) => [outcome, results.filter((each) => each.outcome === outcome).length] as const,
  )
  const seconds = Math.round((performance.now() - started) / 1000)
  if (json) console.log(JSON.stringify({ event: 'mutants', ...Object.fromEntries(counts), seconds }))
  else
    console.log(
      `${results.length} mutants: ${counts.map(([outcome, number]) => `${number} ${outcome}`).join(', ')}; ${seconds} s`,
    )
  process.exitCode = results.every(({ outcome }) => outcome === 'killed') ? 0 : 1
}
