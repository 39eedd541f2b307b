/**
 * Times code paths with tinybench, in turns, so that a slow second of the machine is one for all of
 * them.
 */
import { Bench } from 'tinybench'
import type { Effort } from './effort.ts'
import { type Figure, figure, type Unit } from './figures.ts'

/** A code path; what it returns keeps the compiler from leaving it out. */
export type CodePath = () => unknown

const PER_MS: Readonly<Partial<Record<Unit, number>>> = { ns: 1e6, µs: 1e3 }

/** Where results go, so that making them is no dead code. */
const sink: { last: unknown } = { last: undefined }

/**
 * For what takes so little that the clock would be most of it: what is timed is a batch of calls.
 */
export function timeBatches(paths: readonly CodePath[], batch: number, unit: Unit, effort: Effort): Promise<Figure[]> {
  const batches = paths.map((path) => () => {
    for (let call = 0; call < batch; call++) sink.last = path()
  })
  return inTurns(batches, { per: batch, unit, async: false }, effort)
}

export const time = (paths: readonly CodePath[], unit: Unit, effort: Effort): Promise<Figure[]> =>
  inTurns(paths, { per: 1, unit, async: false }, effort)

/** @param per how many operations one promise is for. */
export const timePromises = (
  paths: readonly (() => Promise<unknown>)[],
  per: number,
  unit: Unit,
  effort: Effort,
): Promise<Figure[]> => inTurns(paths, { per, unit, async: true }, effort)

interface Manner {
  readonly per: number
  readonly unit: Unit
  /** Said, since finding out would leave a promise on its way into the next measurement. */
  readonly async: boolean
}

/** A sample is the median of what fits its time. */
async function inTurns(paths: readonly CodePath[], { per, unit, async }: Manner, effort: Effort): Promise<Figure[]> {
  const samples = paths.map((): number[] => [])
  for (let round = 0; round < effort.samples; round++) {
    const bench = new Bench({
      time: effort.sample,
      iterations: 1,
      warmup: round === 0,
      warmupTime: effort.warmUp,
      warmupIterations: 1,
      throws: true,
    })
    for (const [index, path] of paths.entries()) bench.add(String(index), path, { async })
    await bench.run()
    for (const [index, { result }] of bench.tasks.entries()) {
      if (result.state !== 'completed') throw new Error(`A benchmark ended as ${result.state}.`)
      samples[index]?.push((result.latency.p50 / per) * (PER_MS[unit] ?? 1))
    }
  }
  return samples.map((list) => figure(list, unit))
}
