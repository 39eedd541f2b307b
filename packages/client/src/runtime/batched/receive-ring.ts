/** What the kernel has for a socket: many datagrams, or trains of them, in one system call. */
import type { Route } from '../../core/endpoint/machine.ts'
import type { Libc } from './libc.ts'
import { LARGEST, Messages } from './messages.ts'
import { ADDRESS_ROOM, SourceBook } from './socket-address.ts'

/**
 * From one buffer that is received into to the next one: multiples of 64 KiB would share the same
 * lines of the cache.
 */
const STRIDE = LARGEST + 2113
/** Datagrams, or trains of them, of one call. */
const RECEIVED_AT_ONCE = 16

/** What came of one call. */
export interface Received {
  /** Of the call: at most RECEIVED_AT_ONCE; below that nothing more is there. */
  readonly full: boolean
  /** At least one for each message. */
  readonly datagrams: number
  /** 0: none. */
  readonly errno: number
}

/** Whether its receiver is done with a datagram when the batch is over. */
export type Borrows = (datagram: Uint8Array) => boolean
type Deliver = (bytes: Uint8Array, source: Route | undefined) => void

/**
 * Bytes of what is not borrowed that are allocated at once: an allocation for each datagram costs more than
 * to copy it, and who keeps one keeps no more than this.
 */
const KEPT_TOGETHER = 16 * 1024
const NO_MEMORY = new Uint8Array(0)
const NOTHING: Received = { full: false, datagrams: 0, errno: 0 }

export class ReceiveRing {
  readonly #libc: Libc
  readonly #messages: Messages
  readonly #book = new SourceBook()

  constructor(libc: Libc) {
    this.#libc = libc
    const [messages, data] = [RECEIVED_AT_ONCE, RECEIVED_AT_ONCE * STRIDE]
    this.#messages = new Messages(libc, { messages, pieces: messages, data })
    for (let index = 0; index < messages; index++) {
      this.#messages.place(index, index * STRIDE, LARGEST)
      this.#messages.compose(index, index, 1)
      this.#messages.offer(index)
    }
  }

  /**
   * @param deliver is handed memory of its own, or of the ring; source undefined: it has no meaning here
   * @param borrows datagrams that stay in the ring until the next call; undefined: none
   */
  receive(descriptor: number, deliver: Deliver, borrows: Borrows | undefined): Received {
    const { headers } = this.#messages
    const count = this.#libc.recvmmsg(descriptor, headers, RECEIVED_AT_ONCE, 0, null)
    if (count < 0) return { ...NOTHING, errno: this.#libc.errno() }
    if (count === 0) return NOTHING
    let left = 0
    for (let index = 0; index < count; index++) left += this.#messages.lengthOf(index)
    const most = borrows === undefined ? left : KEPT_TOGETHER
    let memory: Uint8Array = NO_MEMORY
    let used = 0
    const hand: Deliver = (bytes, source) => {
      const { length } = bytes
      const needed = left
      left -= length
      if (borrows?.(bytes) === true) return deliver(bytes, source)
      if (used + length > memory.length) {
        memory = unwritten(Math.max(length, Math.min(needed, most)))
        used = 0
      }
      memory.set(bytes, used)
      used += length
      deliver(memory.subarray(used - length, used), source)
    }
    let datagrams = 0
    for (let index = 0; index < count; index++) {
      datagrams += this.#deliver(index, index * STRIDE, hand)
      this.#messages.offer(index)
    }
    return { full: count === RECEIVED_AT_ONCE, datagrams, errno: 0 }
  }

  /** @returns datagrams */
  #deliver(index: number, from: number, deliver: Deliver): number {
    const memory = this.#messages.data
    const length = this.#messages.lengthOf(index)
    const words = this.#messages.nameWordsOf(index)
    if (words === undefined) return 1
    const source = this.#book.source(this.#messages.nameWords, (index * ADDRESS_ROOM) / 4, words)
    const segment = this.#messages.segmentOf(index) ?? length
    const end = from + length
    if (segment >= length) {
      deliver(memory.subarray(from, end), source)
      return 1
    }
    for (let at = from; at < end; at += segment) deliver(memory.subarray(at, Math.min(at + segment, end)), source)
    return Math.ceil(length / segment)
  }
}

/** All of it will be written. */
const unwritten = (bytes: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
