/**
 * A relayed connection tries to become direct again, less and less often; at once when something changed that
 * may help: the direct path died, or this end has another address.
 */
import type { PeerContext } from '../context/peer-context.ts'
import { RETRY_JITTER, UPGRADE_FIRST, UPGRADE_LAST, UPGRADE_SOON } from '../context/timing.ts'
import { duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'

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
    this.#wait(wait * (1 + RETRY_JITTER * (2 * this.#context.random.uniform() - 1)), now)
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

  #wait(ms: number, now: Instant): void {
    this.#timer?.cancel()
    this.#state = 'waiting'
    this.#timer = this.#context.timers.set(later(now, duration(ms)), (at) => this.#go(at))
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
