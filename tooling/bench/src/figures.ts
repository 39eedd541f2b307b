/**
 * What a benchmark gives: tables of figures, each the median of several samples and how far they
 * stray from it. The machine is shared, so the median says more than the mean, and the spread says
 * how much to believe it.
 */

export type Unit = 'ns' | 'µs' | '/s' | 'MiB' | 'bytes' | '%'

/** One measured quantity. */
export interface Figure {
  readonly median: number
  /** Median absolute deviation from the median, in parts of it. */
  readonly spread: number
  readonly samples: number
  readonly unit: Unit
}

/** A figure, how many times something else it is, or a word. */
export type Cell = Figure | { readonly times: number } | string

export interface Row {
  readonly name: string
  readonly cells: readonly Cell[]
}

export interface FigureTable {
  readonly title: string
  /** What the rows are, then one head for each cell. */
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
  /** What must be known to read the table. */
  readonly notes: readonly string[]
}

/** What one suite has found; `failed` says which bound does not hold. */
export interface Findings {
  readonly tables: readonly FigureTable[]
  readonly failed?: string
}

export function figure(values: readonly number[], unit: Unit): Figure {
  const middle = median(values)
  const spread = middle === 0 ? 0 : median(values.map((value) => Math.abs(value - middle))) / middle
  return { median: middle, spread, samples: values.length, unit }
}

/** @param values at least one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] as number)) / 2
}

/** How many times `reference` the first one is. */
export const times = (one: Figure, reference: Figure): Cell => ({ times: one.median / reference.median })
