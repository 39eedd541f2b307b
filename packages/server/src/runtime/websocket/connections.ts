/**
 * The WebSocket connections of a relay: one binary message is one datagram, both ways. Each has a number
 * as its socket, which no other one gets, and the address that TCP has proved as its route.
 */
import { type Datagram, duration, FIRST_CONNECTION, type Instant, later, type Route } from '@showchain/client/endpoint'
import type { Clock, ConnectionSocket, Scheduled } from '@showchain/client/runtime'
import type { RawData, WebSocket } from 'ws'
import type { WebSocketCounter, WebSocketCounters } from './counters.ts'
import { IDLE_TIME, MAX_UNSENT, MAX_UNSENT_TOTAL, STALL_TIME } from './limits.ts'

/** Between two looks at all connections. */
const LOOK = duration(10_000)
/** Between two sums over all connections; what is sent meanwhile is added to the last one. */
const SUM = duration(100)

interface Connection {
  readonly route: Route
  readonly socket: WebSocket
  heard: Instant
  /** Bytes that were handed to it, and what of them had left at the last look that saw progress. */
  handed: number
  left: number
  movedAt: Instant
}

export class WebSocketConnections implements ConnectionSocket {
  readonly #clock: Clock
  readonly #counters: WebSocketCounters
  /** By number; bounded by the listener. */
  readonly #open = new Map<number, Connection>()
  #next = FIRST_CONNECTION
  #batch: Datagram[] = []
  #receive: ((batch: readonly Datagram[]) => void) | undefined
  #look: Scheduled | undefined
  /** Bytes that wait in all connections, at most. */
  #unsent = 0
  #summedAt: Instant | undefined
  #closed = false

  constructor(clock: Clock, counters: WebSocketCounters) {
    this.#clock = clock
    this.#counters = counters
  }

  get size(): number {
    return this.#open.size
  }

  add(socket: WebSocket, ip: string, port: number): void {
    const now = this.#clock.now()
    const route: Route = { ip, port, socket: this.#next++ }
    const connection: Connection = { route, socket, heard: now, handed: 0, left: 0, movedAt: now }
    this.#counters.websocketOpened++
    this.#open.set(route.socket as number, connection)
    socket.on('message', (data, isBinary) => this.#came(connection, data, isBinary))
    // Longer than a datagram, or no frame at all: the library says so.
    socket.on('error', () => this.#end(connection, 'websocketNotBinary'))
    socket.on('ping', (data) => socket.bufferedAmount === 0 && socket.pong(data))
    socket.on('close', () => this.#open.delete(route.socket as number))
    this.#look ??= this.#clock.schedule(later(now, LOOK), () => this.#sweep())
  }

  send(to: Route, bytes: Uint8Array): void {
    const connection = this.#open.get(to.socket ?? 0)
    if (connection === undefined || connection.socket.readyState !== connection.socket.OPEN) return
    const { socket } = connection
    const waiting = socket.bufferedAmount + bytes.length
    if (waiting > MAX_UNSENT || (waiting > bytes.length && this.#waiting() + bytes.length > MAX_UNSENT_TOTAL))
      return this.#count('websocketDropped')
    connection.handed += bytes.length
    this.#unsent += bytes.length
    socket.send(bytes, { binary: true })
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  close(): Promise<void> {
    this.#closed = true
    this.#look?.cancel()
    for (const { socket } of this.#open.values()) socket.terminate()
    return Promise.resolve()
  }

  #count(name: WebSocketCounter): void {
    this.#counters[name]++
  }

  /** Asked only where a reader is behind. */
  #waiting(): number {
    const now = this.#clock.now()
    if (this.#summedAt !== undefined && later(this.#summedAt, SUM) > now) return this.#unsent
    this.#summedAt = now
    this.#unsent = 0
    for (const { socket } of this.#open.values()) this.#unsent += socket.bufferedAmount
    return this.#unsent
  }

  #came(connection: Connection, data: RawData, isBinary: boolean): void {
    if (this.#closed) return
    if (!isBinary || !(data instanceof Buffer)) return this.#end(connection, 'websocketNotBinary')
    connection.heard = this.#clock.now()
    // Records are opened in place, and the library may have read several messages into one piece.
    if (this.#batch.push({ bytes: Uint8Array.from(data), source: connection.route }) === 1) setImmediate(this.#deliver)
  }

  /** What was read in one turn of the loop is one batch. */
  readonly #deliver = (): void => {
    const batch = this.#batch
    this.#batch = []
    if (!this.#closed) this.#receive?.(batch)
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const connection of this.#open.values()) {
      const { socket, handed } = connection
      const left = handed - socket.bufferedAmount
      if (left > connection.left || socket.bufferedAmount === 0) connection.movedAt = now
      connection.left = left
      if (later(connection.movedAt, STALL_TIME) <= now) this.#end(connection, 'websocketStalled')
      else if (later(connection.heard, IDLE_TIME) <= now) this.#end(connection, 'websocketIdle')
    }
    this.#look = this.#open.size === 0 ? undefined : this.#clock.schedule(later(now, LOOK), () => this.#sweep())
  }

  #end({ socket }: Connection, why: WebSocketCounter): void {
    this.#count(why)
    socket.terminate()
  }
}
