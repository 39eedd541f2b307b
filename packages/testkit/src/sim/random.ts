/**
 * Randomness that a seed repeats: sfc32 (C. Doty-Humphrey, PractRand), small and good enough for
 * everything but secrets. Everyone who draws has a stream of their own, so that one more draw here
 * changes nothing there.
 */
import type { Random } from '@showchain/crypto/core'

/** Where all randomness of a run comes from. */
export type Seed = string | number

/** FNV-1a (draft-eastlake-fnv), 32 bits. */
const FNV_PRIME = 0x0100_0193
const FNV_OFFSET = 0x811c_9dc5
/** Rounds until each bit of the seed has reached each bit of the state, as PractRand does it. */
const WARM_UP = 15

export class SeededRandom implements Random {
  readonly seed: Seed
  readonly #state: Uint32Array

  constructor(seed: Seed) {
    this.seed = seed
    this.#state = Uint32Array.from([fnv1a(`a${seed}`), fnv1a(`b${seed}`), fnv1a(`c${seed}`), 1])
    for (let round = 0; round < WARM_UP; round++) this.uint32()
  }

  /** An independent generator for a name; the same name gives the same sequence. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.seed}/${name}`)
  }

  uint32(): number {
    const [a, b, c, counter] = this.#state as unknown as [number, number, number, number]
    const result = (a + b + counter) >>> 0
    this.#state[0] = b ^ (b >>> 9)
    this.#state[1] = c + (c << 3)
    this.#state[2] = ((c << 21) | (c >>> 11)) + result
    this.#state[3] = counter + 1
    return result
  }

  uniform(): number {
    return this.uint32() / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.uint32() >>> 24)
  }
}

function fnv1a(text: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  return hash >>> 0
}
