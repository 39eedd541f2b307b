/**
 * The numbers of a session that have arrived: a bitmap that slides with the newest (RFC 6479). It
 * is
 * a ring of 32-bit blocks, so that sliding clears blocks and shifts no bits.
 */

/** Numbers behind the newest that are still tracked (docs/protocol.md, Replay). */
export const REPLAY_WINDOW = 8128
const BLOCK_BITS = 32
/** The window is not aligned to blocks, hence two more: 8,192 bits. */
const BLOCKS = REPLAY_WINDOW / BLOCK_BITS + 2
/** Blocks of a new session; most have only a few messages in flight. */
const FIRST_BLOCKS = 4

/** Whether a number is new, came before, or is too old to tell. */
export type Freshness = 'fresh' | 'seen' | 'old'

/** Which record numbers came (docs/protocol.md, Records; RFC 4303 §3.4.3). */
export class ReplayWindow {
  /** A ring of blocks; it grows up to BLOCKS. */
  #ring: Uint32Array | undefined
  #newest = -1
  /** Number of the oldest block in the ring. */
  #oldestBlock = 0

  /** Whether a number is new, was seen, or is behind the window. Changes nothing. */
  check(seq: number): Freshness {
    if (seq > this.#newest) return 'fresh'
    if (seq <= this.#newest - REPLAY_WINDOW) return 'old'
    const block = Math.floor(seq / BLOCK_BITS)
    // Older than all in the ring: never marked.
    if (this.#ring === undefined || block < this.#oldestBlock) return 'fresh'
    return (this.#word(this.#ring, block) & bit(seq)) === 0 ? 'fresh' : 'seen'
  }

  /** Marks a number as seen; false if it was, or is too old. Call it only for authentic records. */
  accept(seq: number): boolean {
    if (this.check(seq) !== 'fresh') return false
    const block = Math.floor(seq / BLOCK_BITS)
    const ring = this.#cover(block)
    const index = block % ring.length
    ring[index] = (ring[index] as number) | bit(seq)
    this.#newest = Math.max(this.#newest, seq)
    return true
  }

  #word(ring: Uint32Array, block: number): number {
    return ring[block % ring.length] as number
  }

  /** Makes the ring contain this block: grows it if possible, otherwise slides it. */
  #cover(block: number): Uint32Array {
    const newest = Math.floor(this.#newest / BLOCK_BITS)
    if (this.#ring === undefined) {
      this.#oldestBlock = block
      this.#ring = new Uint32Array(FIRST_BLOCKS)
      return this.#ring
    }
    const from = Math.min(this.#oldestBlock, block)
    const to = Math.max(newest, block)
    const ring = to - from < this.#ring.length ? this.#ring : this.#grown(this.#ring, to - from + 1, newest)
    for (let each = Math.max(newest + 1, to - ring.length + 1); each <= to; each++) ring[each % ring.length] = 0
    this.#oldestBlock = Math.max(from, to - ring.length + 1)
    this.#ring = ring
    return ring
  }

  #grown(old: Uint32Array, wanted: number, newest: number): Uint32Array {
    let { length } = old
    while (length < wanted && length < BLOCKS) length *= 4
    if (length === old.length) return old
    const ring = new Uint32Array(length)
    for (let block = this.#oldestBlock; block <= newest; block++) ring[block % length] = this.#word(old, block)
    return ring
  }
}

const bit = (seq: number): number => 1 << (seq % BLOCK_BITS)
