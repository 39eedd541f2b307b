/** Lets packets leave evenly (RFC 9002 §7.7): a bucket of bytes that fills at the controller's rate. */
import { duration, type Instant, later } from '../../endpoint/machine.ts'

/** Packets that may leave in one go, after a pause too. */
const BURST_PACKETS = 10
/** What a timer of the system cannot tell apart must not cost rate. */
const BURST_MS = 5

export class Pacer {
  #tokens: number
  #at: Instant | undefined
  #burst: number

  constructor(packet: number) {
    this.#burst = BURST_PACKETS * packet
    this.#tokens = this.#burst
  }

  /** When a full packet may leave. @param packet its bytes. @param rate bytes per millisecond; undefined: at once */
  ready(packet: number, rate: number | undefined, now: Instant): Instant {
    if (rate === undefined) return now
    this.#burst = Math.max(BURST_PACKETS * packet, rate * BURST_MS)
    if (this.#at !== undefined) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * rate)
    this.#at = now
    // A byte less is none: sums of fractions would otherwise wait for nothing.
    if (this.#tokens + 1 >= packet) return now
    return later(now, duration((packet - this.#tokens) / rate))
  }

  sent(bytes: number): void {
    this.#tokens -= bytes
  }
}
