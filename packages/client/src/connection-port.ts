/** The commands of a peer's machine for one connection. No part of the machine leaves it. */
import {
  type ConnectionHandle,
  type Goodbye,
  type Instant,
  joined,
  type NoNames,
  type PeerMachine,
  type Ponged,
  type Route,
  type SecureStatistics,
  type SendFailure,
  type StreamOpening,
  type StreamRead,
} from './core/index.ts'
import type { Driver } from './runtime/driver.ts'

export class ConnectionPort {
  readonly #driver: Driver<PeerMachine>
  readonly #machine: PeerMachine
  readonly #handle: ConnectionHandle

  constructor(driver: Driver<PeerMachine>, machine: PeerMachine, handle: ConnectionHandle) {
    this.#driver = driver
    this.#machine = machine
    this.#handle = handle
  }

  /** Bytes that one datagram may have on the current path. */
  get maxDatagramSize(): number {
    return this.#machine.maxDatagramSize(this.#handle)
  }

  /** Undefined when the connection has ended, or is not protected. */
  get statistics(): SecureStatistics | undefined {
    return this.#machine.statistics(this.#handle)
  }

  ping(ponged: Ponged): void {
    this.#input((machine, now) => machine.ping(this.#handle, ponged, now))
  }

  /** LAN discovery says where the remote peer may be. */
  near(at: readonly Route[]): void {
    this.#input((machine, now) => machine.near(this.#handle, at, now))
  }

  sendDatagram(bytes: Uint8Array, done: (failure: SendFailure) => void): void {
    this.#driver.input((machine, now) => machine.sendDatagram(this.#handle, bytes, done, now))
  }

  /** The application read a datagram. */
  readDatagram(): void {
    if (!this.#driver.closed) this.#driver.input((machine) => machine.readDatagram(this.#handle))
  }

  close(goodbye: Goodbye): void {
    this.#driver.input((machine, now) => machine.closeConnection(this.#handle, now, goodbye))
  }

  /** Undefined while the remote peer allows no further stream. */
  openStream(how: StreamOpening): number | NoNames | undefined {
    return this.#input((machine, now) => machine.openStream(this.#handle, how, now))
  }

  /** False: the send buffer is full, until `writable`. */
  writeStream(stream: number, bytes: Uint8Array): boolean {
    return this.#input((machine, now) => machine.writeStream(this.#handle, stream, bytes, now)) ?? true
  }

  endStream(stream: number): void {
    this.#input((machine, now) => machine.endStream(this.#handle, stream, now))
  }

  resetStream(stream: number, code: number): void {
    this.#input((machine, now) => machine.resetStream(this.#handle, stream, code, now))
  }

  stopStream(stream: number, code: number): void {
    this.#input((machine, now) => machine.stopStream(this.#handle, stream, code, now))
  }

  /** What there is of a stream, up to about `most` bytes, in one piece; undefined: nothing yet. */
  readStream(stream: number, most: number): StreamRead | undefined {
    return this.#input((machine, now) => {
      const first = machine.readStream(this.#handle, stream, now)
      if (first?.type !== 'data') return first
      const pieces = [first.bytes]
      for (let length = first.bytes.length; length < most; ) {
        const next = machine.readStream(this.#handle, stream, now)
        // The end is returned again by the next call.
        if (next?.type !== 'data') break
        pieces.push(next.bytes)
        length += next.bytes.length
      }
      return { type: 'data', bytes: joined(pieces) }
    })
  }

  /** Undefined once the peer is closed. */
  #input<Result>(command: (machine: PeerMachine, now: Instant) => Result): Result | undefined {
    return this.#driver.closed ? undefined : this.#driver.input(command)
  }
}
