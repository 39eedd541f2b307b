/**
 * Variable-length integers (RFC 9000 §16): the two highest bits give the length, 1, 2, 4 or 8
 * bytes. Values above 2^53 − 1 are refused.
 */
import { writeU16, writeU32, writeU64 } from '../bytes.ts'

/** Bytes of the shortest form of a number (RFC 9000 §16). */
export const varintLength = (value: number): 1 | 2 | 4 | 8 =>
  value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000_0000 ? 4 : 8

/** @returns the position behind the last byte written */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    into[at] = value
    return at + 1
  }
  if (value < 0x4000) return writeU16(into, at, 0x4000 | value)
  if (value < 0x4000_0000) return writeU32(into, at, 0x8000_0000 | value)
  writeU64(into, at, value)
  into[at] = (into[at] as number) | 0xc0
  return at + 8
}

/**
 * Reads bytes in order. `ok` becomes false, and stays so, with a read past the end or of a number
 * above 2^53 − 1; the values read from then on are meaningless.
 */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  ok = true

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.ok ? this.#bytes.length - this.#at : 0
  }

  /** The next byte; undefined: there is none. */
  byte(): number {
    if (this.#at >= this.#bytes.length) this.ok = false
    return this.#bytes[this.#at++] ?? 0
  }

  /** The next integer, at most 2^53−1 (RFC 9000 §16); undefined: there is none. */
  varint(): number {
    const first = this.byte()
    const more = (1 << (first >> 6)) - 1
    if (this.remaining < more) {
      this.ok = false
      return 0
    }
    let value = first & 0x3f
    for (let index = 0; index < more; index++) value = value * 256 + (this.#bytes[this.#at++] as number)
    if (value > Number.MAX_SAFE_INTEGER) this.ok = false
    return value
  }

  /** The next bytes, as a view. */
  take(length: number): Uint8Array {
    if (length > this.remaining) this.ok = false
    const from = this.#at
    this.#at += length
    return this.#bytes.subarray(from, this.#at)
  }
}
