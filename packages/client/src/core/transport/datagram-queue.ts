/** Datagrams of the application that wait to be sent, each once (RFC 9221). */
import { DATAGRAM_OVERHEAD, type FrameWriter } from '@showchain/wire/end-to-end'
import type { Instant } from '../endpoint/machine.ts'
import { DATAGRAM_QUEUE } from './limits.ts'

interface QueuedDatagram {
  readonly bytes: Uint8Array
  /** Called once: `sent` when it left, or was dropped for its size; otherwise it never leaves. */
  done(sent: boolean, now: Instant): void
}

export class DatagramQueue {
  /** At most DATAGRAM_QUEUE. */
  #queue: QueuedDatagram[] = []

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  /** @returns false when too many wait; then `done` is not called */
  push(bytes: Uint8Array, done: QueuedDatagram['done']): boolean {
    if (this.#queue.length >= DATAGRAM_QUEUE) return false
    this.#queue.push({ bytes, done })
    return true
  }

  /**
   * Writes DATAGRAM frames until the record is full.
   * @param recordSize bytes of a full record
   */
  write(writer: FrameWriter, recordSize: number, now: Instant): void {
    let count = 0
    for (const { bytes, done } of this.#queue) {
      // The path MTU has shrunk since this datagram was queued: drop it, as RFC 9221 §5 permits.
      const tooLarge = bytes.length > recordSize - DATAGRAM_OVERHEAD
      if (!writer.datagram(bytes) && !tooLarge) break
      count++
      done(true, now)
    }
    if (count > 0) this.#queue = this.#queue.slice(count)
  }

  /** The connection ends. */
  abandon(now: Instant): void {
    const queue = this.#queue
    this.#queue = []
    for (const { done } of queue) done(false, now)
  }
}
