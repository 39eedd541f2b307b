/**
 * A relayed connection tries to become direct again, less and less often; at once when something changed that
 * may help: the direct path died, or this end has another address.
 */

import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import { jittered } from '../endpoint/retransmission.ts'
import type { Timer } from '../endpoint/timers.ts'

/** A relayed connection tries again to be direct: after this long, then twice as long each time, ±20 %. */
export const UPGRADE_FIRST: Duration = duration(16_000)
export const UPGRADE_LAST: Duration = duration(600_000)
/** A direct path that died, or an address that changed: this soon, so that both ends noticed. */
export const UPGRADE_SOON: Duration = duration(1000)

export interface DirectUpgradeOptions {
  /** Whether a direct path is missing and allowed. */
  wanted(): boolean
  /** Punches once; @param done is called when that ended, well or not. */
  punch(done: (now: Instant) => void, now: Instant): void
}

export class DirectUpgrade {
  readonly #context: PeerContext
  readonly #options: DirectUpgradeOptions
  #timer: Timer | undefined
  #tries = 0
  #state: 'idle' | 'waiting' | 'punching' | 'stopped' = 'idle'

  constructor(context: PeerContext, options: DirectUpgradeOptions) {
    this.#context = context
    this.#options = options
  }

  /** Tries when the time has come, unless that is planned already. */
  plan(now: Instant): void {
    if (this.#state !== 'idle' || !this.#options.wanted()) return
    const wait = Math.min(UPGRADE_FIRST * 2 ** this.#tries, UPGRADE_LAST)
    this.#wait(jittered(wait, this.#context.random), now)
  }

  /** Something changed: starts over, soon. */
  soon(now: Instant): void {
    this.#tries = 0
    if (this.#state === 'idle' || this.#state === 'waiting') this.#wait(UPGRADE_SOON, now)
  }

  stop(): void {
    this.#state = 'stopped'
    this.#timer?.cancel()
  }

  #wait(delay: Duration, now: Instant): void {
    this.#timer?.cancel()
    this.#state = 'waiting'
    this.#timer = this.#context.timers.set(later(now, delay), (at) => this.#go(at))
  }

  #go(now: Instant): void {
    this.#state = 'idle'
    if (!this.#options.wanted()) {
      this.#tries = 0
      return
    }
    this.#state = 'punching'
    this.#tries++
    this.#options.punch((at) => {
      if (this.#state !== 'punching') return
      this.#state = 'idle'
      this.plan(at)
    }, now)
  }
}
