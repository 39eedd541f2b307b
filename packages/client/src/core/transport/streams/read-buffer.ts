/**
 * Bytes of a stream that came in order and wait to be read. They are copied out of their records,
 * next to each other: the reader gets few large pieces, and nothing keeps a record alive, or the
 * buffer of all datagrams that came with it.
 */
import { READ_PIECE, SMALL_PIECE } from '../limits.ts'

/** Of a buffer that is begun while others wait to be read: small pieces are joined in it. */
const JOINED = 4096
const EMPTY = new Uint8Array(0)

export class ReadBuffer {
  /** Full ones; bounded, as all of it, by the window. */
  #full: Uint8Array[] = []
  /** The last one, of which `#from` to `#to` is not read. */
  #last: Uint8Array = EMPTY
  #from = 0
  #to = 0
  #length = 0
  /** Bytes that came since it was empty last, and between the two times before. */
  #came = 0
  #cameBefore = 0

  /** Bytes that wait. */
  get length(): number {
    return this.#length
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done
      if (this.#to === this.#last.length) this.#begin(left)
      const count = Math.min(left, this.#last.length - this.#to)
      this.#last.set(count === bytes.length ? bytes : bytes.subarray(done, done + count), this.#to)
      this.#to += count
      this.#length += count
      this.#came += count
      done += count
    }
  }

  /**
   * The next piece: its memory is the reader's.
   * @param most bytes of it
   */
  take(most: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const piece = this.#full.shift() ?? (this.#from < this.#to ? this.#unread() : undefined)
    if (piece === undefined) return undefined
    if (piece.length > most) {
      this.#full.unshift(piece.subarray(most))
      this.#length -= most
      return piece.subarray(0, most)
    }
    this.#length -= piece.length
    if (this.#length === 0) this.clear()
    return piece
  }

  clear(): void {
    this.#full = []
    this.#last = EMPTY
    this.#from = 0
    this.#to = 0
    this.#length = 0
    this.#cameBefore = this.#came
    this.#came = 0
  }

  #unread(): Uint8Array {
    const { length } = this.#last
    const piece = this.#from === 0 && this.#to === length ? this.#last : this.#last.subarray(this.#from, this.#to)
    this.#from = this.#to
    return piece
  }

  /**
   * Begins another buffer: as large as what came the last time, or twice the one before it. A small
   * piece moves there.
   */
  #begin(needed: number): void {
    const joined = this.#length > 0 ? Math.max(JOINED, 2 * this.#last.length) : 0
    const unread = this.#from < this.#to ? this.#unread() : EMPTY
    const moves = unread.length < SMALL_PIECE
    if (!moves) this.#full.push(unread)
    this.#last = new Uint8Array(Math.min(READ_PIECE, Math.max(needed, this.#cameBefore, joined)))
    this.#from = 0
    this.#to = moves ? unread.length : 0
    if (moves) this.#last.set(unread)
  }
}
