/**
 * The (ts, seq) of this node's own requests. It grows lexicographically, also when the wall clock
 * steps back, since verifiers refuse a request whose stamp does not grow (docs/protocol.md,
 * Replay).
 */
import type { Random } from '@showchain/crypto/core'

export interface Stamp {
  readonly seq: number
  /** Unix milliseconds. */
  readonly ts: number
}

/** `seq` starts at a random 48-bit number (docs/protocol.md, Replay). */
export const randomSeq = (random: Random): number => random.uint32() * 0x1_0000 + (random.uint32() & 0xffff)

export class Sequence {
  readonly #unixMs: () => number
  #seq: number
  #ts = 0

  constructor(random: Random, unixMs: () => number) {
    this.#unixMs = unixMs
    this.#seq = randomSeq(random)
  }

  next(): Stamp {
    this.#ts = Math.max(this.#ts, Math.floor(this.#unixMs()))
    this.#seq++
    return { seq: this.#seq, ts: this.#ts }
  }
}
