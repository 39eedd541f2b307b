/**
 * Datagrams to one relay and back by WebSocket: one binary message is one datagram. What is sent before the
 * connection is open waits, a few datagrams, and what finds no room is lost. Who makes the connection says
 * when it is open, what came and how it ended.
 */
import type { Endpoint } from '@showchain/wire'
import type { Datagram } from '../../core/endpoint/machine.ts'
import type { DatagramSocket } from '../socket.ts'

/** Datagrams that wait until it is open; further ones are lost. */
const MAX_WAITING = 8
/** Bytes that wait for the network: then what comes next is lost, as at a full queue. */
const MAX_UNSENT: number = 256 * 1024

/** A connection that is open. */
export interface OpenConnection {
  /** Bytes that wait for the network. */
  readonly bufferedAmount: number
  send(bytes: Uint8Array): void
}

export interface CarrierOptions {
  /** What its datagrams come from. */
  readonly source: Endpoint
  /** Called once when it cannot be opened, or has ended. */
  readonly failed: (why: string) => void
  /** Calls back when everything was handled that came meanwhile. */
  readonly nextTurn: (call: () => void) => void
}

export abstract class DatagramCarrier implements DatagramSocket {
  /** Empty: nobody is told. */
  readonly localEndpoints: readonly Endpoint[] = []
  readonly #options: CarrierOptions
  #socket: OpenConnection | undefined
  #closed = false
  #waiting: Uint8Array[] = []
  #batch: Datagram[] = []
  #receive: ((batch: readonly Datagram[]) => void) | undefined

  protected constructor(options: CarrierOptions) {
    this.#options = options
  }

  protected get closed(): boolean {
    return this.#closed
  }

  send(_to: Endpoint, bytes: Uint8Array): void {
    const socket = this.#socket
    if (socket === undefined) {
      if (!this.#closed && this.#waiting.length < MAX_WAITING) this.#waiting.push(bytes)
    } else if (!this.#closed && socket.bufferedAmount + bytes.length <= MAX_UNSENT) socket.send(bytes)
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waiting = []
    this.terminate()
  }

  /** Ends the connection, open or not. */
  protected abstract terminate(): void

  protected opened(socket: OpenConnection): void {
    this.#socket = socket
    for (const bytes of this.#waiting.splice(0)) this.send(this.#options.source, bytes)
  }

  /** @param bytes memory of their own */
  protected came(bytes: Uint8Array): void {
    const { source, nextTurn } = this.#options
    if (!this.#closed && this.#batch.push({ bytes, source }) === 1) nextTurn(this.#deliver)
  }

  protected ended(why: string): void {
    if (this.#closed) return
    void this.close()
    this.#options.failed(why)
  }

  /** What was read in one turn of the loop is one batch. */
  readonly #deliver = (): void => {
    const batch = this.#batch
    this.#batch = []
    if (!this.#closed) this.#receive?.(batch)
  }
}
