/**
 * The outputs of a machine, in order, until its driver drains them after the input that made them.
 */
import type { PublicKey } from '@showchain/crypto/core'
import type { Instant, Output, Route, SocketId } from './machine.ts'

/** Slots that are kept when the queue is empty. */
const KEPT = 64

export class Outbox<Event> {
  /**
   * Bounded by what one input makes: the driver drains after each. Slots are reused, since there is
   * one input for each packet.
   */
  #queue: (Output<Event> | undefined)[] = []
  #next = 0
  #end = 0

  poll(): Output<Event> | undefined {
    if (this.#next === this.#end) {
      if (this.#end > KEPT) this.#queue = []
      this.#next = 0
      this.#end = 0
      return undefined
    }
    const output = this.#queue[this.#next]
    this.#queue[this.#next++] = undefined
    return output
  }

  #push(output: Output<Event>): void {
    this.#queue[this.#end++] = output
  }

  transmit(to: Route, bytes: Uint8Array): void {
    this.#push({ type: 'transmit', to, bytes })
  }

  socket(change: 'open' | 'close', socket: SocketId): void {
    this.#push({ type: 'socket', change, socket })
  }

  event(event: Event): void {
    this.#push({ type: 'event', event })
  }

  sign(preimage: Uint8Array, resume: (signature: Uint8Array | undefined, now: Instant) => void): void {
    this.#push({ type: 'work', kind: 'sign', preimage, resume })
  }

  certify(preimage: Uint8Array, resume: (signature: Uint8Array | undefined, now: Instant) => void): void {
    this.#push({ type: 'work', kind: 'certify', preimage, resume })
  }

  verify(
    key: PublicKey,
    preimage: Uint8Array,
    signature: Uint8Array,
    resume: (valid: boolean | undefined, now: Instant) => void,
  ): void {
    this.#push({ type: 'work', kind: 'verify', key, preimage, signature, resume })
  }
}
