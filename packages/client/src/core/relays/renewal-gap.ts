/**
 * How often `unbound` makes a peer register again. It is not signed, so anybody who can forge the
 * relay's address may say it: each costs at most one 0x101 in a gap that doubles.
 */
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'

/** The least time between two registrations that `unbound` causes: this, then twice as long each time. */
export const REREGISTER_GAP: Duration = duration(1000)
/** No longer than this, so that a relay that did restart is not waited for. */
export const REREGISTER_GAP_LAST: Duration = duration(8000)
/** After this long without one, the gap is the first again. */
export const REREGISTER_CALM: Duration = duration(60_000)

export class RenewalGap {
  #began: Instant | undefined
  #gap: Duration = REREGISTER_GAP
  #planned: Instant | undefined

  /** A registration begins, for whichever reason. */
  began(now: Instant): void {
    this.#began = now
    this.#planned = undefined
  }

  /** When one that `unbound` causes may begin; undefined: it is planned already. */
  next(now: Instant): Instant | undefined {
    if (this.#planned !== undefined) return undefined
    const last = this.#began
    const calm = last === undefined || later(last, REREGISTER_CALM) <= now
    const at = last === undefined || calm ? now : later(last, this.#gap)
    this.#gap = calm ? REREGISTER_GAP : duration(Math.min(2 * this.#gap, REREGISTER_GAP_LAST))
    this.#planned = at
    return at
  }
}
