/**
 * Keeps one path open and detects when it is dead (the seed's section 1; docs/protocol.md,
 * Keep-alive). 0x100 is sent after an interval in which nothing was sent, since NAT mappings
 * expire, or nothing was received, since sending alone proves nothing. Three unanswered in a row
 * mean that the path is dead. A suspect path is probed at once, and more often.
 *
 *   alive ── nothing sent or heard for 15 s: 0x100 ──► three unanswered: dead
 *    ▲ │ suspect()
 *    │ ▼
 *   suspect ── 0x100 every 5 s ──► three unanswered: dead
 */
import type { Encoding } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, instant, later, type Route } from '../endpoint/machine.ts'
import { sendKeepAlive } from '../endpoint/signed-messages.ts'
import type { Timer } from '../endpoint/timers.ts'

/** NATs may drop UDP mappings after 30 s (RFC 4787 REQ-5 asks for more; not all comply). */
export const KEEP_ALIVE_INTERVAL: Duration = duration(15_000)
/** Unanswered keep-alives in a row that mean a dead path. */
export const MAX_UNANSWERED = 3
/**
 * The least time between two 0x100 to one address, so that two ends do not echo each other for
 * ever.
 */
export const KEEP_ALIVE_ECHO_GAP: Duration = duration(5000)
/** A timer that fires this late means that the host slept, and everything may have changed. */
export const SLEPT: Duration = duration(2000)

/** What keeps one path open, and tells when it is dead. */
export interface Liveness {
  /** Whether something was not answered lately. */
  readonly suspected: boolean
  /** When anything came from the other end last. */
  readonly lastHeard: Instant
  /** Something else was sent on the path. */
  sent(now: Instant): void
  /** Anything came from the other end. */
  heard(now: Instant): void
  /** Something that was sent is not answered. */
  suspect(now: Instant): void
  /** A 0x100 came: it is answered in its encoding, unless one was sent just now. */
  echo(encoding: Encoding, now: Instant): void
  stop(): void
}

export class KeepAlive implements Liveness {
  readonly #context: PeerContext
  readonly #to: Route
  readonly #dead: (now: Instant) => void
  #timer: Timer | undefined
  #lastSent: Instant
  #lastKeepAlive: Instant | undefined
  #unanswered = 0
  /** When anything came from the other end last. */
  #lastHeard: Instant
  #suspected = false

  constructor(context: PeerContext, to: Route, now: Instant, dead: (now: Instant) => void) {
    this.#context = context
    this.#to = to
    this.#dead = dead
    this.#lastSent = now
    this.#lastHeard = now
    this.#arm(now)
  }

  get suspected(): boolean {
    return this.#suspected
  }

  get lastHeard(): Instant {
    return this.#lastHeard
  }

  sent(now: Instant): void {
    this.#lastSent = now
  }

  heard(now: Instant): void {
    this.#unanswered = 0
    this.#lastHeard = now
    this.#suspected = false
  }

  suspect(now: Instant): void {
    if (this.#suspected) return
    this.#suspected = true
    this.#arm(now)
  }

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
    sendKeepAlive(this.#context, this.#context.self, this.#to, encoding)
  }

  /** When the next one is due. */
  #next(now: Instant): Instant {
    const { keepAlive } = this.#context
    const asked = this.#lastKeepAlive
    // A suspect path is probed as often as the remote peer may answer.
    if (this.#suspected) return asked === undefined ? now : later(asked, KEEP_ALIVE_ECHO_GAP)
    const listening = asked === undefined || asked < this.#lastHeard ? this.#lastHeard : asked
    return later(instant(Math.min(listening, this.#lastSent)), keepAlive)
  }

  #arm(now: Instant): void {
    this.#timer?.cancel()
    this.#timer = this.#context.timers.set(this.#next(now), (at) => this.#due(at))
  }

  #due(now: Instant): void {
    const due = this.#next(now)
    if (due <= now) {
      if (this.#unanswered === MAX_UNANSWERED) return this.#dead(now)
      // A peer answers at most once in each gap: a probe that was sent sooner proves nothing.
      if (later(this.#lastHeard, KEEP_ALIVE_ECHO_GAP) <= now) this.#unanswered++
      this.#send(this.#context.encoding, now)
      if (later(due, SLEPT) <= now) this.#suspected = true
    }
    this.#arm(now)
  }
}
