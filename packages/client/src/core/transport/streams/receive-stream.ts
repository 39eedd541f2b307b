/** The receiving half of a stream (RFC 9000 §3.2): puts what came in order, each byte once, within what was allowed. */

/** What an arrival was: bytes beyond the limit, or beyond or before the end, break the rules (RFC 9000 §4.1, §4.5). */
export type Arrival = 'ok' | 'flow control' | 'final size'

interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

export class ReceiveStream {
  readonly id: number
  /** What cannot be read yet, ascending and without overlap; bounded by the window. */
  readonly #pieces: Piece[] = []
  /** What can be read, in order; bounded by the window. */
  #ready: Uint8Array[] = []
  #readyBytes = 0
  /** Offsets: how far it is in order; how far the application has read; the highest that came. */
  #next = 0
  #read = 0
  #highest = 0
  #finalSize: number | undefined
  #limit: number
  #window: number
  readonly #maxWindow: number
  #reset: number | undefined
  #stopped = false

  constructor(id: number, window: number, maxWindow: number) {
    this.id = id
    this.#limit = window
    this.#window = window
    this.#maxWindow = maxWindow
  }

  /** The highest offset that came: counts for the connection's limit. */
  get highest(): number {
    return this.#highest
  }

  /** Offset up to which the application has read. */
  get readTo(): number {
    return this.#read
  }

  get limit(): number {
    return this.#limit
  }

  /** Everything came; the application may still have to read it. */
  get complete(): boolean {
    return this.#finalSize !== undefined && this.#next === this.#finalSize
  }

  /** The application has had everything, or there is nothing to have any more. */
  get done(): boolean {
    return this.#reset !== undefined || (this.complete && this.#readyBytes === 0)
  }

  /** The other end's code, when it gave up. */
  get resetCode(): number | undefined {
    return this.#reset
  }

  get readable(): boolean {
    return this.#readyBytes > 0 || this.done
  }

  /** A frame came. `data` may be kept. */
  receive(offset: number, data: Uint8Array, fin: boolean): Arrival {
    const end = offset + data.length
    if (end > this.#limit) return 'flow control'
    if (this.#finalSize !== undefined && (end > this.#finalSize || (fin && end !== this.#finalSize)))
      return 'final size'
    if (fin && end < this.#highest) return 'final size'
    if (fin) this.#finalSize = end
    this.#highest = Math.max(this.#highest, end)
    if (this.#reset !== undefined || end <= this.#next) return 'ok'
    if (offset <= this.#next && this.#pieces.length === 0) this.#append(data.subarray(this.#next - offset))
    else this.#insert(Math.max(offset, this.#next), offset < this.#next ? data.subarray(this.#next - offset) : data)
    return 'ok'
  }

  /** RESET_STREAM came. */
  wasReset(code: number, finalSize: number): Arrival {
    if (finalSize > this.#limit) return 'flow control'
    if (finalSize < this.#highest || (this.#finalSize !== undefined && this.#finalSize !== finalSize))
      return 'final size'
    this.#finalSize = finalSize
    this.#highest = finalSize
    // What is complete may still be read.
    if (!this.complete) this.#drop(code)
    return 'ok'
  }

  /** The application does not want the rest. */
  stop(): void {
    this.#stopped = true
    this.#pieces.length = 0
    this.#ready = []
    this.#readyBytes = 0
    this.#read = this.#next
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** What is there, in order. */
  take(): Uint8Array | undefined {
    const chunk = this.#ready.shift()
    if (chunk === undefined) return undefined
    this.#readyBytes -= chunk.length
    this.#read += chunk.length
    return chunk
  }

  /** Whether the other end should be told of a higher limit: half of the window is used up. */
  get wantsLimit(): boolean {
    if (this.#finalSize !== undefined || this.#reset !== undefined) return false
    return this.#limit - this.#read < this.#window / 2
  }

  /** The higher limit. @param widen the application reads faster than the window lets come */
  raiseLimit(widen: boolean): number {
    if (widen) this.#window = Math.min(2 * this.#window, this.#maxWindow)
    this.#limit = Math.max(this.#limit, this.#read + this.#window)
    return this.#limit
  }

  #drop(code: number): void {
    this.#reset = code
    this.#pieces.length = 0
    this.#ready = []
    this.#readyBytes = 0
    this.#read = this.#highest
  }

  #append(bytes: Uint8Array): void {
    this.#next += bytes.length
    if (this.#stopped) {
      this.#read = this.#next
      return
    }
    if (bytes.length === 0) return
    this.#ready.push(bytes)
    this.#readyBytes += bytes.length
  }

  /** Keeps the parts that are not there yet, then moves what has come into order. */
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
        pieces.splice(index, 0, { at, bytes: owned(data, at - offset, to - offset) })
        index++
      }
      if (next === undefined) break
      at = Math.max(to, next.at + next.bytes.length)
      index++
    }
    let ready = 0
    for (let piece = pieces[ready]; piece !== undefined && piece.at === this.#next; piece = pieces[ready]) {
      this.#append(piece.bytes)
      ready++
    }
    if (ready > 0) pieces.splice(0, ready)
  }

  /** Index of the first piece that begins after an offset. */
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

/** A view of a record's bytes, or a copy where the view would hold much more memory than it shows. */
function owned(data: Uint8Array, from: number, to: number): Uint8Array {
  const part = data.subarray(from, to)
  return part.length * 2 < data.buffer.byteLength ? part.slice() : part
}
