/**
 * `pnpm bench compare`: alternates runs of two checkouts, and shows how fast one is in parts of the
 * other.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Table from 'cli-table3'
import { type Checkout, checkOut, REPOSITORY, run } from './checkout.ts'
import { type Comparison, compareRounds, type Round, type Run } from './comparison.ts'
import { significant } from './show.ts'

/** Below this ratio a figure is listed as slower: what a machine without other load repeats. */
const SLOWER = 0.97

export interface CompareOptions {
  /** The revision to compare with. */
  readonly base: string
  readonly suites: readonly string[]
  readonly rounds: number
  readonly quick: boolean
}

export interface SuiteComparison {
  readonly suite: string
  readonly comparisons: readonly Comparison[]
}

/**
 * The base is checked out into a temporary folder, which is removed in the end, also on a signal.
 */
export async function compare(options: CompareOptions): Promise<readonly SuiteComparison[]> {
  console.error(`checking out, installing and building ${options.base} …`)
  const base = await checkOut(options.base)
  const interrupted = (): void => void base.remove().then(() => process.exit(1))
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, interrupted)
  try {
    return await alternate(base, options)
  } finally {
    for (const signal of signals) process.off(signal, interrupted)
    await base.remove()
  }
}

async function alternate(
  base: Checkout,
  { suites, rounds, quick }: CompareOptions,
): Promise<readonly SuiteComparison[]> {
  const found = suites.map((suite) => ({ suite, rounds: [] as Round[] }))
  for (let round = 1; round <= rounds; round++)
    for (const { suite, rounds: done } of found) {
      console.error(`round ${round} of ${rounds}: ${suite}`)
      const runOf = (checkout: string): Promise<Run> =>
        runSuite(checkout, suite, quick, join(base.path, `${suite}.json`))
      // Every other round the other way round: the first of two runs may have the warmer or the
      // colder machine.
      if (round % 2 === 1) {
        const before = await runOf(base.path)
        done.push({ base: before, head: await runOf(REPOSITORY) })
      } else {
        const after = await runOf(REPOSITORY)
        done.push({ base: await runOf(base.path), head: after })
      }
    }
  return found.map(({ suite, rounds: done }) => ({ suite, comparisons: compareRounds(done) }))
}

async function runSuite(checkout: string, suite: string, quick: boolean, file: string): Promise<Run> {
  const main = join(checkout, 'tooling/bench/dist/main.js')
  await run(process.execPath, [main, suite, '--json', file, ...(quick ? ['--quick'] : [])], checkout, 'ignore')
  const { tables } = JSON.parse(await readFile(file, 'utf8')) as { readonly tables: Run }
  return tables
}

/** A table of all ratios for each suite, and a list of those below the bound. */
export function showComparison(found: readonly SuiteComparison[]): string {
  const parts = found.map(({ suite, comparisons }) => {
    const table = new Table({
      head: [suite, 'row', 'figure', 'base', 'head', 'speed', 'range'],
      colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
      style: { head: [], border: [], compact: true },
    })
    for (const { table: title, row, column, unit, base, head, ratio, ratios, reference } of comparisons)
      table.push([
        ...[title, reference ? `${row} (reference)` : row, column, `${significant(base)} ${unit}`],
        ...[`${significant(head)} ${unit}`, `${ratio.toFixed(3)} ×`],
        `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`,
      ])
    return table.toString()
  })
  const slower = found
    .flatMap(({ comparisons }) => comparisons)
    .filter(({ ratio, reference }) => ratio < SLOWER && !reference)
  const list = slower.map(
    ({ table, row, column, ratio }) => `  ${table}: ${row}, ${column}: ${ratio.toFixed(3)} of the base`,
  )
  return [
    ...parts,
    slower.length === 0
      ? `No figure is slower than ${SLOWER} of the base.`
      : [`${slower.length} figures are slower than ${SLOWER} of the base:`, ...list].join('\n'),
  ].join('\n\n')
}
