/**
 * The receiving half of a stream (RFC 9000 §3.2): data in order, each byte once, within the limit.
 */

import { MAX_SMALL_PIECES, SMALL_PIECE } from '../limits.ts'
import { owned } from '../owned.ts'
import { ReadBuffer } from './read-buffer.ts'

/**
 * What a frame was: data beyond the limit or a changed final size violates the protocol (RFC 9000
 * §4.1, §4.5), and so do too many small pieces out of order.
 */
export type Arrival = 'ok' | 'flow control' | 'final size' | 'pieces'

/** Pieces of all streams of a connection that are below SMALL_PIECE and out of order. */
export interface SmallPieces {
  count: number
}

interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

export class ReceiveStream {
  readonly id: number
  /** Out of order: ascending and without overlap; bounded by the window. */
  readonly #pieces: Piece[] = []
  readonly #smallPieces: SmallPieces
  /** In order and not read; bounded by the window. */
  readonly #ready = new ReadBuffer()
  /** Offsets: in order below; read by the application below; received below. */
  #next = 0
  #read = 0
  #highest = 0
  #finalSize: number | undefined
  #limit: number
  #window: number
  readonly #maxWindow: number
  #resetCode: number | undefined
  #stopped = false

  constructor(id: number, window: number, maxWindow: number, smallPieces: SmallPieces = { count: 0 }) {
    this.id = id
    this.#smallPieces = smallPieces
    this.#limit = window
    this.#window = window
    this.#maxWindow = maxWindow
  }

  /** One more than the highest offset received: counts for the connection's limit. */
  get highest(): number {
    return this.#highest
  }

  /** Offset below which the application has read. */
  get readTo(): number {
    return this.#read
  }

  /** All data has arrived; the application may not have read it. */
  get complete(): boolean {
    return this.#finalSize !== undefined && this.#next === this.#finalSize
  }

  /** The application has read all data, or the stream was reset. */
  get done(): boolean {
    return this.#resetCode !== undefined || (this.complete && this.#ready.length === 0)
  }

  /** Application error code of the remote peer's RESET_STREAM. */
  get resetCode(): number | undefined {
    return this.#resetCode
  }

  get readable(): boolean {
    return this.#ready.length > 0 || this.done
  }

  /** A STREAM frame came. `data` is not written again. */
  receive(offset: number, data: Uint8Array, fin: boolean): Arrival {
    const end = offset + data.length
    if (end > this.#limit) return 'flow control'
    if (this.#finalSize !== undefined && (end > this.#finalSize || (fin && end !== this.#finalSize)))
      return 'final size'
    if (fin && end < this.#highest) return 'final size'
    if (fin) this.#finalSize = end
    this.#highest = Math.max(this.#highest, end)
    if (this.#resetCode !== undefined || end <= this.#next) return 'ok'
    if (offset <= this.#next && this.#pieces.length === 0)
      this.#append(offset === this.#next ? data : data.subarray(this.#next - offset))
    else this.#insert(Math.max(offset, this.#next), offset < this.#next ? data.subarray(this.#next - offset) : data)
    return this.#smallPieces.count > MAX_SMALL_PIECES ? 'pieces' : 'ok'
  }

  /** RESET_STREAM came. */
  reset(code: number, finalSize: number): Arrival {
    if (finalSize > this.#limit) return 'flow control'
    if (finalSize < this.#highest || (this.#finalSize !== undefined && this.#finalSize !== finalSize))
      return 'final size'
    // "Data Recvd" (RFC 9000 §3.2): all data arrived, FIN included, and may still be read.
    const { complete } = this
    this.#finalSize = finalSize
    this.#highest = finalSize
    if (!complete) this.#drop(code)
    return 'ok'
  }

  /** The application reads no more: what arrives is dropped. */
  stop(): void {
    this.#stopped = true
    this.#takePieces(this.#pieces.length)
    this.#ready.clear()
    this.#read = this.#next
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /**
   * The next data in order.
   * @param most bytes of it
   */
  read(most?: number): Uint8Array | undefined {
    const chunk = this.#ready.take(most)
    if (chunk === undefined) return undefined
    this.#read += chunk.length
    return chunk
  }

  /** Whether MAX_STREAM_DATA is due: half of the window is used up. */
  get limitDue(): boolean {
    if (this.#finalSize !== undefined || this.#resetCode !== undefined) return false
    return this.#limit - this.#read < this.#window / 2
  }

  /**
   * Raises the limit.
   * @param widen the window limits the sender.
   * @returns what MAX_STREAM_DATA announces
   */
  raiseLimit(widen: boolean): number {
    if (widen) this.#window = Math.min(2 * this.#window, this.#maxWindow)
    this.#limit = Math.max(this.#limit, this.#read + this.#window)
    return this.#limit
  }

  #drop(code: number): void {
    this.#resetCode = code
    this.#takePieces(this.#pieces.length)
    this.#ready.clear()
    this.#read = this.#highest
  }

  #append(bytes: Uint8Array): void {
    this.#next += bytes.length
    if (this.#stopped) {
      this.#read = this.#next
      return
    }
    this.#ready.append(bytes)
  }

  /** Removes the first pieces. */
  #takePieces(count: number): readonly Piece[] {
    const taken = this.#pieces.splice(0, count)
    for (const { bytes } of taken) if (bytes.length < SMALL_PIECE) this.#smallPieces.count--
    return taken
  }

  /** Keeps what is new, then moves what is in order to the reader. */
  #insert(offset: number, data: Uint8Array): void {
    const pieces = this.#pieces
    const end = offset + data.length
    let at = offset
    let index = this.#indexAfter(offset)
    const before = pieces[index - 1]
    if (before !== undefined) at = Math.max(at, before.at + before.bytes.length)
    while (at < end) {
      const next = pieces[index]
      const to = next === undefined ? end : Math.min(end, next.at)
      if (at < to) {
        pieces.splice(index, 0, { at, bytes: owned(data.subarray(at - offset, to - offset)) })
        if (to - at < SMALL_PIECE) this.#smallPieces.count++
        index++
      }
      if (next === undefined) break
      at = Math.max(to, next.at + next.bytes.length)
      index++
    }
    let ready = 0
    let next = this.#next
    for (let piece = pieces[ready]; piece !== undefined && piece.at === next; piece = pieces[ready]) {
      next += piece.bytes.length
      ready++
    }
    if (ready > 0) for (const { bytes } of this.#takePieces(ready)) this.#append(bytes)
  }

  /** Index of the first piece that begins beyond an offset. */
  #indexAfter(offset: number): number {
    let [low, high] = [0, this.#pieces.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#pieces[middle] as Piece).at <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
