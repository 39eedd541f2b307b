/** The matrix as a table. */
import Table from 'cli-table3'
import { isGood, type Row, type Spread } from './measure.ts'

const both = (spread: Spread | undefined): string =>
  spread === undefined
    ? '–'
    : spread.median === spread.worst
      ? `${spread.median}`
      : `${spread.median} (${spread.worst})`

const inSeconds = (spread: Spread | undefined): Spread | undefined =>
  spread && { median: round(spread.median), p95: round(spread.p95), worst: round(spread.worst) }
const round = (ms: number): number => Math.round(ms / 100) / 10

export function matrixTable(rows: readonly Row[]): string {
  const table = new Table({
    head: [
      'from',
      'to',
      'mapped',
      'data',
      'loss',
      'connected',
      'path',
      'v6',
      'connect',
      'first byte',
      'direct',
      'after s',
      'packets',
      '',
    ],
    style: { head: [], border: [] },
    // Thirty rows read better without a line between each two.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colAligns: [
      'left',
      'left',
      'left',
      'left',
      'right',
      'right',
      'left',
      'right',
      'right',
      'right',
      'right',
      'right',
      'right',
      'left',
    ],
  })
  for (const row of rows) {
    const { requester, target, mapped, lossPercent, plaintext, runs, connected, direct, ipv6 } = row
    const { connectTrips, firstByteTrips, directTrips, directMs, packets } = row
    const path = direct === 0 ? 'relay' : direct === runs ? 'direct' : `direct ${direct}/${runs}`
    table.push([
      ...[requester, target, mapped === undefined ? '–' : mapped === 'requester' ? 'from' : 'to'],
      ...[plaintext ? 'plaintext' : 'protected', `${lossPercent} %`, `${connected}/${runs}`],
      ...[row.best === 'birthday' && direct > 0 ? `${path}, birthday` : path, ipv6 === 0 ? '–' : `${ipv6}/${runs}`],
      ...[both(connectTrips), both(firstByteTrips), both(directTrips)],
      ...[both(inSeconds(directMs)), both(packets), isGood(row) ? 'ok' : 'WRONG'],
    ])
  }
  return table.toString()
}

export const LEGEND = `A trip is the one-way trip of a packet on the public network; relayed data takes two. Median (worst case).
Mapped: the router of that end maps ports. Simulated: the real state machines, on virtual time.`
