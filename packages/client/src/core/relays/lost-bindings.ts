/**
 * Tells two hosts with one identity from a relay that restarted: such a relay forgets each peer
 * once, while two hosts take the binding from each other again and again.
 */
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'

/**
 * Bindings lost without a change of address, within this time, that mean the same id at two hosts.
 */
export const DUPLICATE_LOSSES = 3
export const DUPLICATE_WINDOW: Duration = duration(120_000)

export class LostBindings {
  /** At most DUPLICATE_LOSSES, within DUPLICATE_WINDOW. */
  #losses: readonly Instant[] = []

  /** One more was lost. @returns whether another host must have it */
  add(now: Instant): boolean {
    this.#losses = [...this.#losses.filter((at) => later(at, DUPLICATE_WINDOW) > now), now]
    if (this.#losses.length < DUPLICATE_LOSSES) return false
    this.#losses = []
    return true
  }
}
