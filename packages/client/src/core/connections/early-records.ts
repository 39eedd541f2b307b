/**
 * Records that come before this end has keys: the other end has them, and its probes may be faster
 * than what goes through the relay.
 */
import type { Route } from '../endpoint/machine.ts'

/** As many as an attempt sends to one address; anybody may fill them, and costs a trip by it. */
export const MAX_EARLY_RECORDS = 8

interface EarlyRecord {
  readonly record: Uint8Array
  /** Where it came from directly, or the session of its channel frame. */
  readonly from: Route | Uint8Array
}

export class EarlyRecords {
  #records: EarlyRecord[] = []

  hold(record: Uint8Array, from: Route | Uint8Array): void {
    if (this.#records.length === MAX_EARLY_RECORDS) return
    this.#records.push({ record: record.slice(), from: from instanceof Uint8Array ? from.slice() : from })
  }

  /** Everything, in order; nothing waits afterwards. */
  take(): readonly EarlyRecord[] {
    return this.#records.splice(0)
  }
}
