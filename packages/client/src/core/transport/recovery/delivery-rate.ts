/** How fast a path delivers: the rate sampler of draft-ietf-ccwg-bbr §4.1. */
import type { Instant } from '../../endpoint/machine.ts'

/**
 * A sample shorter than the shortest round trip is a burst; so much of it counts, since times are
 * fractions.
 */
const SHORTEST_SAMPLE = 0.999

/** The state of the sampler when a packet was sent. */
export interface DeliverySnapshot {
  readonly sentAt: Instant
  /** Bytes delivered by then, and when the last of them were. */
  readonly delivered: number
  readonly deliveredAt: Instant
  /** When the first packet of the flight was sent. */
  readonly firstSentAt: Instant
}

export class DeliveryRate {
  #delivered = 0
  #deliveredAt: Instant | undefined
  #firstSentAt: Instant | undefined
  /** `delivered` at which an application-limited phase is over; 0: there is none. */
  #appLimitedUntil = 0

  /** Bytes delivered on this path so far. */
  get delivered(): number {
    return this.#delivered
  }

  get appLimited(): boolean {
    return this.#appLimitedUntil > 0
  }

  deliveredAt(now: Instant): Instant {
    return this.#deliveredAt ?? now
  }

  firstSentAt(now: Instant): Instant {
    return this.#firstSentAt ?? now
  }

  /** A packet leaves while nothing is in flight: a new flight. */
  restart(now: Instant): void {
    this.#firstSentAt = now
    this.#deliveredAt = now
  }

  /** The application has less to send than the path takes. */
  limitedByApplication(bytesInFlight: number): void {
    this.#appLimitedUntil = Math.max(this.#delivered + bytesInFlight, 1)
  }

  /**
   * An acknowledgement of these bytes came.
   * @param newest of the packets that it acknowledges
   * @returns bytes per millisecond; undefined when it cannot be told
   */
  sample(bytes: number, newest: DeliverySnapshot, minRtt: number, now: Instant): number | undefined {
    this.#delivered += bytes
    this.#deliveredAt = now
    this.#firstSentAt = newest.sentAt
    if (this.#delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0
    const interval = Math.max(newest.sentAt - newest.firstSentAt, now - newest.deliveredAt)
    if (interval <= 0 || interval < minRtt * SHORTEST_SAMPLE) return undefined
    return (this.#delivered - newest.delivered) / interval
  }
}
