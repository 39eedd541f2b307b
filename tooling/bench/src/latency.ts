/**
 * How much longer a packet is on its way because of the one in the middle, at a pace that none of them
 * is busy at.
 */
import { takeOver } from './blast.ts'
import { type Crossing, crossForwarder, crossRelay, openPairs, type SocketPair } from './crossing.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, figure, percentile, type Row, times } from './figures.ts'
import { closeAll } from './loopback.ts'
import { FORWARDER } from './middle.ts'
import { pace } from './pace.ts'

const PER_SECOND = 10_000
const BYTES = 1000
const ROUNDS = 5

/** Microseconds, in each round. */
export interface Added {
  readonly name: string
  readonly p50: readonly number[]
  readonly p99: readonly number[]
}

export async function latency({ samples, blastSeconds }: Effort): Promise<Findings> {
  const pairs = await openPairs(1)
  const [pair] = pairs as [SocketPair]
  const crossings: Crossing[] = []
  try {
    crossings.push(await crossRelay('relay, batched socket', 'batched', pairs))
    crossings.push(await crossRelay('relay, node:dgram', 'dgram', pairs))
    crossings.push(await crossForwarder(FORWARDER, pairs))
    for (const socket of [pair.from, pair.to]) takeOver(socket)
    const found = crossings.map(({ name }) => ({ name, p50: [] as number[], p99: [] as number[] }))
    const passed = (port: number, packet: Uint8Array): readonly number[] =>
      pace({ way: { ...pair, packet }, port, perSecond: PER_SECOND, seconds: blastSeconds })
    for (let round = 0; round <= Math.max(ROUNDS, samples); round++) {
      const direct = passed(pair.to.address().port, new Uint8Array(BYTES))
      for (const [index, crossing] of crossings.entries()) {
        const taken = passed(crossing.port, crossing.packet(0, BYTES))
        // The first round warms up.
        if (round === 0) continue
        found[index]?.p50.push(percentile(taken, 50) - percentile(direct, 50))
        found[index]?.p99.push(percentile(taken, 99) - percentile(direct, 99))
      }
    }
    return { tables: [latencyTable(found)] }
  } finally {
    await Promise.all(crossings.map((crossing) => crossing.stop()))
    await closeAll([pair.from, pair.to])
  }
}

/** @param found the forwarder last */
export function latencyTable(found: readonly Added[]): FigureTable {
  const reference = found.at(-1) as Added
  return {
    title: `Latency added to each of ${PER_SECOND.toLocaleString('en')} packets a second`,
    columns: ['what', 'median', 'p99'],
    rows: [
      ...found.map(({ name, p50, p99 }): Row => ({ name, cells: [figure(p50, 'µs'), figure(p99, 'µs')] })),
      ...found.slice(0, -1).map(
        ({ name, p50, p99 }): Row => ({
          name: `${name} : forwarder`,
          cells: [
            times(figure(p50, 'µs'), figure(reference.p50, 'µs')),
            times(figure(p99, 'µs'), figure(reference.p99, 'µs')),
          ],
        }),
      ),
    ],
    references: [FORWARDER],
    notes: [`Of ${BYTES} bytes, one way, less what the same packets take without anybody in the middle.`],
  }
}
