/**
 * Sends the last message of a handshake again until the next one arrives, each time after a longer
 * delay.
 */
import type { Random } from '@showchain/crypto/core'
import { type Instant, later } from '../endpoint/machine.ts'
import { jittered } from '../endpoint/retransmission.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import { HANDSHAKE_TIME, REPEAT_FIRST, REPEAT_GROWTH, REPEAT_LAST } from './limits.ts'

export interface HandshakeRepeatOptions {
  readonly timers: Pick<Timers, 'set'>
  readonly random: Random
  transmit(kind: number, message: Uint8Array, now: Instant): void
}

export class HandshakeRepeat {
  readonly #options: HandshakeRepeatOptions
  #timer: Timer | undefined

  constructor(options: HandshakeRepeatOptions) {
    this.#options = options
  }

  /** Sends a message, in place of the one before. */
  start(kind: number, message: Uint8Array, now: Instant): void {
    const { timers, random, transmit } = this.#options
    const until = later(now, HANDSHAKE_TIME)
    let delay: number = REPEAT_FIRST
    const send = (at: Instant): void => {
      transmit(kind, message, at)
      const due = later(at, jittered(delay, random))
      delay = Math.min(delay * REPEAT_GROWTH, REPEAT_LAST)
      if (due < until) this.#timer = timers.set(due, send)
    }
    this.stop()
    send(now)
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
