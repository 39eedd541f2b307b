/** Flow control of a connection: the bytes of all streams together (RFC 9000 §4.1). */
import type { Instant } from '../../endpoint/machine.ts'
import { CONNECTION_WINDOW, MAX_CONNECTION_WINDOW } from '../limits.ts'

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
  /** When the receive limit was raised last. */
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

  /** @returns whether MAX_DATA is due: half of the window is used up */
  onRead(bytes: number): boolean {
    this.#read += bytes
    return this.#receiveLimit - this.#read < this.#window / 2
  }

  /** @param widen the window limits the sender */
  raiseLimit(widen: boolean): void {
    if (widen) this.#window = Math.min(2 * this.#window, MAX_CONNECTION_WINDOW)
    this.#receiveLimit = Math.max(this.#receiveLimit, this.#read + this.#window)
  }
}
