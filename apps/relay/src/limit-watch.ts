/** Says when a limit of the relay was reached, or its fleet has trouble: the first time at once, then once a minute at most. */
import { COUNTER_SENTENCES, type CounterName } from '@showchain/server/runtime'

/** What a relay counts when somebody, or all together, came to a limit. */
export const LIMIT_COUNTERS: readonly CounterName[] = [
  'rateLimited',
  'bindingRefused',
  'bindingEvicted',
  'sessionEvicted',
  'dataOverWindow',
  'verifyShed',
  'signShed',
  'websocketFull',
  'overQuota',
  'overRate',
]

/** What a relay counts when it does not believe what it hears in the name of its fleet. */
export const FLEET_COUNTERS: readonly CounterName[] = ['fleetRefused', 'fleetStale']

/** Milliseconds between two sentences about one limit. */
const QUIET = 60_000

/** Of one counter: how often it was reached since the last sentence about it. */
export interface ReachedLimit {
  readonly limit: CounterName
  readonly times: number
  readonly meaning: string
}

export class LimitWatch {
  readonly #counters: readonly CounterName[]
  readonly #told = new Map<CounterName, { readonly at: number; readonly count: number }>()

  constructor(counters: readonly CounterName[]) {
    this.#counters = counters
  }

  /** @param now milliseconds of any clock that does not step */
  reached(counters: Readonly<Record<CounterName, number>>, now: number): readonly ReachedLimit[] {
    return this.#counters.flatMap((limit) => {
      const told = this.#told.get(limit)
      const times = counters[limit] - (told?.count ?? 0)
      if (times === 0 || (told !== undefined && now - told.at < QUIET)) return []
      this.#told.set(limit, { at: now, count: counters[limit] })
      return [{ limit, times, meaning: COUNTER_SENTENCES[limit] }]
    })
  }
}
