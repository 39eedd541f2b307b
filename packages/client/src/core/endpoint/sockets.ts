/** Sockets beside the first one that a machine opens for a time. Their numbers are never reused. */
import type { Instant, SocketId, WebSocketTarget } from './machine.ts'
import type { Outbox } from './outbox.ts'

/** Lower numbers are the sockets that the owner gave its driver. */
const FIRST = 16

type Failed = (socket: SocketId, why: string, now: Instant) => void

export class Sockets {
  readonly #outbox: Pick<Outbox<unknown>, 'socket'>
  /** Bounded by BIRTHDAY_SOCKETS, one for each direct path, and one for each relay over WebSocket. */
  readonly #open = new Map<SocketId, Failed>()
  #next = FIRST

  get size(): number {
    return this.#open.size
  }

  constructor(outbox: Pick<Outbox<unknown>, 'socket'>) {
    this.#outbox = outbox
  }

  /**
   * @param failed called once if the system has none, or when a connection ends
   * @param to a WebSocket connection. @default UDP
   */
  open(failed: Failed, to?: WebSocketTarget): SocketId {
    const socket = this.#next++
    this.#open.set(socket, failed)
    this.#outbox.socket('open', socket, to)
    return socket
  }

  /** Does nothing for the first socket and for a closed one. */
  close(socket: SocketId | undefined): void {
    if (socket !== undefined && this.#open.delete(socket)) this.#outbox.socket('close', socket)
  }

  /** The system has no socket for this number. */
  failed(socket: SocketId, why: string, now: Instant): void {
    const failed = this.#open.get(socket)
    this.#open.delete(socket)
    failed?.(socket, why, now)
  }

  closeAll(): void {
    for (const socket of [...this.#open.keys()]) this.close(socket)
  }
}
