/** Sockets beside the first one that a machine opens for a time. Their numbers are never reused. */
import type { SocketId } from './machine.ts'
import type { Outbox } from './outbox.ts'

/** Lower numbers are the sockets that the owner gave its driver. */
const FIRST = 16

export class Sockets {
  readonly #outbox: Pick<Outbox<unknown>, 'socket'>
  /** Bounded by BIRTHDAY_SOCKETS, and one for each direct path. */
  readonly #open = new Set<SocketId>()
  #next = FIRST

  constructor(outbox: Pick<Outbox<unknown>, 'socket'>) {
    this.#outbox = outbox
  }

  open(): SocketId {
    const socket = this.#next++
    this.#open.add(socket)
    this.#outbox.socket('open', socket)
    return socket
  }

  /** Does nothing for the first socket and for a closed one. */
  close(socket: SocketId | undefined): void {
    if (socket !== undefined && this.#open.delete(socket)) this.#outbox.socket('close', socket)
  }

  closeAll(): void {
    for (const socket of [...this.#open]) this.close(socket)
  }
}
