/**
 * Notices that a remote peer which sent without a pause has fallen silent. An end that only receives
 * has nothing unanswered by which a dead path would show, so it asks once.
 */
import { type Duration, duration, type Instant, later } from '../../endpoint/machine.ts'

/** So many records that ask for an acknowledgement, each within LULL of the one before, … */
export const BUSY_RECORDS = 16
/** … and then none for this long. */
export const LULL: Duration = duration(500)

export class Lull {
  #heardAt: Instant | undefined
  #run = 0

  /** A record came that asks for an acknowledgement. */
  received(now: Instant): void {
    const goesOn = this.#heardAt !== undefined && later(this.#heardAt, LULL) > now
    this.#run = goesOn ? this.#run + 1 : 1
    this.#heardAt = now
  }

  /** When to ask; undefined: not now. */
  get due(): Instant | undefined {
    return this.#heardAt === undefined || this.#run < BUSY_RECORDS ? undefined : later(this.#heardAt, LULL)
  }

  /** Whether it is time to ask; then it is done. */
  ask(now: Instant): boolean {
    const { due } = this
    if (due === undefined || due > now) return false
    this.#run = 0
    return true
  }
}
