/** What a peer that was let in can make the other end compute and keep, for what it sends. */
import { Child } from './child.ts'
import type { Effort } from './effort.ts'
import { type Findings, figure, type Row } from './figures.ts'
import { ATTACKS, HONEST } from './hostile-attacks.ts'
import type { HostileReport, HostileRequest } from './hostile-process.ts'

const MIB = 2 ** 20

export async function hostile({ hostileBytes: bytes }: Effort): Promise<Findings> {
  const child = new Child('./hostile-process.js', ['--expose-gc'])
  const play = (attack: string): Promise<HostileReport> =>
    child.ask<HostileReport>({ attack, bytes } satisfies HostileRequest)
  const reports: (readonly [name: string, report: HostileReport])[] = []
  try {
    await play(HONEST)
    for (const { name } of ATTACKS) reports.push([name, await play(name)])
  } finally {
    await child.stop()
  }
  const honest = reports.find(([name]) => name === HONEST)?.[1] as HostileReport
  return {
    tables: [
      {
        title: 'A peer that was let in, and what it costs',
        columns: ['it sends', 'sent', 'CPU a MiB', 'times', 'CPU a datagram', 'kept', 'sent back', 'ended'],
        rows: reports.map(([name, report]) => ({ name, cells: cellsOf(report, honest) })),
        notes: [
          'CPU: of the peer that is attacked, its application and the simulation of time. Times: that of the honest stream.',
          'Kept: heap and buffers after a collection, at most, beyond those before. Sent back: in percent of what came.',
        ],
      },
    ],
  }
}

const perMib = ({ cpuMs, bytes }: HostileReport): number => cpuMs / (bytes / MIB)

function cellsOf(report: HostileReport, honest: HostileReport): Row['cells'] {
  const { datagrams, bytes, cpuMs, kept, answered, ended } = report
  return [
    figure([bytes / MIB], 'MiB'),
    figure([perMib(report)], 'ms'),
    { times: perMib(report) / perMib(honest) },
    figure([(1000 * cpuMs) / datagrams], 'µs'),
    figure([Math.max(0, kept) / MIB], 'MiB'),
    figure([(100 * answered) / bytes], '%'),
    ended === undefined ? '' : 'yes',
  ]
}
