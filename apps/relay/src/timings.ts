/** How long things took, as histograms for Prometheus. They are fed by the relay as it runs. */
import type { RelayEvent } from '@showchain/server/runtime'
import { Histogram, type Registry } from 'prom-client'

/** From a word to a day. */
const SESSION_BUCKETS = [1, 10, 60, 600, 3600, 21_600, 86_400]
/** From a check on the loop (some 40 µs) to what its sender no longer waits for. */
const VERIFY_BUCKETS = [0.0001, 0.000_25, 0.001, 0.005, 0.02, 0.1, 0.5]

export class Timings {
  readonly #sessions: Histogram
  readonly #verifications: Histogram

  constructor(registry: Registry) {
    const registers = [registry]
    this.#sessions = new Histogram({
      name: 'showchain_relay_session_duration_seconds',
      help: 'Of sessions that carried something: from their opening until they were used last',
      buckets: SESSION_BUCKETS,
      registers,
    })
    this.#verifications = new Histogram({
      name: 'showchain_relay_verify_duration_seconds',
      help: 'Checks of signatures, with their wait for a thread',
      buckets: VERIFY_BUCKETS,
      registers,
    })
  }

  event(event: RelayEvent): void {
    if (event.type === 'sessionEnded' && event.bytes > 0) this.#sessions.observe(event.seconds)
  }

  verified(seconds: number): void {
    this.#verifications.observe(seconds)
  }
}
