/**
 * The outputs of a machine, in order, until its driver drains them after the input that made them.
 */
import type { PublicKey } from '@showchain/crypto/core'
import { EventQueue } from './event-queue.ts'
import type { Instant, Output, Route, SocketId, WebSocketTarget } from './machine.ts'

export class Outbox<Event> {
  readonly #outputs = new EventQueue<Output<Event>>()

  poll(): Output<Event> | undefined {
    return this.#outputs.poll()
  }

  /** Drops what its allowance has no room for. */
  transmit(to: Route, bytes: Uint8Array): void {
    if (to.allowance?.take(bytes.length) === false) return
    this.#outputs.push({ type: 'transmit', to, bytes })
  }

  socket(change: 'open' | 'close', socket: SocketId, to?: WebSocketTarget): void {
    this.#outputs.push({ type: 'socket', change, socket, to })
  }

  /** @see Pause */
  pause(): void {
    this.#outputs.push({ type: 'pause' })
  }

  event(event: Event): void {
    this.#outputs.push({ type: 'event', event })
  }

  /** @param last whether it is signed and sent even if the peer is closed meanwhile */
  sign(
    preimage: Uint8Array,
    resume: (signature: Uint8Array | undefined, now: Instant) => void,
    last: boolean = false,
  ): void {
    this.#outputs.push({ type: 'work', kind: 'sign', preimage, last, resume })
  }

  certify(preimage: Uint8Array, resume: (signature: Uint8Array | undefined, now: Instant) => void): void {
    this.#outputs.push({ type: 'work', kind: 'certify', preimage, resume })
  }

  verify(
    key: PublicKey,
    preimage: Uint8Array,
    signature: Uint8Array,
    resume: (valid: boolean | undefined, now: Instant) => void,
  ): void {
    this.#outputs.push({ type: 'work', kind: 'verify', key, preimage, signature, resume })
  }
}
