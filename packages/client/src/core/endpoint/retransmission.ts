/**
 * Retransmission of one message as identical bytes until it is answered, after 0.5, 1, 2 and 4 s
 * (±20 %). It is given up 4 s after the last (docs/protocol.md, Retransmission).
 */
import type { Random } from '@showchain/crypto/core'
import { type Duration, duration, type Instant, later } from './machine.ts'
import type { Timer, Timers } from './timers.ts'

/** Delays between transmissions. */
export const RETRY_DELAYS: readonly Duration[] = [500, 1000, 2000, 4000].map(duration)
/**
 * Each delay varies by up to this share, so that peers that lost packets together do not retransmit
 * together.
 */
export const RETRY_JITTER = 0.2
/**
 * Transmissions without an answer that make what they were sent to suspect: one is lost by chance,
 * two seldom.
 */
export const SUSPICIOUS_TRANSMISSIONS = 3
/** A delay with its jitter. */
export const jittered = (ms: number, random: Random): Duration =>
  duration(ms * (1 + RETRY_JITTER * (2 * random.uniform() - 1)))
/** Time after the last transmission until it is given up. */
export const FINAL_WAIT: Duration = duration(4000)

interface RetransmissionOptions {
  readonly timers: Pick<Timers, 'set'>
  readonly random: Random
  /** @param transmissions with this one */
  send(now: Instant, transmissions: number): void
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

  /** Sends now instead of later, if it has begun. */
  hurry(now: Instant): void {
    if (this.#timer === undefined || RETRY_DELAYS[this.#sent - 1] === undefined) return
    this.#timer.cancel()
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
    // The timer is set first, so that a `stop` from within `send` cancels it.
    if (delay === undefined) this.#timer = timers.set(later(now, FINAL_WAIT), (at) => this.#options.giveUp(at))
    else this.#timer = timers.set(later(now, jittered(delay, random)), (at) => this.#send(at))
    this.#options.send(now, this.#sent)
  }
}
