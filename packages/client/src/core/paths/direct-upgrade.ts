/**
 * A relayed connection tries to become direct (DCUtR's direct connection upgrade): with exponential
 * back-off, soon when something changed that may help, such as a direct path that died or another
 * address of this peer, and at once when a router lets everybody in.
 */
import type { PeerContext } from '../context/peer-context.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import { jittered } from '../endpoint/retransmission.ts'
import type { Timer } from '../endpoint/timers.ts'

/**
 * A relayed connection tries again to be direct: after this long, then twice as long each time, ±20
 * %.
 */
export const UPGRADE_FIRST: Duration = duration(16_000)
export const UPGRADE_LAST: Duration = duration(600_000)
/** A direct path that died, or an address that changed: this soon, so that both ends noticed. */
export const UPGRADE_SOON: Duration = duration(1000)

export class DirectUpgrade {
  readonly #context: PeerContext
  /** Whether a direct path is missing and allowed. */
  readonly #wanted: () => boolean
  readonly #punches = new EventQueue<'punch'>()
  #timer: Timer | undefined
  #tries = 0
  #state: 'idle' | 'waiting' | 'punching' | 'stopped' = 'idle'
  /** Punches that have not ended. */
  #running = 0
  /** There is something to say that no introduction has said, and no try was wanted so far. */
  #unsaid = false

  constructor(context: PeerContext, wanted: () => boolean) {
    this.#context = context
    this.#wanted = wanted
  }

  /** Whether a try is due as soon as it is wanted. */
  get due(): boolean {
    return this.#unsaid
  }

  /** `punch`: the owner starts one and calls `punched` when it ended. */
  poll(): 'punch' | undefined {
    return this.#punches.poll()
  }

  /** Tries when the time has come, unless that is planned already. */
  plan(now: Instant): void {
    if (this.#state !== 'idle' || !this.#wanted()) return
    const wait = Math.min(UPGRADE_FIRST * 2 ** this.#tries, UPGRADE_LAST)
    // What opens may be about to be direct by the introduction that it had.
    this.#wait(this.#unsaid ? UPGRADE_SOON : jittered(wait, this.#context.random), now)
  }

  /**
   * This end is reached where it was not before, and the other one does not know: tries at once, beside
   * a punch that is under way; or soon after a try is wanted.
   */
  announce(now: Instant): void {
    this.#tries = 0
    this.#unsaid = true
    if (this.#state === 'punching') this.#go()
    else if (this.#state !== 'stopped' && this.#wanted()) this.#wait(duration(0), now)
  }

  /** Something changed: starts over, soon. */
  soon(now: Instant): void {
    this.#tries = 0
    if (this.#state === 'idle' || this.#state === 'waiting') this.#wait(UPGRADE_SOON, now)
  }

  /** A punch ended, with a direct path or without. */
  punched(now: Instant): void {
    if (this.#state !== 'punching' || --this.#running > 0) return
    this.#state = 'idle'
    this.plan(now)
  }

  stop(): void {
    this.#state = 'stopped'
    this.#timer?.cancel()
  }

  #wait(delay: Duration, now: Instant): void {
    this.#timer?.cancel()
    this.#state = 'waiting'
    this.#timer = this.#context.timers.set(later(now, delay), () => this.#go())
  }

  #go(): void {
    const wanted = this.#wanted()
    if (this.#running === 0) this.#state = 'idle'
    this.#unsaid = this.#unsaid && !wanted
    if (!wanted) {
      this.#tries = 0
      return
    }
    this.#state = 'punching'
    this.#running++
    this.#tries++
    this.#punches.push('punch')
  }
}
