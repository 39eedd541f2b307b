/**
 * Keeps one path open and notices when it is dead (the seed's section 1; docs/protocol.md,
 * Keep-alive): 0x100 after an interval in which nothing else was sent; three in a row that nothing
 * came back for mean that the path is dead.
 */
import { type Encoding, type Endpoint, OP } from '@showchain/wire'
import { type Base, send } from './base.ts'
import { type Instant, later } from './machine.ts'
import type { Timer } from './timers.ts'
import { KEEP_ALIVE_ECHO_GAP, MAX_UNANSWERED } from './timing.ts'

export class KeepAlive {
  readonly #base: Base
  readonly #to: Endpoint
  readonly #dead: (now: Instant) => void
  #timer: Timer | undefined
  #lastSent: Instant
  #lastKeepAlive: Instant | undefined
  #unanswered = 0
  /** When anything came from the other end last. */
  #lastHeard: Instant

  constructor(base: Base, to: Endpoint, now: Instant, dead: (now: Instant) => void) {
    this.#base = base
    this.#to = to
    this.#dead = dead
    this.#lastSent = now
    this.#lastHeard = now
    this.#arm()
  }

  /** Something else was sent on the path. */
  sent(now: Instant): void {
    this.#lastSent = now
  }

  /** Anything came from the other end. */
  heard(now: Instant): void {
    this.#unanswered = 0
    this.#lastHeard = now
  }

  /** A 0x100 came from the other end: answered in its encoding, unless one was sent just now. */
  echo(encoding: Encoding, now: Instant): void {
    this.heard(now)
    if (this.#lastKeepAlive === undefined || later(this.#lastKeepAlive, KEEP_ALIVE_ECHO_GAP) <= now)
      this.#send(encoding, now)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #send(encoding: Encoding, now: Instant): void {
    this.#lastKeepAlive = now
    this.#lastSent = now
    send(this.#base, this.#to, { op_code: OP.keepAlive, id: this.#base.self, seq: 0, ts: 0 }, encoding)
  }

  #arm(): void {
    this.#timer = this.#base.timers.set(later(this.#lastSent, this.#base.keepAlive), (now) => this.#due(now))
  }

  #due(now: Instant): void {
    if (later(this.#lastSent, this.#base.keepAlive) <= now) {
      if (this.#unanswered === MAX_UNANSWERED) return this.#dead(now)
      // Nobody answers more often than once per gap: one that was sent sooner says nothing.
      if (later(this.#lastHeard, KEEP_ALIVE_ECHO_GAP) <= now) this.#unanswered++
      this.#send(this.#base.encoding, now)
    }
    this.#arm()
  }
}
