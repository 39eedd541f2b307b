/** The outcome of a dry run for people. */
import Table from 'cli-table3'
import type { Verdict } from './check.ts'

export interface Row {
  readonly name: string
  /** By column; a package lacks the checks that do not apply to it. */
  readonly verdicts: ReadonlyMap<string, Verdict>
}

const cell = (verdict: Verdict | undefined): string => {
  if (verdict === undefined) return '–'
  return verdict.problems.length > 0 ? 'FAILED' : (verdict.figure ?? 'ok')
}

export function releaseTable(rows: readonly Row[], columns: readonly string[]): string {
  const table = new Table({
    head: ['package', ...columns],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  })
  for (const { name, verdicts } of rows) table.push([name, ...columns.map((column) => cell(verdicts.get(column)))])
  return table.toString()
}

/** One line for each problem. */
export const problemLines = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap(({ name, verdicts }) =>
    [...verdicts].flatMap(([column, { problems }]) => problems.map((problem) => `${name}, ${column}: ${problem}`)),
  )
