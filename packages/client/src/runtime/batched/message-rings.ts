/**
 * Many datagrams in one system call: the memory that recvmmsg(2) and sendmmsg(2) read and write.
 * The only file that writes addresses into memory. Each ring is made once and never moves.
 *
 *   mmsghdr (64 bytes)   name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48, len 56
 *   iovec (16)           base 0, len 8
 *   cmsghdr (24)         len 0, level 8, type 12, data 16
 */
import { constants } from 'node:os'
import type { Endpoint } from '@showchain/wire'
import { type Libc, MSG_TRUNC, SOL_UDP, UDP_GRO, UDP_SEGMENT } from './libc.ts'
import { ADDRESS_ROOM, DestinationBook, SourceBook } from './socket-address.ts'

const HEADER = {
  bytes: 64,
  name: 0,
  nameLength: 8,
  vector: 16,
  vectors: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  length: 56,
} as const
const VECTOR = { bytes: 16, base: 0, length: 8 } as const
const CONTROL = { bytes: 24, length: 0, level: 8, type: 12, data: 16 } as const

/** Of an address; a train is at most as long (UDP_GRO). */
const LARGEST = 65_535
/**
 * From one buffer that is received into to the next one: multiples of 64 KiB would share the same
 * lines of the cache.
 */
const STRIDE = LARGEST + 2113
/** Datagrams, or trains of them, of one call. */
const RECEIVED_AT_ONCE = 16
const SENT_AT_ONCE = 64
/** Datagrams that wait for one call, and their bytes: some trains. */
const MAX_WAITING = 256
const SEND_ROOM = 4 * LARGEST
/** UDP_MAX_SEGMENTS of Linux before 6.9. */
const TRAIN_DATAGRAMS = 64
/** A train is one packet to the IP layer. */
const TRAIN_BYTES = 65_000

const TWO_32 = 2 ** 32

/** Headers and what they point to, for so many messages. */
class Messages {
  readonly headers: Buffer
  readonly names: Buffer
  readonly vectors: Buffer
  readonly controls: Buffer
  readonly data: Uint8Array
  /** The integers of `names`. */
  readonly nameWords: Int32Array
  /** A number has room for an address: 57 bits at most, of which the last four are 0. */
  readonly #dataAddress: number

  constructor(libc: Libc, count: number, dataBytes: number) {
    const make = (bytes: number): Buffer => Buffer.alloc(bytes)
    this.headers = make(count * HEADER.bytes)
    this.names = make(count * ADDRESS_ROOM)
    this.vectors = make(count * VECTOR.bytes)
    this.controls = make(count * CONTROL.bytes)
    this.data = new Uint8Array(dataBytes)
    this.nameWords = new Int32Array(this.names.buffer, this.names.byteOffset, this.names.length / 4)
    this.#dataAddress = Number(libc.address(this.data))
    const [names, vectors, controls] = [this.names, this.vectors, this.controls].map((each) => libc.address(each))
    for (let index = 0; index < count; index++) {
      const at = index * HEADER.bytes
      this.headers.writeBigUInt64LE((names as bigint) + BigInt(index * ADDRESS_ROOM), at + HEADER.name)
      this.headers.writeBigUInt64LE((vectors as bigint) + BigInt(index * VECTOR.bytes), at + HEADER.vector)
      this.headers.writeBigUInt64LE(1n, at + HEADER.vectors)
      this.headers.writeBigUInt64LE((controls as bigint) + BigInt(index * CONTROL.bytes), at + HEADER.control)
    }
  }

  /** Makes a message's data a part of `data`. */
  point(index: number, from: number, length: number): void {
    const at = index * VECTOR.bytes
    const address = this.#dataAddress + from
    this.vectors.writeUInt32LE(address % TWO_32, at + VECTOR.base)
    this.vectors.writeUInt32LE(Math.floor(address / TWO_32), at + VECTOR.base + 4)
    this.vectors.writeUInt32LE(length, at + VECTOR.length)
  }
}

/** What came of one call. */
export interface Received {
  /** Of the call: at most RECEIVED_AT_ONCE; below that nothing more is there. */
  readonly full: boolean
  /** 0: none. */
  readonly errno: number
}

type Deliver = (bytes: Uint8Array, source: Endpoint | undefined) => void

const NOTHING: Received = { full: false, errno: 0 }

export class ReceiveRing {
  readonly #libc: Libc
  readonly #messages: Messages
  readonly #book = new SourceBook()

  constructor(libc: Libc) {
    this.#libc = libc
    this.#messages = new Messages(libc, RECEIVED_AT_ONCE, RECEIVED_AT_ONCE * STRIDE)
    for (let index = 0; index < RECEIVED_AT_ONCE; index++) {
      this.#messages.point(index, index * STRIDE, LARGEST)
      this.#offer(index)
    }
  }

  /**
   * @param deliver is handed memory of its own, or of the ring; source undefined: it has no meaning here
   * @param borrowed first byte of datagrams that stay in the ring until the next call
   */
  receive(descriptor: number, deliver: Deliver, borrowed: number | undefined): Received {
    const { headers, data } = this.#messages
    const count = this.#libc.recvmmsg(descriptor, headers, RECEIVED_AT_ONCE, 0, null)
    if (count < 0) return { full: false, errno: this.#libc.errno() }
    if (count === 0) return NOTHING
    const owns = borrowed === undefined
    let total = 0
    for (let index = 0; owns && index < count; index++) total += this.#lengthOf(index)
    // One allocation for all of them; what a machine keeps are views of it.
    const memory = owns ? unwritten(total) : data
    const hand: Deliver = owns
      ? deliver
      : (bytes, source) => deliver(bytes[0] === borrowed ? bytes : bytes.slice(), source)
    for (let index = 0, at = 0; index < count; index++) {
      const [from, length] = [index * STRIDE, this.#lengthOf(index)]
      if (owns) memory.set(data.subarray(from, from + length), at)
      this.#deliver(index, memory, owns ? at : from, length, hand)
      this.#offer(index)
      at += length
    }
    return count === RECEIVED_AT_ONCE ? { full: true, errno: 0 } : NOTHING
  }

  /** The kernel has written there how much of the room it used. */
  #offer(index: number): void {
    const { headers } = this.#messages
    headers.writeUInt32LE(ADDRESS_ROOM, index * HEADER.bytes + HEADER.nameLength)
    headers.writeUInt32LE(CONTROL.bytes, index * HEADER.bytes + HEADER.controlLength)
  }

  #lengthOf(index: number): number {
    return Math.min(this.#messages.headers.readUInt32LE(index * HEADER.bytes + HEADER.length), LARGEST)
  }

  #deliver(index: number, memory: Uint8Array, from: number, length: number, deliver: Deliver): void {
    const { headers, nameWords } = this.#messages
    const at = index * HEADER.bytes
    const nameLength = headers.readUInt32LE(at + HEADER.nameLength)
    if (nameLength > ADDRESS_ROOM || (headers.readInt32LE(at + HEADER.flags) & MSG_TRUNC) !== 0) return
    const source = this.#book.source(nameWords, (index * ADDRESS_ROOM) / 4, nameLength >> 2)
    const segment = this.#segmentOf(index) ?? length
    const end = from + length
    if (segment >= length) return deliver(memory.subarray(from, end), source)
    for (let at = from; at < end; at += segment) deliver(memory.subarray(at, Math.min(at + segment, end)), source)
  }

  /** How long each datagram of a train is; the last one may be shorter. */
  #segmentOf(index: number): number | undefined {
    const { headers, controls } = this.#messages
    const [at, control] = [index * HEADER.bytes, index * CONTROL.bytes]
    if (headers.readUInt32LE(at + HEADER.controlLength) < CONTROL.data + 4) return undefined
    const isSegment =
      controls.readInt32LE(control + CONTROL.level) === SOL_UDP &&
      controls.readInt32LE(control + CONTROL.type) === UDP_GRO
    const segment = isSegment ? controls.readInt32LE(control + CONTROL.data) : 0
    return segment > 0 ? segment : undefined
  }
}

/** All of it will be written. */
const unwritten = (bytes: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)

const { EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, EOPNOTSUPP } = constants.errno

/** Datagrams that wait for one call, in order. Those of one length to one place leave as a train. */
export class SendRing {
  readonly #libc: Libc
  readonly #messages: Messages
  readonly #book = new DestinationBook()
  readonly #destinations: Uint8Array[] = []
  readonly #lengths: number[] = []
  /** Where in `data` the first waiting datagram begins, and where the next one goes. */
  #from = 0
  #to = 0
  #trains: boolean
  /** Datagrams of a refused train, which are sent by themselves. */
  #singly = 0

  /** @param trains whether the kernel cuts trains (UDP_SEGMENT) */
  constructor(libc: Libc, trains: boolean) {
    this.#libc = libc
    this.#trains = trains
    this.#messages = new Messages(libc, SENT_AT_ONCE, SEND_ROOM)
  }

  get waiting(): number {
    return this.#lengths.length
  }

  /** Copies the datagram. @returns false: there is no room before a flush */
  add(to: Endpoint, bytes: Uint8Array): boolean {
    if (this.#lengths.length >= MAX_WAITING || this.#to + bytes.length > SEND_ROOM) return false
    this.#messages.data.set(bytes, this.#to)
    this.#to += bytes.length
    this.#destinations.push(this.#book.destination(to))
    this.#lengths.push(bytes.length)
    return true
  }

  /** @returns whether the kernel's buffer is full: the rest waits */
  flush(descriptor: number, unsent: (errno: number, count: number) => void): boolean {
    while (this.#lengths.length > 0) {
      const counts = this.#arrange()
      const sent = this.#libc.sendmmsg(descriptor, this.#messages.headers, counts.length, 0)
      if (sent >= 0) {
        let datagrams = 0
        for (let message = 0; message < sent; message++) datagrams += counts[message] as number
        this.#drop(datagrams)
        continue
      }
      const errno = this.#libc.errno()
      if (errno === EAGAIN) return true
      if (errno === EINTR) continue
      const first = counts[0] as number
      // A device that cannot cut trains, and one that is narrower than their datagrams.
      if (first > 1 && (errno === EIO || errno === EOPNOTSUPP)) this.#trains = false
      else if (first > 1 && (errno === EINVAL || errno === EMSGSIZE)) this.#singly = first
      else {
        this.#drop(first)
        unsent(errno, first)
      }
    }
    return false
  }

  /** Writes the headers. @returns how many datagrams each message has */
  #arrange(): readonly number[] {
    const { headers, names, controls } = this.#messages
    const counts: number[] = []
    let from = this.#from
    for (let index = 0; index < this.#lengths.length && counts.length < SENT_AT_ONCE; ) {
      const message = counts.length
      const destination = this.#destinations[index] as Uint8Array
      const { count, bytes } = this.#trainFrom(index)
      names.set(destination, message * ADDRESS_ROOM)
      this.#messages.point(message, from, bytes)
      const at = message * HEADER.bytes
      headers.writeUInt32LE(destination.length, at + HEADER.nameLength)
      headers.writeUInt32LE(count > 1 ? CONTROL.bytes : 0, at + HEADER.controlLength)
      if (count > 1) {
        const control = message * CONTROL.bytes
        controls.writeUInt32LE(CONTROL.data + 2, control + CONTROL.length)
        controls.writeInt32LE(SOL_UDP, control + CONTROL.level)
        controls.writeInt32LE(UDP_SEGMENT, control + CONTROL.type)
        controls.writeUInt16LE(this.#lengths[index] as number, control + CONTROL.data)
      }
      counts.push(count)
      from += bytes
      index += count
    }
    return counts
  }

  /** The datagrams from this one on that can leave as one train: all of its length but the last. */
  #trainFrom(index: number): { readonly count: number; readonly bytes: number } {
    const length = this.#lengths[index] as number
    let [count, bytes] = [1, length]
    if (!this.#trains || length === 0 || index < this.#singly) return { count, bytes }
    while (count < TRAIN_DATAGRAMS && index + count < this.#lengths.length) {
      const next = this.#lengths[index + count] as number
      const fits = next > 0 && next <= length && bytes + next <= TRAIN_BYTES
      if (!fits || this.#destinations[index + count] !== this.#destinations[index]) break
      count++
      bytes += next
      if (next < length) break
    }
    return { count, bytes }
  }

  #drop(count: number): void {
    this.#singly = Math.max(0, this.#singly - count)
    if (count === this.#lengths.length) {
      this.#destinations.length = 0
      this.#lengths.length = 0
      this.#from = 0
      this.#to = 0
      return
    }
    this.#destinations.splice(0, count)
    for (const length of this.#lengths.splice(0, count)) this.#from += length
  }
}
