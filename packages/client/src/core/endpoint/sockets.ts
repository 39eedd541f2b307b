/** Sockets beside the first, which a machine opens for a while: numbers that are never used again. */
import type { SocketId } from './machine.ts'
import type { Outbox } from './outbox.ts'

/** Numbers below are those that an owner gave its driver. */
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

  /** The first socket, and one that is closed, stay as they are. */
  close(socket: SocketId | undefined): void {
    if (socket !== undefined && this.#open.delete(socket)) this.#outbox.socket('close', socket)
  }

  closeAll(): void {
    for (const socket of [...this.#open]) this.close(socket)
  }
}
