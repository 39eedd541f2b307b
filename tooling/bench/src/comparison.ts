/**
 * Two checkouts compared: their figures in pairs, as ratios of speed. Tables of one suite are paired by
 * position, because names of rows are prose that changes.
 */
import { type Figure, type FigureTable, median, type Unit } from './figures.ts'

/** Higher values are better; of every other unit lower ones are. */
const RATES: readonly Unit[] = ['/s', 'MB/s']

/** The tables of one run of a suite. */
export type Run = readonly FigureTable[]

/** The runs of one round, taken one after the other. */
export interface Round {
  readonly base: Run
  readonly head: Run
}

export interface Comparison {
  readonly table: string
  readonly row: string
  readonly column: string
  readonly unit: Unit
  /** Medians over all rounds. */
  readonly base: number
  readonly head: number
  /** Speed of head in parts of base's, in each round; above 1 head is faster. */
  readonly ratios: readonly number[]
  /** The median of `ratios`. */
  readonly ratio: number
  /** Measures code that is in neither checkout: its ratio shows the noise of the machine. */
  readonly reference: boolean
}

/** @throws Error when the tables of the two checkouts have different shapes */
export function compareRounds(rounds: readonly Round[]): readonly Comparison[] {
  const [first] = rounds
  if (first === undefined) return []
  for (const { base, head } of rounds)
    if (shapeOf(base) !== shapeOf(head)) throw new Error('The tables of the two checkouts have different shapes.')
  return first.head.flatMap((table, tableIndex) =>
    table.rows.flatMap((row, rowIndex) =>
      row.cells.flatMap((_, cellIndex): Comparison[] => {
        const figureOf = (run: Run): Figure | undefined => {
          const cell = run[tableIndex]?.rows[rowIndex]?.cells[cellIndex]
          return typeof cell === 'object' && 'unit' in cell ? cell : undefined
        }
        const pairs = rounds.flatMap(({ base, head }) => {
          const [before, after] = [figureOf(base), figureOf(head)]
          return before === undefined || after === undefined ? [] : [{ before: before.median, after: after.median }]
        })
        const unit = figureOf(first.head)?.unit
        if (unit === undefined || pairs.length < rounds.length) return []
        const ratios = pairs.map(({ before, after }) => (RATES.includes(unit) ? after / before : before / after))
        const column = table.columns[cellIndex + 1] ?? ''
        return [
          {
            ...{ table: table.title, row: row.name, column, unit, ratios },
            base: median(pairs.map(({ before }) => before)),
            head: median(pairs.map(({ after }) => after)),
            ratio: median(ratios),
            reference: [row.name, column].some((name) => table.references?.includes(name) === true),
          },
        ]
      }),
    ),
  )
}

/** Tables, rows and cells of a run, without names and values. */
const shapeOf = (run: Run): string => JSON.stringify(run.map(({ rows }) => rows.map(({ cells }) => cells.length)))
