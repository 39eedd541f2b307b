/**
 * Streams whose every byte is known by its place: one end writes them, the other checks them as
 * they come. The pattern's length is a prime, so that bytes out of place are found, and nothing is
 * computed for them.
 */
import { type ConnectionHandle, READ_PIECE, type StreamRead } from '@showchain/client/core'
import type { SimPeer } from './sim-peer.ts'

const PERIOD = 65_521
const UNNAMED = { priority: 0 }
/** Bytes of one write. */
const PIECE = 32_768
const PATTERN: Uint8Array = Uint8Array.from(
  { length: PERIOD + READ_PIECE },
  (_, index) => Math.imul((index % PERIOD) + 1, 0x9e37_79b1) >>> 23,
)

/** The bytes of a stream from an offset on, at most READ_PIECE. */
export const streamBytes = (stream: number, offset: number, length: number): Uint8Array => {
  const from = (offset + stream * 7919) % PERIOD
  return PATTERN.subarray(from, from + length)
}

/** Writes streams of a given length at one end of a connection, as fast as flow control allows. */
export class StreamWriter {
  readonly #peer: SimPeer
  readonly #link: ConnectionHandle
  readonly #left = new Map<number, { offset: number; readonly length: number }>()
  /** Streams that the other end has acknowledged. */
  finished = 0

  constructor(peer: SimPeer, link: ConnectionHandle) {
    this.#peer = peer
    this.#link = link
    const before = peer.onStream
    peer.onStream = (event) => {
      before(event)
      if (event.connection !== link || event.type !== 'stream') return
      if (event.what === 'writable') this.#write(event.stream)
      if (event.what === 'finished') this.finished++
    }
  }

  /** @returns the stream's id. @throws Error when the other end allows no more */
  open(length: number): number {
    const id = this.#peer.command((machine, now) => machine.openStream(this.#link, UNNAMED, now))
    if (typeof id !== 'number') throw new Error('The other end allows no more streams.')
    this.#left.set(id, { offset: 0, length })
    this.#write(id)
    return id
  }

  #write(id: number): void {
    const left = this.#left.get(id)
    if (left === undefined) return
    this.#peer.command((machine, now) => {
      for (let room = true; room && left.offset < left.length; ) {
        const bytes = streamBytes(id, left.offset, Math.min(left.length - left.offset, PIECE))
        left.offset += bytes.length
        room = machine.writeStream(this.#link, id, bytes, now)
      }
      if (left.offset < left.length) return
      this.#left.delete(id)
      machine.endStream(this.#link, id, now)
    })
  }
}

/** Reads every stream that comes to a peer, and compares each byte with what it has to be. */
export class StreamChecker {
  readonly #peer: SimPeer
  /** By link and stream. */
  readonly #offsets = new Map<string, number>()
  /** Bytes that came, over all streams, and the pieces that were not what they should be. */
  bytes = 0
  wrong = 0
  /** Streams that came to their end. */
  ended = 0

  constructor(peer: SimPeer) {
    this.#peer = peer
    peer.onStream = (event) => {
      if (event.type === 'stream' && event.what === 'readable') this.#read(event.connection, event.stream)
    }
  }

  #read(link: ConnectionHandle, stream: number): void {
    const key = `${link} ${stream}`
    this.#peer.command((machine, now) => {
      const read = (): StreamRead | undefined => machine.readStream(link, stream, now)
      for (let found = read(); found !== undefined; found = read()) {
        if (found.type !== 'data') {
          this.ended++
          return
        }
        const offset = this.#offsets.get(key) ?? 0
        this.#check(stream, offset, found.bytes)
        this.#offsets.set(key, offset + found.bytes.length)
      }
    })
  }

  #check(stream: number, offset: number, bytes: Uint8Array): void {
    const expected = streamBytes(stream, offset, bytes.length)
    if (Buffer.compare(bytes, expected) !== 0) this.wrong++
    this.bytes += bytes.length
  }
}
