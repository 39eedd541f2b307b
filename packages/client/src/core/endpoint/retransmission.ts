/**
 * One message, sent again as identical bytes until it is answered: 0.5, 1, 2, 4 s (±20 %) after each
 * other, given up 4 s after the last (docs/protocol.md, Retransmission).
 */
import type { Random } from '@showchain/crypto/core'
import { FINAL_WAIT, RETRY_DELAYS, RETRY_JITTER } from '../context/timing.ts'
import { duration, type Instant, later } from './machine.ts'
import type { Timer, Timers } from './timers.ts'

interface RetransmissionOptions {
  readonly timers: Timers
  readonly random: Random
  send(now: Instant): void
  giveUp(now: Instant): void
}

export class Retransmission {
  readonly #options: RetransmissionOptions
  #timer: Timer | undefined
  #sent = 0

  constructor(options: RetransmissionOptions) {
    this.#options = options
  }

  /** Sends for the first time, or starts over with other bytes. */
  start(now: Instant): void {
    this.stop()
    this.#sent = 0
    this.#send(now)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #send(now: Instant): void {
    const delay = RETRY_DELAYS[this.#sent]
    this.#sent++
    const { timers, random } = this.#options
    // The timer is set first: whoever `send` makes stop this must find it.
    if (delay === undefined) this.#timer = timers.set(later(now, FINAL_WAIT), (at) => this.#options.giveUp(at))
    else {
      const jitter = 1 + RETRY_JITTER * (2 * random.uniform() - 1)
      this.#timer = timers.set(later(now, duration(delay * jitter)), (at) => this.#send(at))
    }
    this.#options.send(now)
  }
}
