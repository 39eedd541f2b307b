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

/**
 * Headers and what they point to. A message consists of pieces of `data`. They are views, whose methods are
 * V8's own: those of a Buffer are a dozen functions of JavaScript, which are slow after a pause.
 */
export class Messages {
  /** For the system call. */
  readonly headers: Uint8Array
  readonly data: Uint8Array
  /** The integers of all addresses. */
  readonly nameWords: Int32Array
  readonly #names: Uint8Array
  readonly #headers: DataView
  readonly #vectors: DataView
  readonly #controls: DataView
  /** A number has room for an address: 57 bits at most, of which the last four are 0. */
  readonly #dataAddress: number
  readonly #vectorsAddress: number

  constructor(libc: Libc, { messages, pieces, data }: Room) {
    this.headers = new Uint8Array(messages * HEADER.bytes)
    this.data = new Uint8Array(data)
    this.#names = new Uint8Array(messages * ADDRESS_ROOM)
    const [vectors, controls] = [new Uint8Array(pieces * VECTOR.bytes), new Uint8Array(messages * CONTROL.bytes)]
    this.nameWords = new Int32Array(this.#names.buffer)
    this.#headers = new DataView(this.headers.buffer)
    this.#vectors = new DataView(vectors.buffer)
    this.#controls = new DataView(controls.buffer)
    this.#dataAddress = Number(libc.address(this.data))
    this.#vectorsAddress = Number(libc.address(vectors))
    const [namesAddress, controlsAddress] = [libc.address(this.#names), libc.address(controls)]
    for (let index = 0; index < messages; index++) {
      const at = index * HEADER.bytes
      this.#headers.setBigUint64(at + HEADER.name, namesAddress + BigInt(index * ADDRESS_ROOM), true)
      this.#headers.setBigUint64(at + HEADER.control, controlsAddress + BigInt(index * CONTROL.bytes), true)
    }
  }

  /** Makes a piece a part of `data`. @throws RangeError */
  place(piece: number, from: number, length: number): void {
    if (from < 0 || length < 0 || from + length > this.data.length) throw new RangeError('outside of the data')
    const at = piece * VECTOR.bytes
    writeAddress(this.#vectors, this.#dataAddress + from, at + VECTOR.base)
    this.#vectors.setUint32(at + VECTOR.length, length, true)
  }

  /** Makes a message consist of so many pieces from one on. @throws RangeError */
  compose(index: number, piece: number, count: number): void {
    if (piece < 0 || (piece + count) * VECTOR.bytes > this.#vectors.byteLength)
      throw new RangeError('outside of the pieces')
    const at = index * HEADER.bytes
    writeAddress(this.#headers, this.#vectorsAddress + piece * VECTOR.bytes, at + HEADER.vector)
    this.#headers.setUint32(at + HEADER.vectors, count, true)
  }

  /** Where a message goes. @param segment how long each datagram of a train is; 0: it is no train */
  address(index: number, to: Uint8Array, segment: number): void {
    this.#names.set(to, index * ADDRESS_ROOM)
    const at = index * HEADER.bytes
    this.#headers.setUint32(at + HEADER.nameLength, to.length, true)
    this.#headers.setUint32(at + HEADER.controlLength, segment > 0 ? CONTROL.bytes : 0, true)
    if (segment === 0) return
    const control = index * CONTROL.bytes
    this.#controls.setUint32(control + CONTROL.length, CONTROL.data + 2, true)
    this.#controls.setInt32(control + CONTROL.level, SOL_UDP, true)
    this.#controls.setInt32(control + CONTROL.type, UDP_SEGMENT, true)
    this.#controls.setUint16(control + CONTROL.data, segment, true)
  }

  /** All room for a message that will come. The kernel writes there how much of it it used. */
  offer(index: number): void {
    const at = index * HEADER.bytes
    this.#headers.setUint32(at + HEADER.nameLength, ADDRESS_ROOM, true)
    this.#headers.setUint32(at + HEADER.controlLength, CONTROL.bytes, true)
  }

  /** Bytes of a message that came. */
  lengthOf(index: number): number {
    return Math.min(this.#headers.getUint32(index * HEADER.bytes + HEADER.length, true), LARGEST)
  }

  /** Integers of the address that a message came from; undefined: it is not whole, or not one of ours. */
  nameWordsOf(index: number): number | undefined {
    const at = index * HEADER.bytes
    const length = this.#headers.getUint32(at + HEADER.nameLength, true)
    if (length > ADDRESS_ROOM || (this.#headers.getInt32(at + HEADER.flags, true) & MSG_TRUNC) !== 0) return undefined
    return length >> 2
  }

  /** How long each datagram of a train that came is; the last one may be shorter. */
  segmentOf(index: number): number | undefined {
    const at = index * HEADER.bytes
    const control = index * CONTROL.bytes
    if (this.#headers.getUint32(at + HEADER.controlLength, true) < CONTROL.data + 4) return undefined
    const isSegment =
      this.#controls.getInt32(control + CONTROL.level, true) === SOL_UDP &&
      this.#controls.getInt32(control + CONTROL.type, true) === UDP_GRO
    const segment = isSegment ? this.#controls.getInt32(control + CONTROL.data, true) : 0
    return segment > 0 ? segment : undefined
  }
}

function writeAddress(memory: DataView, address: number, at: number): void {
  memory.setUint32(at, address % TWO_32, true)
  memory.setUint32(at + 4, Math.floor(address / TWO_32), true)
}
