/**
 * The keys of one direction of a connection. The 64-bit counter of a record is its epoch (16 bits)
 * and its number (48 bits). Numbers go on from epoch to epoch, so a nonce is never reused and one
 * replay window covers all epochs.
 *
 *   key of epoch 0    from the handshake
 *   key of epoch n+1  REKEY(key of epoch n) (The Noise Protocol Framework §4.2, §11.3), one-way
 */
import { writeRecordNonce } from '@showchain/wire/end-to-end'
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type Aead, type EndToEndCrypto } from './end-to-end.ts'

/** Epochs of one handshake; at 120 s each, 91 days. */
export const MAX_EPOCH = 0xffff
/** Records of one direction. */
export const MAX_RECORD_NUMBER: number = 2 ** 48 - 1

/** REKEY (§4.2): the first 32 bytes of zeros sealed under the highest nonce. */
export function rekey(crypto: EndToEndCrypto, key: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES).fill(0xff, 4)
  const sealed = new Uint8Array(AEAD_KEY_BYTES + AEAD_TAG_BYTES)
  crypto.aead(key).seal(nonce, new Uint8Array(0), new Uint8Array(AEAD_KEY_BYTES), sealed, 0)
  return sealed.slice(0, AEAD_KEY_BYTES)
}

/** Reused: the cipher copies it. */
const nonce = new Uint8Array(AEAD_NONCE_BYTES)
function nonceOf(epoch: number, number: number): Uint8Array {
  writeRecordNonce(nonce, epoch, number)
  return nonce
}

/** The sending side of a direction. */
export class SealingKey {
  readonly #crypto: EndToEndCrypto
  #key: Uint8Array
  #aead: Aead
  #epoch = 0
  #next = 0

  constructor(crypto: EndToEndCrypto, key: Uint8Array) {
    this.#crypto = crypto
    this.#key = key
    this.#aead = crypto.aead(key)
  }

  get epoch(): number {
    return this.#epoch
  }

  /** The number of the next record. */
  get next(): number {
    return this.#next
  }

  /** Whether epochs or numbers are used up: the connection needs a new handshake. */
  get exhausted(): boolean {
    return this.#epoch === MAX_EPOCH || this.#next === MAX_RECORD_NUMBER
  }

  /** Changes to the key of the next epoch and discards the old one. */
  advance(): void {
    if (this.#epoch === MAX_EPOCH) throw new Error('The last epoch has been reached.')
    this.#key = rekey(this.#crypto, this.#key)
    this.#aead = this.#crypto.aead(this.#key)
    this.#epoch++
  }

  /** Seals under the next number, which the header in `aad` must contain. @returns the number */
  seal(aad: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): number {
    const number = this.#next
    if (number >= MAX_RECORD_NUMBER) throw new Error('The last record number has been used.')
    this.#next++
    this.#aead.seal(nonceOf(this.#epoch, number), aad, plaintext, into, at)
    return number
  }
}

/**
 * The receiving side of a direction: the key of the current epoch, of the previous one for late
 * records, and of the next one.
 */
export class OpeningKey {
  readonly #crypto: EndToEndCrypto
  #key: Uint8Array
  #epoch = 0
  #current: Aead
  #previous: Aead | undefined
  #next: { readonly key: Uint8Array; readonly aead: Aead } | undefined

  constructor(crypto: EndToEndCrypto, key: Uint8Array) {
    this.#crypto = crypto
    this.#key = key
    this.#current = crypto.aead(key)
  }

  get epoch(): number {
    return this.#epoch
  }

  /** From now on records of the previous epoch are refused. */
  forgetPrevious(): void {
    this.#previous = undefined
  }

  /**
   * The plaintext, or undefined; either may be written over `sealed`. The first authentic record of the next epoch
   * makes it current.
   */
  open(epoch: number, number: number, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const at = nonceOf(epoch, number)
    if (epoch === this.#epoch) return this.#current.openInPlace(at, aad, sealed)
    if (epoch === this.#epoch - 1) return this.#previous?.openInPlace(at, aad, sealed)
    if (epoch !== this.#epoch + 1) return undefined
    this.#next ??= this.#successor()
    const plaintext = this.#next.aead.openInPlace(at, aad, sealed)
    if (plaintext === undefined) return undefined
    this.#previous = this.#current
    this.#current = this.#next.aead
    this.#key = this.#next.key
    this.#epoch = epoch
    this.#next = undefined
    return plaintext
  }

  #successor(): { readonly key: Uint8Array; readonly aead: Aead } {
    const key = rekey(this.#crypto, this.#key)
    return { key, aead: this.#crypto.aead(key) }
  }
}
