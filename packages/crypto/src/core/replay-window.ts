/**
 * Which numbers of a session came already: a bitmap that slides with the newest (RFC 6479). It is made
 * of blocks of 32 that are reused in a ring, so that sliding clears blocks and never shifts bits.
 */

/** RFC 6479's window: numbers behind the newest that are still told apart (docs/protocol.md, Replay). */
export const REPLAY_WINDOW = 8128
const BLOCK_BITS = 32
/** One block more than the window has, since the newest block is only partly used: 8,192 bits. */
const BLOCKS = REPLAY_WINDOW / BLOCK_BITS + 2
/** A session starts with a ring this small; most never have more than a few messages in flight. */
const FIRST_BLOCKS = 4

export type Freshness = 'fresh' | 'seen' | 'old'

export class ReplayWindow {
  /** A ring of blocks, grown to BLOCKS as the numbers in it spread. */
  #ring: Uint32Array | undefined
  #newest = -1
  /** Block number of the oldest number that the ring still knows. */
  #oldestBlock = 0

  /** Whether a number is new, was seen, or is too old to tell. Changes nothing. */
  check(seq: number): Freshness {
    if (seq > this.#newest) return 'fresh'
    if (seq <= this.#newest - REPLAY_WINDOW) return 'old'
    const block = Math.floor(seq / BLOCK_BITS)
    // The ring has not grown back there: nothing that old was ever marked.
    if (this.#ring === undefined || block < this.#oldestBlock) return 'fresh'
    return (this.#word(this.#ring, block) & bit(seq)) === 0 ? 'fresh' : 'seen'
  }

  /** Marks a number as seen; false when it was or is too old. Only for what proved to be genuine. */
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

  /** Makes the ring hold this block: grown while that is possible, else sliding forward. */
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
