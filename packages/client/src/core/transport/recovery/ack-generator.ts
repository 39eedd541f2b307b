/** Which records came, and when the other end has to be told (RFC 9000 §13.2). */
import type { FrameWriter } from '@showchain/wire/end-to-end'
import { type Instant, later } from '../../endpoint/machine.ts'
import { ACK_DELAY, ACK_EVERY, ACK_SOON, RECEIVED_RANGES } from '../limits.ts'
import type { Acks } from './path-traits.ts'
import { Ranges } from './ranges.ts'

export class AckGenerator {
  /** How this path wants them. */
  acks: Acks
  readonly #received = new Ranges(RECEIVED_RANGES)
  #largestAt: Instant | undefined
  /** Records that want an acknowledgement and got none yet. */
  #unacknowledged = 0
  #due: Instant | undefined

  constructor(acks: Acks) {
    this.acks = acks
  }

  /** When an acknowledgement has to leave. */
  get due(): Instant | undefined {
    return this.#due
  }

  /** Whether an acknowledgement would tell anything. */
  get pending(): boolean {
    return this.#unacknowledged > 0
  }

  /** A record came; each number once. */
  received(number: number, eliciting: boolean, now: Instant): void {
    const { end = 0 } = this.#received
    this.#received.add(number, number + 1)
    if (number >= end) this.#largestAt = now
    if (!eliciting) return
    this.#unacknowledged++
    const due = this.#dueFor(number === end, now)
    if (this.#due === undefined || due < this.#due) this.#due = due
  }

  #dueFor(inOrder: boolean, now: Instant): Instant {
    if (this.#unacknowledged >= ACK_EVERY) return now
    if (this.acks === 'gathered') return later(now, ACK_DELAY.gathered)
    // What is out of order, or leaves a gap, tells the other end of a loss: at once.
    return inOrder ? later(now, this.#unacknowledged < 2 ? ACK_DELAY.prompt : ACK_SOON) : now
  }

  /** Writes an ACK frame, when there is room. @returns one more than the largest number that it acknowledges */
  write(writer: FrameWriter, now: Instant): number | undefined {
    const { end } = this.#received
    if (end === undefined || this.#largestAt === undefined) return undefined
    if (!writer.ack(this.#received.descending(RECEIVED_RANGES), now - this.#largestAt)) return undefined
    this.#unacknowledged = 0
    this.#due = undefined
    return end
  }

  /** The other end knows of an acknowledgement up to here: older ranges need not be told again. */
  forget(upTo: number): void {
    const { end } = this.#received
    if (end !== undefined) this.#received.remove(0, Math.min(upTo, end - 1))
  }
}
