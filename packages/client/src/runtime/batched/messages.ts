/**
 * The memory that recvmmsg(2) and sendmmsg(2) read and write, for many datagrams in one system call.
 * The only file that writes addresses into memory, and the only one that knows what lies where. Each
 * block is made once and never moves.
 *
 *   mmsghdr (64 bytes)   name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48, len 56
 *   iovec (16)           base 0, len 8
 *   cmsghdr (24)         len 0, level 8, type 12, data 16
 */
import { type Libc, MSG_TRUNC, SOL_UDP, UDP_GRO, UDP_SEGMENT } from './libc.ts'
import { ADDRESS_ROOM } from './socket-address.ts'

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

/** Bytes of a message: a train is at most as long (UDP_GRO). */
export const LARGEST = 65_535

const TWO_32 = 2 ** 32

/** What a block has room for. */
export interface Room {
  readonly messages: number
  /** Pieces of `data` that the messages consist of. */
  readonly pieces: number
  /** Bytes of `data`. */
  readonly data: number
}

/** Headers and what they point to. A message consists of pieces of `data`. */
export class Messages {
  /** For the system call. */
  readonly headers: Buffer
  readonly data: Uint8Array
  /** The integers of all addresses. */
  readonly nameWords: Int32Array
  readonly #names: Buffer
  readonly #vectors: Buffer
  readonly #controls: Buffer
  /** A number has room for an address: 57 bits at most, of which the last four are 0. */
  readonly #dataAddress: number
  readonly #vectorsAddress: number

  constructor(libc: Libc, { messages, pieces, data }: Room) {
    this.headers = Buffer.alloc(messages * HEADER.bytes)
    this.data = new Uint8Array(data)
    this.#names = Buffer.alloc(messages * ADDRESS_ROOM)
    this.#vectors = Buffer.alloc(pieces * VECTOR.bytes)
    this.#controls = Buffer.alloc(messages * CONTROL.bytes)
    this.nameWords = new Int32Array(this.#names.buffer, this.#names.byteOffset, this.#names.length / 4)
    this.#dataAddress = Number(libc.address(this.data))
    this.#vectorsAddress = Number(libc.address(this.#vectors))
    const [names, controls] = [libc.address(this.#names), libc.address(this.#controls)]
    for (let index = 0; index < messages; index++) {
      const at = index * HEADER.bytes
      this.headers.writeBigUInt64LE(names + BigInt(index * ADDRESS_ROOM), at + HEADER.name)
      this.headers.writeBigUInt64LE(controls + BigInt(index * CONTROL.bytes), at + HEADER.control)
    }
  }

  /** Makes a piece a part of `data`. @throws RangeError */
  place(piece: number, from: number, length: number): void {
    if (from < 0 || length < 0 || from + length > this.data.length) throw new RangeError('outside of the data')
    const at = piece * VECTOR.bytes
    writeAddress(this.#vectors, this.#dataAddress + from, at + VECTOR.base)
    this.#vectors.writeUInt32LE(length, at + VECTOR.length)
  }

  /** Makes a message consist of so many pieces from one on. @throws RangeError */
  compose(index: number, piece: number, count: number): void {
    if (piece < 0 || (piece + count) * VECTOR.bytes > this.#vectors.length)
      throw new RangeError('outside of the pieces')
    const at = index * HEADER.bytes
    writeAddress(this.headers, this.#vectorsAddress + piece * VECTOR.bytes, at + HEADER.vector)
    this.headers.writeUInt32LE(count, at + HEADER.vectors)
  }

  /** Where a message goes. @param segment how long each datagram of a train is; 0: it is no train */
  address(index: number, to: Uint8Array, segment: number): void {
    this.#names.set(to, index * ADDRESS_ROOM)
    const at = index * HEADER.bytes
    this.headers.writeUInt32LE(to.length, at + HEADER.nameLength)
    this.headers.writeUInt32LE(segment > 0 ? CONTROL.bytes : 0, at + HEADER.controlLength)
    if (segment === 0) return
    const control = index * CONTROL.bytes
    this.#controls.writeUInt32LE(CONTROL.data + 2, control + CONTROL.length)
    this.#controls.writeInt32LE(SOL_UDP, control + CONTROL.level)
    this.#controls.writeInt32LE(UDP_SEGMENT, control + CONTROL.type)
    this.#controls.writeUInt16LE(segment, control + CONTROL.data)
  }

  /** All room for a message that will come. The kernel writes there how much of it it used. */
  offer(index: number): void {
    const at = index * HEADER.bytes
    this.headers.writeUInt32LE(ADDRESS_ROOM, at + HEADER.nameLength)
    this.headers.writeUInt32LE(CONTROL.bytes, at + HEADER.controlLength)
  }

  /** Bytes of a message that came. */
  lengthOf(index: number): number {
    return Math.min(this.headers.readUInt32LE(index * HEADER.bytes + HEADER.length), LARGEST)
  }

  /** Integers of the address that a message came from; undefined: it is not whole, or not one of ours. */
  nameWordsOf(index: number): number | undefined {
    const at = index * HEADER.bytes
    const length = this.headers.readUInt32LE(at + HEADER.nameLength)
    if (length > ADDRESS_ROOM || (this.headers.readInt32LE(at + HEADER.flags) & MSG_TRUNC) !== 0) return undefined
    return length >> 2
  }

  /** How long each datagram of a train that came is; the last one may be shorter. */
  segmentOf(index: number): number | undefined {
    const at = index * HEADER.bytes
    const control = index * CONTROL.bytes
    if (this.headers.readUInt32LE(at + HEADER.controlLength) < CONTROL.data + 4) return undefined
    const isSegment =
      this.#controls.readInt32LE(control + CONTROL.level) === SOL_UDP &&
      this.#controls.readInt32LE(control + CONTROL.type) === UDP_GRO
    const segment = isSegment ? this.#controls.readInt32LE(control + CONTROL.data) : 0
    return segment > 0 ? segment : undefined
  }
}

function writeAddress(memory: Buffer, address: number, at: number): void {
  memory.writeUInt32LE(address % TWO_32, at)
  memory.writeUInt32LE(Math.floor(address / TWO_32), at + 4)
}
