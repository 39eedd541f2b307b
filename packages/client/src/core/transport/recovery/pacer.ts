/**
 * Spreads packets over the round trip (RFC 9002 §7.7): a token bucket that fills at the
 * controller's pacing rate.
 */
import { duration, type Instant, later } from '../../endpoint/machine.ts'

/**
 * Full packets that may leave at once, after a pause too (RFC 9002 §7.7: at most the initial
 * window).
 */
const BURST_PACKETS = 10
/** A burst is at least what the rate gives in this time: timers of the system are no finer. */
const BURST_MS = 5
/** Sums of fractions come out a little low: less than a byte is not waited for. */
const ROUNDING = 1

export class Pacer {
  #tokens: number
  #filledAt: Instant | undefined
  #burst: number

  /** @param packet bytes of a full packet */
  constructor(packet: number) {
    this.#burst = BURST_PACKETS * packet
    this.#tokens = this.#burst
  }

  /**
   * When a full packet may leave.
   * @param packet bytes of a full packet
   * @param rate bytes per millisecond; undefined: not paced
   */
  readyAt(packet: number, rate: number | undefined, now: Instant): Instant {
    if (rate === undefined) return now
    this.#burst = Math.max(BURST_PACKETS * packet, rate * BURST_MS)
    if (this.#filledAt !== undefined) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * rate)
    this.#filledAt = now
    if (this.#tokens + ROUNDING >= packet) return now
    return later(now, duration((packet - this.#tokens) / rate))
  }

  sent(bytes: number): void {
    this.#tokens -= bytes
  }
}
