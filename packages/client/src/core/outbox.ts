/** The outputs of a machine, in order, until its driver drains them after the input that made them. */
import type { PublicKey } from '@showchain/crypto/core'
import type { Instant, Output, Route, SocketId } from './machine.ts'

export class Outbox<Event> {
  /** Bounded by what one input makes: the driver drains after each. */
  #queue: Output<Event>[] = []
  #next = 0

  poll(): Output<Event> | undefined {
    const output = this.#queue[this.#next]
    if (output === undefined) {
      if (this.#next > 0) this.#queue = []
      this.#next = 0
      return undefined
    }
    this.#next++
    return output
  }

  transmit(to: Route, bytes: Uint8Array): void {
    this.#queue.push({ type: 'transmit', to, bytes })
  }

  socket(change: 'open' | 'close', socket: SocketId): void {
    this.#queue.push({ type: 'socket', change, socket })
  }

  event(event: Event): void {
    this.#queue.push({ type: 'event', event })
  }

  sign(preimage: Uint8Array, resume: (signature: Uint8Array | undefined, now: Instant) => void): void {
    this.#queue.push({ type: 'work', kind: 'sign', preimage, resume })
  }

  certify(preimage: Uint8Array, resume: (signature: Uint8Array | undefined, now: Instant) => void): void {
    this.#queue.push({ type: 'work', kind: 'certify', preimage, resume })
  }

  verify(
    key: PublicKey,
    preimage: Uint8Array,
    signature: Uint8Array,
    resume: (valid: boolean | undefined, now: Instant) => void,
  ): void {
    this.#queue.push({ type: 'work', kind: 'verify', key, preimage, signature, resume })
  }
}
