/**
 * What grows with the number of peers: the cost of a channel frame at a relay, and what a relay
 * takes. In a process of its own for each size, so that nothing else is counted.
 */
import { Child } from './child.ts'
import { connections } from './connections.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, figure, type Row, times } from './figures.ts'
import type { GrowthReport, GrowthRequest } from './growth-process.ts'

const MIB = 2 ** 20
/** Sessions that are busy, when few are. */
const BUSY = 8
/** Of a pair in one process: medians of at least five. */
const ROUNDS = 5

interface Size {
  readonly bindings: number
  readonly frames: number
  readonly report: GrowthReport
}

export async function growth(effort: Effort): Promise<Findings> {
  const { growthSizes, growthFrames, samples } = effort
  const sizes: Size[] = []
  for (const bindings of growthSizes) {
    const child = new Child('./growth-process.js', ['--expose-gc'])
    try {
      const [sessions, rounds] = [bindings / 2, Math.max(samples, ROUNDS)]
      const request: GrowthRequest = { bindings, sessions, busy: BUSY, frames: growthFrames, rounds }
      sizes.push({ bindings, frames: growthFrames, report: await child.ask<GrowthReport>(request) })
    } finally {
      await child.stop()
    }
  }
  return { tables: [framesTable(sizes), memoryTable(sizes), await connections(effort)] }
}

const count = (many: number): string => many.toLocaleString('en')

export function framesTable(sizes: readonly Size[]): FigureTable {
  const rows = sizes.map(({ bindings, frames, report: { random, few } }): Row => {
    const rate = (seconds: readonly number[]) =>
      figure(
        seconds.map((taken) => frames / taken),
        '/s',
      )
    const [atRandom, busy] = [rate(random), rate(few)]
    const cost = times(figure(random, 's'), figure(few, 's'))
    return { name: `${count(bindings)} bindings, ${count(bindings / 2)} sessions`, cells: [atRandom, busy, cost] }
  })
  return {
    title: 'Channel frames among many peers, the relay machine alone on one core',
    columns: ['what', 'sessions at random', `${BUSY} busy ones`, 'cost of a frame'],
    rows,
    notes: ['Cost: of a frame with all sessions at random, in parts of one with few busy ones.'],
  }
}

export function memoryTable(sizes: readonly Size[]): FigureTable {
  const mib = (bytes: number) => figure([bytes / MIB], 'MiB')
  return {
    title: 'Memory of a relay by its peers',
    columns: ['what', 'all registered', 'all sessions open', 'most', 'in use', 'of each binding', 'of each session'],
    rows: sizes.map(({ bindings, report: { before, bound, open, peak } }) => ({
      name: `${count(bindings)} bindings, ${count(bindings / 2)} sessions`,
      cells: [
        ...[bound.rss, open.rss, peak, open.used].map(mib),
        figure([(bound.used - before.used) / bindings], 'bytes'),
        figure([(open.used - bound.used) / (bindings / 2)], 'bytes'),
      ],
    })),
    notes: [
      'Resident by the kernel (RSS), answers forgotten; in use, and of each: heap and buffers after a collection.',
    ],
  }
}
