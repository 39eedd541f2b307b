/**
 * Randomness from the system's CSPRNG, a page at a time: single calls cost more than the bytes they
 * bring.
 */
import type { Random } from '@showchain/crypto/core'

const PAGE_BYTES = 4096

export class PagedRandom implements Random {
  /** Overwrites an array with random bytes. */
  readonly #fill: (bytes: Uint8Array) => void
  readonly #page = new Uint8Array(PAGE_BYTES)
  readonly #view = new DataView(this.#page.buffer)
  #used = PAGE_BYTES

  constructor(fill: (bytes: Uint8Array) => void) {
    this.#fill = fill
  }

  bytes(count: number): Uint8Array {
    if (count > PAGE_BYTES) {
      const many = new Uint8Array(count)
      this.#fill(many)
      return many
    }
    const at = this.#take(count)
    const bytes = this.#page.slice(at, at + count)
    // What was handed out is a secret of its taker.
    this.#page.fill(0, at, at + count)
    return bytes
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  /** 53 random bits, as `Math.random` has them. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53
  }

  #take(count: number): number {
    if (this.#used + count > PAGE_BYTES) {
      this.#fill(this.#page)
      this.#used = 0
    }
    const at = this.#used
    this.#used += count
    return at
  }
}
