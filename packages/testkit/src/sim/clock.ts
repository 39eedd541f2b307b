/**
 * Time that passes only when the test says so: from one scheduled moment to the next, in the same
 * order every time. Nothing here waits, so an hour of keep-alives takes milliseconds.
 */
import { type Duration, type Instant, instant, later, Timers } from '@showchain/client/core'
import type { Clock, Scheduled } from '@showchain/client/runtime'

/** Where the wall clock of a simulation starts: any fixed time does. */
export const SIMULATED_EPOCH: number = Date.UTC(2030, 0, 1)

/**
 * Events at one moment that only a loop makes: something schedules itself again without any delay.
 */
const STORM = 1_000_000

/** The time of a simulation: it passes when it is told to. */
export class VirtualClock implements Clock {
  /** Bounded by what the scenario sets up. */
  readonly #timers = new Timers()
  readonly #epoch: number
  #now: Instant = instant(0)
  #scheduledForNow = 0
  #stepped = 0

  constructor(epoch: number = SIMULATED_EPOCH) {
    this.#epoch = epoch
  }

  now(): Instant {
    return this.#now
  }

  unixMs(): number {
    return this.#epoch + this.#stepped + Math.floor(this.#now)
  }

  /**
   * Moves the wall clock but no deadline, as an administrator or NTP does.
   * @param by negative to move it back.
   */
  stepWallClock(by: Duration): void {
    this.#stepped += by
  }

  schedule(at: Instant, fire: () => void): Scheduled {
    if (at <= this.#now && ++this.#scheduledForNow > STORM)
      throw new Error(`More than ${STORM} events at ${this.#now} ms: something schedules itself without delay.`)
    return this.#timers.set(instant(Math.max(at, this.#now)), fire)
  }

  /**
   * Goes to the next scheduled moment and lets happen what is due then.
   * @returns false when nothing is scheduled.
   */
  step(): boolean {
    const next = this.#timers.deadline
    if (next === undefined) return false
    this.#goTo(next)
    this.#timers.wake(next)
    return true
  }

  /** Lets all that is due until then happen, and ends there. */
  runUntil(end: Instant): void {
    for (let next = this.#timers.deadline; next !== undefined && next <= end; next = this.#timers.deadline) this.step()
    this.#goTo(instant(Math.max(end, this.#now)))
  }

  /** Lets time pass; timers ring at their times. */
  advance(by: Duration): void {
    this.runUntil(later(this.#now, by))
  }

  #goTo(at: Instant): void {
    if (at > this.#now) this.#scheduledForNow = 0
    this.#now = at
  }
}
