/**
 * `pnpm matrix`: every pair of NAT types, and topologies beyond them, on the simulated internet.
 */
import { NAT_PAIRINGS, PAIRINGS, type Pairing } from '@showchain/testkit'
import { Command, InvalidArgumentError } from 'commander'
import { isGood, measure, type Row } from './measure.ts'
import { LEGEND, matrixTable } from './show.ts'

interface Options {
  readonly json: boolean
  readonly seeds: number
  readonly loss: readonly number[]
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1 on.')
  return value
}

function losses(text: string): readonly number[] {
  const values = text.split(',').map(Number)
  if (values.some((value) => !(value >= 0 && value < 100))) throw new InvalidArgumentError('Percents, as in 0,5,20.')
  return values
}

const command = new Command('matrix')
  .description(
    'Connects every pair of NAT types and topologies on the simulated internet, and prints the path of each.',
  )
  .option('--seeds <number>', 'runs of each pair', count, 5)
  .option('--loss <percents>', 'packet loss of the public network, as in 0,5,20', losses, [0])
  .option('--json', 'one JSON object a line', false)
  .showHelpAfterError()
  .parse()
const { json, seeds, loss } = command.opts<Options>()

const rows: Row[] = []
async function add(pairings: readonly Pairing[], lossPercent: number, plaintext: boolean): Promise<void> {
  for (const pairing of pairings) {
    const row = await measure(pairing, { lossPercent, seeds, plaintext })
    rows.push(row)
    if (json) console.log(JSON.stringify({ event: 'matrix', ok: isGood(row), ...row }))
  }
}
for (const lossPercent of loss) await add(PAIRINGS, lossPercent, false)
// For comparison: peers that implement only the seed have no protection.
await add(NAT_PAIRINGS, loss[0] ?? 0, true)
if (!json) console.log(`\n${matrixTable(rows)}\n${LEGEND}`)
process.exitCode = rows.every(isGood) ? 0 : 1
