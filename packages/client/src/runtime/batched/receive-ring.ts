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
    const { headers, data } = this.#messages
    const count = this.#libc.recvmmsg(descriptor, headers, RECEIVED_AT_ONCE, 0, null)
    if (count < 0) return { ...NOTHING, errno: this.#libc.errno() }
    if (count === 0) return NOTHING
    let total = 0
    for (let index = 0; borrows === undefined && index < count; index++) total += this.#messages.lengthOf(index)
    // One allocation for all of them; what a machine keeps are views of it.
    const memory = borrows === undefined ? unwritten(total) : data
    const hand: Deliver =
      borrows === undefined ? deliver : (bytes, source) => deliver(borrows(bytes) ? bytes : bytes.slice(), source)
    let datagrams = 0
    for (let index = 0, at = 0; index < count; index++) {
      const from = index * STRIDE
      const length = this.#messages.lengthOf(index)
      if (borrows === undefined) memory.set(data.subarray(from, from + length), at)
      datagrams += this.#deliver(index, memory, borrows === undefined ? at : from, length, hand)
      this.#messages.offer(index)
      at += length
    }
    return { full: count === RECEIVED_AT_ONCE, datagrams, errno: 0 }
  }

  /** @returns datagrams */
  #deliver(index: number, memory: Uint8Array, from: number, length: number, deliver: Deliver): number {
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
