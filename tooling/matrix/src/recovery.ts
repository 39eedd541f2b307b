/**
 * `pnpm recovery`: how long a protected connection is silent when its path dies, beside what it may
 * be.
 */
import { RECOVERY_FAULTS } from '@showchain/testkit'
import Table from 'cli-table3'
import { Command, InvalidArgumentError } from 'commander'
import { explanationTable } from './explain.ts'
import { explanations, meetsGoal, type RecoveryRow, recoveryRows } from './measure-recovery.ts'

interface Options {
  readonly json: boolean
  readonly seeds: number
  readonly only: string
  readonly explain: boolean
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1 on.')
  return value
}

function known(text: string): string {
  if (RECOVERY_FAULTS.some(({ name }) => name.includes(text))) return text
  throw new InvalidArgumentError(`The faults are: ${RECOVERY_FAULTS.map(({ name }) => name).join('; ')}.`)
}

const { json, seeds, only, explain } = new Command('recovery')
  .description('Breaks the path of protected connections on the simulated internet, and prints the longest silence.')
  .option('--seeds <number>', 'runs of each kind', count, 3)
  .option('--only <text>', 'faults whose name contains it', known, '')
  .option('--json', 'one JSON object a line', false)
  .option('--explain', 'when one run of each noticed, doubted, heard again and moved, by its recording', false)
  .showHelpAfterError()
  .parse()
  .opts<Options>()

if (explain) {
  const explained = await explanations(only)
  if (json) for (const [what, row] of explained) console.log(JSON.stringify({ event: 'explained', what, ...row }))
  else console.log(explanationTable(explained))
  process.exit()
}
const rows: RecoveryRow[] = []
for await (const row of recoveryRows(only, seeds)) {
  rows.push(row)
  if (json) console.log(JSON.stringify({ event: 'recovery', ok: meetsGoal(row), ...row }))
}
if (!json) {
  const table = new Table({
    head: ['fault', 'between', 'traffic', 'before', 'silence s', 'goal s', ''],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colAligns: ['left', 'left', 'left', 'left', 'right', 'right', 'left'],
  })
  const seconds = (ms: number): string => (ms / 1000).toFixed(1)
  for (const row of rows) {
    const { fault, pair, traffic, idle, median, worst, goal, survived, runs } = row
    const verdict = survived < runs ? `ENDED ${runs - survived}/${runs}` : meetsGoal(row) ? 'ok' : 'LATE'
    const silence = median === worst ? seconds(worst) : `${seconds(median)} (${seconds(worst)})`
    table.push([fault, pair, traffic, idle ? 'idle 10 s' : 'busy', silence, seconds(goal), verdict])
  }
  console.log(`${table.toString()}
The longest time without an arrival at an end, from when the network is whole again: median (worst case).
Lines of 20 ms. Simulated: the real state machines, on virtual time.`)
}
process.exitCode = rows.every(meetsGoal) ? 0 : 1
