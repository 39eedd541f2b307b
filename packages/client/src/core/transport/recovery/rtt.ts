/** How long a round trip takes (RFC 9002 §5). Milliseconds throughout. */
import { type Duration, duration } from '../../endpoint/machine.ts'

/** Before anything is known (RFC 9002 §6.2.2). */
export const INITIAL_RTT: Duration = duration(333)
/** What a timer can tell apart (RFC 9002 §6.1.2). */
export const GRANULARITY: Duration = duration(1)

export class Rtt {
  #latest = 0
  #min = Number.POSITIVE_INFINITY
  #smoothed: number
  #variation: number
  #samples = 0

  constructor(initial: number = INITIAL_RTT) {
    this.#smoothed = initial
    this.#variation = initial / 2
  }

  /** Whether anything was measured yet. */
  get measured(): boolean {
    return this.#samples > 0
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

  /** @param ackDelay how long the other end waited before it acknowledged, as it says. @param maxAckDelay more than that it must not wait */
  update(sample: number, ackDelay: number, maxAckDelay: number): void {
    this.#latest = sample
    this.#min = Math.min(this.#min, sample)
    if (this.#samples++ === 0) {
      this.#smoothed = sample
      this.#variation = sample / 2
      return
    }
    const delay = Math.min(ackDelay, maxAckDelay)
    const adjusted = sample >= this.#min + delay ? sample - delay : sample
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - adjusted)
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * adjusted
  }

  /** How long to wait for an acknowledgement (RFC 9002 §6.2.1). */
  probeTimeout(maxAckDelay: number): number {
    return this.#smoothed + Math.max(4 * this.#variation, GRANULARITY) + maxAckDelay
  }
}
