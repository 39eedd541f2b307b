/** The first byte that a requester sends on a connection, in plaintext and protected. */
import type { ConnectionHandle } from '@showchain/client/core'
import type { SimPeer } from './sim-peer.ts'
import type { Delivery } from './sim-records.ts'
import { StreamChecker, StreamWriter } from './sim-streams.ts'

export interface FirstByte {
  /** Sends it on this connection of the requester, unless that has been done. */
  send(connection: ConnectionHandle): void
  readonly arrived: boolean
}

/** A plaintext message; one that fails is sent again, as an application does. */
export class FirstMessage implements FirstByte {
  readonly #requester: SimPeer
  readonly #target: SimPeer
  #delivery: Delivery | undefined

  constructor(requester: SimPeer, target: SimPeer) {
    this.#requester = requester
    this.#target = target
  }

  get arrived(): boolean {
    return this.#target.arrived.length > 0
  }

  send(connection: ConnectionHandle): void {
    if (this.#delivery === undefined || this.#delivery.failure !== undefined)
      this.#delivery = this.#requester.send(connection, Uint8Array.of(1))
  }
}

/** A stream of one byte. */
export class FirstStreamByte implements FirstByte {
  readonly #requester: SimPeer
  readonly #checker: StreamChecker
  #connection: ConnectionHandle | undefined

  constructor(requester: SimPeer, target: SimPeer) {
    this.#requester = requester
    this.#checker = new StreamChecker(target)
  }

  get arrived(): boolean {
    return this.#checker.bytes > 0
  }

  send(connection: ConnectionHandle): void {
    if (this.#connection === connection) return
    this.#connection = connection
    new StreamWriter(this.#requester, connection).open(1)
  }
}
