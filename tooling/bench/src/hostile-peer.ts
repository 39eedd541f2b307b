/**
 * A peer that was let in and does not keep to the protocol: it has the keys of a connection to a
 * `Peer` of the public API, and seals into records what it likes. Both are in this process, on
 * virtual time, so that what is measured is the peer that it sends to.
 */
import { type Connection, Peer } from '@showchain/client'
import { type Datagram, duration } from '@showchain/client/core'
import type { CountedSocket, DatagramSocket } from '@showchain/client/runtime'
import { type Aead, directSession, type EndToEndCrypto, openssl, opensslEndToEnd } from '@showchain/crypto'
import { Internet } from '@showchain/testkit'
import { decode, type Endpoint, OP, RECORD_BYTE, sessionIdToBytes } from '@showchain/wire'
import {
  RECORD_HEADER_BYTES,
  RECORD_OVERHEAD,
  readRecordHeader,
  writeRecordHeader,
  writeRecordNonce,
} from '@showchain/wire/end-to-end'

/** Where the connection id is in a record. */
const CONNECTION_ID_AT = 1
const CONNECTION_ID_END = 9
const NONCE_BYTES = 12
/** Far above what the handshake used. */
const FIRST_NUMBER = 1000
/** Virtual milliseconds in which the connection is open and idle, so that the handshake is over. */
const SETTLED = 2000

/** What seals a peer's records, noted on its way. */
class Eavesdropper {
  aead: Aead | undefined
  connectionId: Uint8Array | undefined

  readonly crypto: EndToEndCrypto = {
    ...opensslEndToEnd,
    aead: (key) => {
      const inner = opensslEndToEnd.aead(key)
      return {
        open: (...sealed) => inner.open(...sealed),
        openInPlace: (...sealed) => inner.openInPlace(...sealed),
        seal: (nonce, aad, plaintext, into, at) => {
          if (aad[0] === RECORD_BYTE && aad.length === RECORD_HEADER_BYTES) {
            this.aead = inner
            this.connectionId = aad.slice(CONNECTION_ID_AT, CONNECTION_ID_END)
          }
          inner.seal(nonce, aad, plaintext, into, at)
        },
      }
    },
  }
}

/** The target's socket: what goes in and out of it is in the hands of the hostile peer, once it is cut. */
class Tap {
  highest = -1
  answered = 0
  session: Uint8Array | undefined
  #socket: DatagramSocket | undefined
  #receive: (batch: readonly Datagram[]) => void = () => {}
  #cut = false

  on(socket: CountedSocket): CountedSocket {
    this.#socket = socket
    return {
      counters: socket.counters,
      implementation: socket.implementation,
      localEndpoints: socket.localEndpoints,
      close: () => socket.close(),
      send: (to, bytes) => {
        if (!this.#cut) return socket.send(to, bytes)
        this.answered += bytes.length
        const { number = -1 } = readRecordHeader(bytes) ?? {}
        if (number > this.highest) this.highest = number
      },
      onDatagrams: (receive) => {
        this.#receive = receive
        socket.onDatagrams((batch) => {
          for (const { bytes } of batch) this.#note(bytes)
          if (!this.#cut) receive(batch)
        })
      },
    }
  }

  /** Both ends derive the session of a direct path from the request for it. */
  #note(bytes: Uint8Array): void {
    const decoded = bytes[0] === RECORD_BYTE ? undefined : decode(bytes)
    if (decoded?.ok !== true || decoded.message.op_code !== OP.directRequest) return
    const { id: requester, target: responder, seq, ts } = decoded.message
    this.session = sessionIdToBytes(directSession(openssl, { requester, responder, seq, ts }))
  }

  get endpoint(): Endpoint {
    return this.#socket?.localEndpoints[0] as Endpoint
  }

  cut(): void {
    this.#cut = true
  }

  receive(datagram: Datagram): void {
    this.#receive([datagram])
  }
}

export interface HostilePeerOptions {
  /** Whether the hostile peer begins handshakes. */
  readonly initiator: boolean
}

export class HostilePeer {
  readonly internet: Internet
  /** The other end, which is measured, and its connection. */
  readonly target: Peer
  readonly connection: Connection
  /** Of the path: what a handshake part names. */
  readonly session: Uint8Array
  readonly #source: Endpoint
  readonly #aead: Aead
  readonly #connectionId: Uint8Array
  readonly #tap: Tap
  #number = FIRST_NUMBER

  private constructor(made: {
    readonly internet: Internet
    readonly target: Peer
    readonly connection: Connection
    readonly source: Endpoint
    readonly keys: Eavesdropper
    readonly tap: Tap
  }) {
    const { internet, target, connection, source, keys, tap } = made
    if (keys.aead === undefined || keys.connectionId === undefined || tap.session === undefined)
      throw new Error('The hostile peer has no keys.')
    this.internet = internet
    this.target = target
    this.connection = connection
    this.session = tap.session
    this.#source = source
    this.#aead = keys.aead
    this.#connectionId = keys.connectionId
    this.#tap = tap
  }

  static async open({ initiator }: HostilePeerOptions): Promise<HostilePeer> {
    const internet = new Internet('hostile')
    const keys = new Eavesdropper()
    const tap = new Tap()
    const host = internet.host('target')
    const runtime = internet.runtime(host)
    const openSocket: typeof runtime.openSocket = async (options) => tap.on(await runtime.openSocket(options))
    const identity = internet.sim.identity('target')
    const target = await internet.settle(
      Peer.open({ identity, relays: [], runtime: { ...runtime, openSocket }, accept: 'everyone' }),
    )
    const name = Array.from({ length: 64 }, (_, index) => `hostile ${index}`).find(
      (each) => internet.sim.identity(each).id < identity.id === initiator,
    )
    const hostile = internet.addSimPeer({ name, endToEnd: keys.crypto })
    const [connection] = await internet.settle(
      Promise.all([
        (async () => (await target.incoming.next()).value as Connection)(),
        Promise.resolve(hostile.dial(identity.id, 'direct', { addresses: [tap.endpoint] })),
      ]),
    )
    await internet.wait(duration(SETTLED))
    const source = hostile.endpoint
    await hostile.crash()
    tap.cut()
    return new HostilePeer({ internet, target, connection, source, keys, tap })
  }

  /** The highest number of a record that came back; −1: none. */
  get highest(): number {
    return this.#tap.highest
  }

  /** Bytes that came back. */
  get answered(): number {
    return this.#tap.answered
  }

  /** Seals frames into the next record. @param skip numbers that are left out before it */
  seal(payload: Uint8Array, skip = 0): Uint8Array {
    this.#number += skip
    const record = new Uint8Array(RECORD_OVERHEAD + payload.length)
    writeRecordHeader(record, 0, this.#connectionId, 0, this.#number)
    const nonce = new Uint8Array(NONCE_BYTES)
    writeRecordNonce(nonce, 0, this.#number++)
    this.#aead.seal(nonce, record.subarray(0, RECORD_HEADER_BYTES), payload, record, RECORD_HEADER_BYTES)
    return record
  }

  /** @param from another address of the hostile peer. @default the one that it connected from */
  send(bytes: Uint8Array, from: Endpoint = this.#source): void {
    this.#tap.receive({ bytes, source: from })
  }

  /** Lets a millisecond pass, in which the target's timers fire and its application runs. */
  async pass(): Promise<void> {
    await this.internet.wait(duration(1))
  }

  async close(): Promise<void> {
    await this.internet.settle(this.target.close())
  }
}
