/**
 * What a binding takes, and keep-alives among so many. In a process of its own, so that nothing
 * else is counted.
 */
import { Child } from './child.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, figure } from './figures.ts'
import type { MemoryReport, MemoryRequest } from './memory-process.ts'

/** A relay holds 100,000 bindings in less. The one bound that a run may fail by. */
const BOUND_BYTES = 2 ** 30
const MIB = 2 ** 20
/** Every peer keeps its binding alive this often, in seconds (docs/protocol.md, Keep-alive). */
const KEEP_ALIVE_SECONDS = 15

export async function memory({ bindings, samples }: Effort): Promise<Findings> {
  const child = new Child('./memory-process.js', ['--expose-gc'])
  try {
    const request: MemoryRequest = { bindings, rounds: samples }
    return memoryFindings(bindings, await child.ask<MemoryReport>(request))
  } finally {
    await child.stop()
  }
}

export function memoryFindings(bindings: number, report: MemoryReport): Findings {
  const { before, peak, filled, settled, registerSeconds, keepAlives } = report
  const keepAlive = keepAlives.map((seconds) => bindings / seconds)
  const share = keepAlives.map((seconds) => (100 * seconds) / KEEP_ALIVE_SECONDS)
  const mib = (bytes: number) => figure([bytes / MIB], 'MiB')
  const each = (bytes: number) => figure([bytes / bindings], 'bytes')
  const count = bindings.toLocaleString('en')
  const tables: FigureTable[] = [
    {
      title: `Memory of a relay with ${count} bindings`,
      columns: ['what', 'process', 'each binding'],
      rows: [
        { name: 'resident before the first', cells: [mib(before.rss), ''] },
        { name: 'resident, most', cells: [mib(peak), each(peak - before.rss)] },
        { name: 'resident, all just registered', cells: [mib(filled.rss), each(filled.rss - before.rss)] },
        { name: 'resident, answers forgotten', cells: [mib(settled.rss), each(settled.rss - before.rss)] },
        { name: 'in use, all just registered', cells: [mib(filled.used), each(filled.used - before.used)] },
        { name: 'in use, answers forgotten', cells: [mib(settled.used), each(settled.used - before.used)] },
      ],
      notes: [
        `RSA-2048 keys imported by OpenSSL, every peer at an address of its own, ${registerSeconds.toFixed(1)} s to register them all.`,
        `Resident: by the kernel (RSS). In use: heap and buffers after a collection. Bound: most below ${BOUND_BYTES / MIB} MiB.`,
      ],
    },
    {
      title: `Keep-alives among ${count} bindings, the relay machine alone on one core`,
      columns: ['what', 'keep-alives', 'of a core'],
      rows: [{ name: '0x100 in, 0x100 out', cells: [figure(keepAlive, '/s'), figure(share, '%')] }],
      notes: [`Of a core: what all of them take when each comes every ${KEEP_ALIVE_SECONDS} s.`],
    },
  ]
  if (peak < BOUND_BYTES) return { tables }
  const failed = `${count} bindings took ${Math.round(peak / MIB)} MiB; the bound is ${BOUND_BYTES / MIB} MiB.`
  return { tables, failed }
}
