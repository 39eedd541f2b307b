/** Forwarded bytes of the last hour, in steps. */
import type { RelayTraffic, TrafficKind } from '@showchain/server/runtime'
import type { Status } from './status-shape.ts'

/** Seconds of a step, and how many steps are kept: an hour. */
export const HISTORY_STEP = 10
const STEPS = 360

const FORWARDED: readonly TrafficKind[] = ['channel', 'data']
const DIRECTIONS = ['in', 'out'] as const

export class History {
  #before: RelayTraffic
  #endsAt: number
  readonly #rates: Record<(typeof DIRECTIONS)[number], number[]> = { in: [], out: [] }

  /** @param unixSeconds when it begins */
  constructor(traffic: RelayTraffic, unixSeconds: number) {
    this.#before = traffic
    this.#endsAt = unixSeconds
  }

  /** A step is over. */
  step(traffic: RelayTraffic, unixSeconds: number): void {
    // The clock may have been set meanwhile; a step has its own length at least.
    const seconds = Math.max(unixSeconds - this.#endsAt, HISTORY_STEP)
    for (const direction of DIRECTIONS) {
      const bytes = FORWARDED.reduce((sum, kind) => sum + traffic[direction][kind] - this.#before[direction][kind], 0)
      const rates = this.#rates[direction]
      rates.push(bytes / seconds)
      if (rates.length > STEPS) rates.shift()
    }
    this.#before = traffic
    this.#endsAt = unixSeconds
  }

  shown(): Status['history'] {
    const { in: came, out } = this.#rates
    return { stepSeconds: HISTORY_STEP, endsAt: this.#endsAt, in: [...came], out: [...out] }
  }
}
