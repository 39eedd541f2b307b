/** Times code paths with tinybench: one after the other, warmed up, many samples each. */
import { Bench } from 'tinybench'
import type { Effort } from './effort.ts'
import type { Figure, Unit } from './figures.ts'

/** A code path; what it returns keeps the compiler from leaving it out. */
export type CodePath = () => unknown

const PER_MS: Readonly<Partial<Record<Unit, number>>> = { ns: 1e6, µs: 1e3 }
/** Fewest samples of what takes longer than its time. */
const MIN_SAMPLES = 5

/** Where results go, so that making them is no dead code. */
const sink: { last: unknown } = { last: undefined }

/** For what takes so little that the clock would be most of it: one sample is a batch of calls. */
export async function timeBatches(
  paths: readonly CodePath[],
  batch: number,
  unit: Unit,
  effort: Effort,
): Promise<Figure[]> {
  return time(
    paths.map((path) => () => {
      for (let call = 0; call < batch; call++) sink.last = path()
    }),
    batch,
    unit,
    effort,
  )
}

/**
 * For what takes longer than a few µs, and for promises.
 * @param per how many operations one call is.
 */
export async function time(paths: readonly CodePath[], per: number, unit: Unit, effort: Effort): Promise<Figure[]> {
  const bench = new Bench({
    time: effort.measure,
    warmupTime: effort.warmUp,
    iterations: MIN_SAMPLES,
    warmupIterations: 1,
    throws: true,
  })
  for (const [index, path] of paths.entries()) bench.add(String(index), path)
  await bench.run()
  return bench.tasks.map(({ result }) => {
    if (result.state !== 'completed') throw new Error(`A benchmark ended as ${result.state}.`)
    const { p50, mad, samplesCount } = result.latency
    return { median: (p50 / per) * (PER_MS[unit] ?? 1), spread: mad / p50, samples: samplesCount, unit }
  })
}
