/** Which records arrived, and when they are acknowledged (RFC 9000 §13.2). */
import type { FramesRead, FrameWriter } from '@showchain/wire/end-to-end'
import { type Instant, later } from '../../endpoint/machine.ts'
import { ACK_DELAY, ACK_EVERY, ACK_SOON, RECEIVED_RANGES } from '../limits.ts'
import type { Acks } from './path-traits.ts'
import { Ranges } from './ranges.ts'

export class AckGenerator {
  /** How the path of the moment wants acknowledgements. */
  acks: Acks
  readonly #received = new Ranges(RECEIVED_RANGES)
  #largestReceivedAt: Instant | undefined
  /** Ack-eliciting records since the last ACK frame. */
  #unacknowledged = 0
  /** Whether anything came but probes of paths. */
  #begun = false
  #due: Instant | undefined

  constructor(acks: Acks) {
    this.acks = acks
  }

  /** When an ACK frame has to leave. */
  get due(): Instant | undefined {
    return this.#due
  }

  /** Whether an ACK frame would tell anything. */
  get pending(): boolean {
    return this.#unacknowledged > 0
  }

  /** A record arrived; each number once. */
  received(number: number, reading: Exclude<FramesRead, 'violation'>, now: Instant): void {
    const { end } = this.#received
    this.#received.add(number, number + 1)
    if (number >= (end ?? 0)) this.#largestReceivedAt = now
    const first = !this.#begun
    this.#begun ||= reading !== 'probing'
    if (reading !== 'ack-eliciting') return
    this.#unacknowledged++
    const due = this.#dueFor(number, first ? undefined : end, now)
    if (this.#due === undefined || due < this.#due) this.#due = due
  }

  /** @param end one more than the highest number before this one; undefined: only probes came */
  #dueFor(number: number, end: number | undefined, now: Instant): Instant {
    if (this.#unacknowledged >= ACK_EVERY) return now
    if (this.acks === 'gathered') return later(now, ACK_DELAY.gathered)
    // The first one of all ends the handshake, and gives the remote peer its first round trip: only
    // those that came with it are waited for.
    if (end === undefined) return later(now, ACK_SOON)
    // A gap, or a record that fills one, tells the remote peer of loss or reordering: at once (RFC
    // 9000 §13.2.1).
    return number === end ? later(now, this.#unacknowledged < 2 ? ACK_DELAY.prompt : ACK_SOON) : now
  }

  /**
   * Writes an ACK frame, if it fits.
   * @returns one more than the largest number that it acknowledges
   */
  write(writer: FrameWriter, now: Instant): number | undefined {
    const { end } = this.#received
    if (end === undefined || this.#largestReceivedAt === undefined) return undefined
    if (!writer.ack(this.#received.descending(RECEIVED_RANGES), now - this.#largestReceivedAt)) return undefined
    this.#unacknowledged = 0
    this.#due = undefined
    return end
  }

  /**
   * An ACK frame for numbers below this one was acknowledged: they are not reported again (RFC 9000
   * §13.2.4).
   */
  forget(upTo: number): void {
    const { end } = this.#received
    if (end !== undefined) this.#received.remove(0, Math.min(upTo, end - 1))
  }
}
