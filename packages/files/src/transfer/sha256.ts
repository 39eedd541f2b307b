/** SHA-256 by Node.js. */
import { createHash, type Hash as NodeHash } from 'node:crypto'
import type { Hash } from '../core/index.ts'

/** Bytes of the zeros that are hashed, and looked for, at once. */
export const ZERO_PIECE = 65_536
const ZEROS = new Uint8Array(ZERO_PIECE)

export class Sha256 implements Hash {
  readonly #hash: NodeHash

  constructor(hash: NodeHash = createHash('sha256')) {
    this.#hash = hash
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  /** As many as fit one piece. @returns how many */
  zeros(most: number): number {
    const count = Math.min(most, ZEROS.length)
    this.#hash.update(ZEROS.subarray(0, count))
    return count
  }

  /** Of what it has so far: it can go on. */
  soFar(): Uint8Array {
    return new Uint8Array(this.#hash.copy().digest())
  }

  digest(): Uint8Array {
    return new Uint8Array(this.#hash.digest())
  }
}

export const newSha256 = (): Sha256 => new Sha256()

export const isZeros = (bytes: Uint8Array): boolean =>
  bytes.length <= ZEROS.length && Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0
