/**
 * WebSocket connections to one simulated host, as far as a protocol on them sees: what is sent arrives,
 * in order, after the latency of the path, whatever becomes of UDP. They open after TCP, TLS and HTTP, of
 * one round trip each, and end when either end closes.
 */
import { type Datagram, type Duration, FIRST_CONNECTION, type Instant, later, type Route } from '@showchain/client/core'
import type { Clock, ConnectionSocket, DatagramSocket, Scheduled } from '@showchain/client/runtime'
import type { Endpoint } from '@showchain/wire'

/** One-way trips until a connection is open. */
const OPENING_TRIPS = 6

/** What the relay sees of clients: public addresses that no simulated host has. */
const CLIENTS = '81.3'
const CLIENT_PORT = 40_000

type Receive = (batch: readonly Datagram[]) => void

interface Connection {
  readonly route: Route
  readonly openAt: Instant
  /** What the client sees everything come from. */
  readonly from: Endpoint
  readonly failed: (why: string) => void
  /** Messages under way. */
  readonly underWay: Set<Scheduled>
  receive: Receive | undefined
}

export class VirtualWebSockets implements ConnectionSocket {
  readonly #clock: Clock
  readonly #latency: Duration
  /** By number; bounded by what the scenario opens. */
  readonly #open = new Map<number, Connection>()
  /** Messages that were sent so far, by all, both ways. */
  messages = 0
  #next = FIRST_CONNECTION
  #receive: Receive | undefined

  constructor(clock: Clock, latency: Duration) {
    this.#clock = clock
    this.#latency = latency
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size
  }

  /** The client's end of a new one. @param from what the client sees */
  connect(from: Endpoint, failed: (why: string) => void): DatagramSocket {
    const number = this.#next++
    const openAt = later(this.#clock.now(), (OPENING_TRIPS * this.#latency) as Duration)
    // An address for each, as of hosts of a carrier that runs out of ports: none can be reached there.
    const count = number - FIRST_CONNECTION
    const route = { ip: `${CLIENTS}.${count >> 8}.${count & 0xff}`, port: CLIENT_PORT, socket: number }
    const connection: Connection = { route, openAt, from, failed, underWay: new Set(), receive: undefined }
    this.#open.set(number, connection)
    return {
      localEndpoints: [],
      send: (_to, bytes) => this.#carry(connection, bytes, route, (batch) => this.#receive?.(batch)),
      onDatagrams: (receive) => {
        connection.receive = receive
      },
      close: async () => this.#end(connection),
    }
  }

  send({ socket = 0 }: Route, bytes: Uint8Array): void {
    const connection = this.#open.get(socket)
    if (connection !== undefined)
      this.#carry(connection, bytes, connection.from, (batch) => connection.receive?.(batch))
  }

  onDatagrams(receive: Receive): void {
    this.#receive = receive
  }

  async close(): Promise<void> {
    for (const connection of [...this.#open.values()]) {
      this.#end(connection)
      connection.failed('the other end closed it')
    }
  }

  #carry({ route, openAt, underWay }: Connection, bytes: Uint8Array, source: Route, receive: Receive): void {
    if (!this.#open.has(route.socket ?? 0)) return
    this.messages++
    const copy = bytes.slice()
    const now = this.#clock.now()
    const arrival = this.#clock.schedule(later(now < openAt ? openAt : now, this.#latency), () => {
      underWay.delete(arrival)
      receive([{ bytes: copy, source }])
    })
    underWay.add(arrival)
  }

  #end({ route, underWay }: Connection): void {
    this.#open.delete(route.socket ?? 0)
    for (const arrival of underWay) arrival.cancel()
    underWay.clear()
  }
}
