/**
 * What a benchmark gives: tables of figures, each the median of several samples and how far they
 * stray from it. The machine is shared, so the median says more than the mean, and the spread says
 * how much to believe it.
 */

export type Unit = 'ns' | 'µs' | 'ms' | '/s' | 'MB/s' | 's' | 'MiB' | 'bytes' | '%'

/** One measured quantity. */
export interface Figure {
  readonly median: number
  /** Median absolute deviation from the median, in parts of it. */
  readonly spread: number
  /** The samples, in the order they were taken. */
  readonly samples: readonly number[]
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
  /** Names of rows and columns that measure code of others. */
  readonly references?: readonly string[]
  /** What a reader must know. */
  readonly notes: readonly string[]
}

/** What one suite has found; `failed` says which bound does not hold. */
export interface Findings {
  readonly tables: readonly FigureTable[]
  readonly failed?: string
}

/** @param samples at least one. */
export function figure(samples: readonly number[], unit: Unit): Figure {
  const middle = median(samples)
  const spread = middle === 0 ? 0 : median(samples.map((sample) => Math.abs(sample - middle))) / middle
  return { median: middle, spread, samples, unit }
}

/**
 * How many of something a second, and how long each took.
 * @param seconds of the samples, each `count` of it
 */
export const rateAndTime = (seconds: readonly number[], count: number, unit: 'µs' | 'ms'): readonly Figure[] => [
  figure(
    seconds.map((taken) => count / taken),
    '/s',
  ),
  figure(
    seconds.map((taken) => (taken / count) * (unit === 'µs' ? 1e6 : 1e3)),
    unit,
  ),
]

/** The value that so many of a hundred are not above. @param values at least one */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] as number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] as number)) / 2
}

/**
 * How many times `reference` the first one is. Samples are taken in turns, so each is compared with
 * its neighbour: a machine that is slow for a second is slow for both.
 */
export function times(one: Figure, reference: Figure): Cell {
  return { times: median(one.samples.map((sample, index) => sample / (reference.samples[index] as number))) }
}
