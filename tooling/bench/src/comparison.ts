/**
 * Two checkouts compared: their figures in pairs, as ratios of speed. Tables of one suite are
 * paired by position, because names of rows are prose that changes.
 */
import { type Figure, type FigureTable, median, type Unit } from './figures.ts'

/** Higher values are better; of every other unit lower ones are. */
const RATES: readonly Unit[] = ['/s', 'MB/s']

/** Rows from which a column has a mean. */
const MANY = 4

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

/**
 * Every figure, and for a column of many rows their geometric mean, which is less noisy than each
 * of them.
 *
 * @throws Error when the tables of the two checkouts have different shapes
 */
export function compareRounds(rounds: readonly Round[]): readonly Comparison[] {
  for (const { base, head } of rounds)
    if (shapeOf(base) !== shapeOf(head)) throw new Error('The tables of the two checkouts have different shapes.')
  const tables = rounds[0]?.head ?? []
  return tables.flatMap((table, tableIndex) => {
    const found = table.rows.flatMap(({ name, cells }, rowIndex) =>
      cells.flatMap((cell, cellIndex): Comparison[] => {
        if (typeof cell === 'string' || !('unit' in cell)) return []
        const { unit } = cell
        const medianIn = (run: Run): number => {
          const same = run[tableIndex]?.rows[rowIndex]?.cells[cellIndex] as Figure
          return same.median
        }
        const pairs = rounds.map(({ base, head }) => [medianIn(base), medianIn(head)] as const)
        const ratios = pairs.map(([base, head]) => (RATES.includes(unit) ? head / base : base / head))
        const column = table.columns[cellIndex + 1] ?? ''
        return [
          {
            ...{ table: table.title, row: name, column, unit, ratios, ratio: median(ratios) },
            base: median(pairs.map(([base]) => base)),
            head: median(pairs.map(([, head]) => head)),
            reference: [name, column].some((each) => table.references?.includes(each) === true),
          },
        ]
      }),
    )
    return [...found, ...meansOf(found)]
  })
}

/** Of each column that has at least `MANY` rows, without references. */
function meansOf(found: readonly Comparison[]): readonly Comparison[] {
  const own = found.filter(({ reference }) => !reference)
  return [...new Set(own.map(({ column }) => column))].flatMap((column) => {
    const rows = own.filter((each) => each.column === column)
    const [first] = rows
    if (first === undefined || rows.length < MANY) return []
    const ratios = first.ratios.map((_, round) => geometricMean(rows.map((row) => row.ratios[round] as number)))
    return [
      {
        ...{ ...first, row: `geometric mean of ${rows.length} rows`, ratios, ratio: median(ratios) },
        base: geometricMean(rows.map(({ base }) => base)),
        head: geometricMean(rows.map(({ head }) => head)),
      },
    ]
  })
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** Tables, rows and kinds of cells of a run, without names and values. */
const shapeOf = (run: Run): string =>
  JSON.stringify(run.map(({ rows }) => rows.map(({ cells }) => cells.map((cell) => typeof cell))))
