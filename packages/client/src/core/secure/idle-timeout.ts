/**
 * Ends a connection whose remote peer is silent (RFC 9000 §10.1), whatever became of its paths. Two
 * thirds of the time-out without a genuine record, and the remote peer is asked; it has the last
 * third for its answer, to this or to anything else that asks for one. While no question can leave,
 * since every relay is lost, the last third does not begin before the first two are over.
 *
 *   heard ── silent for 2/3, or something was sent that asks for an answer ──► asked ── silent for 1/3 ──► silent
 */
import { type Duration, duration, type Instant, instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import { SUSPENDED } from './limits.ts'

export interface IdleTimeoutActions {
  /** Sends something that the remote peer answers, when there is a path. */
  ask(): void
  /** Since when this end has had a way to the remote peer; undefined: it has none. */
  reachableSince(): Instant | undefined
  /** The remote peer is gone. @param why for people */
  silent(why: string): void
}

export class IdleTimeout {
  readonly #timers: Pick<Timers, 'set'>
  readonly #third: Duration
  readonly #actions: IdleTimeoutActions
  #timer: Timer | undefined
  #heard: Instant = instant(0)
  /** When the first thing was sent that is not answered. */
  #asked: Instant | undefined

  constructor(timers: Pick<Timers, 'set'>, timeout: Duration, actions: IdleTimeoutActions) {
    this.#timers = timers
    this.#third = duration(timeout / 3)
    this.#actions = actions
  }

  start(now: Instant): void {
    this.heard(now)
    this.#arm(now)
  }

  /** A genuine record came. */
  heard(now: Instant): void {
    this.#heard = now
    this.#asked = undefined
  }

  /** A record was sent while the remote peer owes an acknowledgement. */
  asked(now: Instant): void {
    this.#asked ??= now
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** When the first two thirds are over. */
  get #idleAt(): Instant {
    return later(later(this.#heard, this.#third), this.#third)
  }

  /** When the last third began, or will: silence shows nothing while no question could leave. */
  get #lastThird(): Instant | undefined {
    if (this.#asked === undefined) return undefined
    const since = this.#actions.reachableSince() ?? this.#idleAt
    return instant(Math.max(this.#asked, Math.min(since, this.#idleAt)))
  }

  /** Not moved by each record: it looks when the earliest answer could be due. */
  #arm(now: Instant): void {
    const begun = this.#lastThird
    const due = begun === undefined ? this.#idleAt : later(begun, this.#third)
    const at = instant(Math.min(due, later(now, this.#third)))
    this.#timer?.cancel()
    this.#timer = this.#timers.set(at, (fired) => this.#look(fired, at))
  }

  #look(now: Instant, due: Instant): void {
    const suspended = later(due, SUSPENDED) <= now
    if (suspended && this.#asked !== undefined) this.#asked = now
    const begun = this.#lastThird
    if (begun !== undefined && later(begun, this.#third) <= now)
      return this.#actions.silent(`nothing came from the remote peer for ${Math.round((now - this.#heard) / 1000)} s`)
    if (begun === undefined && this.#idleAt <= now) {
      this.#asked = now
      this.#actions.ask()
    }
    this.#arm(now)
  }
}
