/** Flow control of a connection: the bytes of all streams together (RFC 9000 §4.1). */
import type { Instant } from '../../endpoint/machine.ts'
import { CONNECTION_WINDOW, MAX_CONNECTION_WINDOW, UNREAD_ALLOWANCE } from '../limits.ts'

/** A receive window grows when it is used up within so many round trips. */
const AUTO_TUNING_ROUNDS = 2

/**
 * Auto-tuning of receive windows: an update within two round trips of the previous one means that
 * the window limits the sender, so it is doubled.
 */
export function isWindowLimited(limited: { raisedAt: Instant | undefined }, rtt: number, now: Instant): boolean {
  const { raisedAt } = limited
  limited.raisedAt = now
  return raisedAt !== undefined && now - raisedAt < AUTO_TUNING_ROUNDS * rtt
}

export class ConnectionFlow {
  /** Sums of stream offsets: sent, and allowed by MAX_DATA. */
  #sent = 0
  #sendLimit = CONNECTION_WINDOW
  /** Sums of stream offsets: received, read by the application, and allowed. */
  #received = 0
  #read = 0
  #receiveLimit = CONNECTION_WINDOW
  #window = CONNECTION_WINDOW
  /** What was read when the window was tuned last, and when that was. */
  #tunedAt = 0
  raisedAt: Instant | undefined

  /** New bytes that may be sent. */
  get sendCredit(): number {
    return this.#sendLimit - this.#sent
  }

  /** What MAX_DATA announces. */
  get receiveLimit(): number {
    return this.#receiveLimit
  }

  onSent(bytes: number): void {
    this.#sent += bytes
  }

  /**
   * MAX_DATA came.
   * @returns whether it allows more than before
   */
  onMaxData(limit: number): boolean {
    if (limit <= this.#sendLimit) return false
    this.#sendLimit = limit
    return true
  }

  /** @returns false when the remote peer exceeds the limit */
  onReceived(bytes: number): boolean {
    this.#received += bytes
    return this.#received <= this.#receiveLimit
  }

  onRead(bytes: number): void {
    this.#read += bytes
  }

  /** Whether MAX_DATA is due: it adds more than half of the window. */
  get limitDue(): boolean {
    return this.#allowed - this.#receiveLimit > this.#window / 2
  }

  raiseLimit(): void {
    this.#receiveLimit = Math.max(this.#receiveLimit, this.#allowed)
  }

  /** Whether half of a window was read since the last `tune`: what nobody reads widens nothing. */
  get tuneDue(): boolean {
    return this.#read - this.#tunedAt > this.#window / 2
  }

  /** @param widen the window limits the sender */
  tune(widen: boolean): void {
    this.#tunedAt = this.#read
    if (widen) this.#window = Math.min(2 * this.#window, MAX_CONNECTION_WINDOW)
  }

  /**
   * The window begins where data came, and not where it was read, so that streams which nobody
   * reads do not stop the others. The allowance bounds memory.
   */
  get #allowed(): number {
    return Math.min(this.#received, this.#read + UNREAD_ALLOWANCE) + this.#window
  }
}
