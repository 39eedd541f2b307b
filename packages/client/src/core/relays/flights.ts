/**
 * What leaves beside a 0x101 that shows this peer's address to the relay, by a cookie or a token: the
 * relay takes it as soon as it has verified that one (docs/protocol.md, One flight).
 *
 *   waiting ── the 0x101 leaves ──► beside it, again each time it does ──► registered, or not
 */
import type { Instant } from '../endpoint/machine.ts'

export interface Flight {
  /** The 0x101 has just left, for the first time or again. */
  leave(now: Instant): void
  /** @param why this peer is not registered; undefined: it is */
  landed(why: string | undefined, now: Instant): void
}

export class Flights {
  /** Bounded by the dials that are open. */
  #waiting: Flight[] = []
  #underWay = false

  /** Whether a 0x101 is on its way that the relay can tell whose it is. */
  get underWay(): boolean {
    return this.#underWay
  }

  add(flight: Flight, now: Instant): void {
    this.#waiting.push(flight)
    if (this.#underWay) flight.leave(now)
  }

  /** What is given up. */
  remove(flight: Flight): void {
    this.#waiting = this.#waiting.filter((each) => each !== flight)
  }

  leave(now: Instant): void {
    this.#underWay = true
    for (const flight of [...this.#waiting]) flight.leave(now)
  }

  land(why: string | undefined, now: Instant): void {
    this.#underWay = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const flight of waiting) flight.landed(why, now)
  }
}
