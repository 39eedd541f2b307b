/** Plays one pair of the matrix with many seeds, and summarises the results. */
import { type Outcome, type Pairing, play } from '@showchain/testkit'

/** The median, what 95 % of all runs are not above, and the worst case. */
export interface Spread {
  readonly median: number
  readonly p95: number
  readonly worst: number
}

export interface Row {
  readonly requester: string
  readonly target: string
  /** Whose router maps ports; undefined: nobody's. */
  readonly mapped: Pairing['mapped'] | undefined
  /** The best path that the network allows. */
  readonly best: Pairing['best']
  readonly lossPercent: number
  /** Whether the peers do without end-to-end protection. */
  readonly plaintext: boolean
  readonly runs: number
  readonly connected: number
  /** Runs that ended on a direct path. */
  readonly direct: number
  /** Runs that ended on a path over IPv6. */
  readonly ipv6: number
  /** Trips from `connect` until it resolved. */
  readonly connectTrips: Spread | undefined
  /** Trips from `connect` until the target received the requester's first byte. */
  readonly firstByteTrips: Spread | undefined
  /** Trips from `connect` until both ends used a direct path. */
  readonly directTrips: Spread | undefined
  /** The same in milliseconds of virtual time. */
  readonly directMs: Spread | undefined
  /** Datagrams that were sent until then. */
  readonly packets: Spread | undefined
}

export interface MeasureOptions {
  readonly lossPercent: number
  readonly seeds: number
  readonly plaintext: boolean
}

export async function measure(pairing: Pairing, { lossPercent, seeds, plaintext }: MeasureOptions): Promise<Row> {
  const { requester, target, mapped, best } = pairing
  const outcomes: Outcome[] = []
  for (let seed = 0; seed < seeds; seed++)
    outcomes.push(await play(pairing, seed, { plaintext, loss: lossPercent / 100 }))
  return {
    ...{ requester, target, mapped, best, lossPercent, plaintext },
    runs: seeds,
    connected: outcomes.filter(({ connected }) => connected).length,
    direct: outcomes.filter(({ direct }) => direct !== undefined).length,
    ipv6: outcomes.filter(({ family }) => family === 6).length,
    connectTrips: spread(outcomes.map(({ opened }) => opened)),
    firstByteTrips: spread(outcomes.map(({ firstByte }) => firstByte)),
    directTrips: spread(outcomes.map(({ direct }) => direct)),
    directMs: spread(outcomes.map(({ directMs }) => directMs)),
    packets: spread(outcomes.map(({ packets }) => packets)),
  }
}

function spread(values: readonly (number | undefined)[]): Spread | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] as number
  return sorted.length === 0 ? undefined : { median: at(0.5), p95: at(0.95), worst: at(1) }
}

/** Whether all runs connected, and ended on a direct path exactly where that is possible. */
export function isGood({ best, runs, connected, direct }: Row): boolean {
  if (connected < runs) return false
  return best === 'relay' ? direct === 0 : best === 'birthday' ? direct >= 0.99 * runs : direct === runs
}
