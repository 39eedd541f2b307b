/**
 * One timer that follows a deadline which moves with almost every packet: it is set again only for
 * an earlier one.
 */
import { type Instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import { GRANULARITY } from '../transport/recovery/rtt.ts'

export class DeadlineTimer {
  readonly #timers: Pick<Timers, 'set'>
  readonly #fire: (now: Instant) => void
  #timer: Timer | undefined
  #at: Instant | undefined

  /** @param fire called at the deadline, or earlier: then nothing may be due */
  constructor(timers: Pick<Timers, 'set'>, fire: (now: Instant) => void) {
    this.#timers = timers
    this.#fire = fire
  }

  arm(deadline: Instant | undefined, now: Instant): void {
    if (deadline === undefined || (this.#at !== undefined && this.#at <= deadline)) return
    this.#timer?.cancel()
    // Never at once: what is due by now is done.
    this.#at = deadline <= now ? later(now, GRANULARITY) : deadline
    this.#timer = this.#timers.set(this.#at, (at) => {
      this.#at = undefined
      this.#fire(at)
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#at = undefined
  }
}
