/** Round-trip time of a path (RFC 9002 §5). Milliseconds throughout. */
import { type Duration, duration } from '../../endpoint/machine.ts'

/** Before the first sample (RFC 9002 §6.2.2, kInitialRtt). */
const INITIAL_RTT: Duration = duration(333)
/** What a timer can tell apart (RFC 9002 §6.1.2, kGranularity). */
export const GRANULARITY: Duration = duration(1)

export class Rtt {
  #latest = 0
  #min = Number.POSITIVE_INFINITY
  #smoothed: number = INITIAL_RTT
  #variation: number = INITIAL_RTT / 2
  #measured = false

  /** Whether there was a sample. */
  get measured(): boolean {
    return this.#measured
  }

  get latest(): number {
    return this.#latest
  }

  get min(): number {
    return this.#min
  }

  get smoothed(): number {
    return this.#smoothed
  }

  get variation(): number {
    return this.#variation
  }

  /**
   * @param ackDelay how long the remote peer delayed the acknowledgement, as it says
   * @param maxAckDelay more than that it may not delay it
   */
  update(sample: number, ackDelay: number, maxAckDelay: number): void {
    this.#latest = sample
    this.#min = Math.min(this.#min, sample)
    if (!this.#measured) {
      this.#measured = true
      this.#smoothed = sample
      this.#variation = sample / 2
      return
    }
    const delay = Math.min(ackDelay, maxAckDelay)
    const adjusted = sample >= this.#min + delay ? sample - delay : sample
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - adjusted)
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * adjusted
  }

  /** Probe timeout without backoff (RFC 9002 §6.2.1). */
  probeTimeout(maxAckDelay: number): number {
    return this.#smoothed + Math.max(4 * this.#variation, GRANULARITY) + maxAckDelay
  }
}
