/** Variable-length integers (RFC 9000 §16): the two highest bits tell whether 1, 2, 4 or 8 bytes. Here never beyond 2^53 − 1. */

const TWO_32 = 0x1_0000_0000

export const varintLength = (value: number): 1 | 2 | 4 | 8 =>
  value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x4000_0000 ? 4 : 8

/** @returns where the next byte goes */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    into[at] = value
    return at + 1
  }
  if (value < 0x4000) {
    into[at] = 0x40 | (value >>> 8)
    into[at + 1] = value
    return at + 2
  }
  if (value < 0x4000_0000) {
    into[at] = 0x80 | (value >>> 24)
    into[at + 1] = value >>> 16
    into[at + 2] = value >>> 8
    into[at + 3] = value
    return at + 4
  }
  const high = Math.floor(value / TWO_32)
  into[at] = 0xc0 | (high >>> 24)
  into[at + 1] = high >>> 16
  into[at + 2] = high >>> 8
  into[at + 3] = high
  into[at + 4] = value >>> 24
  into[at + 5] = value >>> 16
  into[at + 6] = value >>> 8
  into[at + 7] = value
  return at + 8
}

/** Reads bytes in order. After one read beyond the end, or of a number that is too large, `ok` is false and what is read means nothing. */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  ok = true

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.ok ? this.#bytes.length - this.#at : 0
  }

  byte(): number {
    if (this.#at >= this.#bytes.length) this.ok = false
    return this.#bytes[this.#at++] ?? 0
  }

  varint(): number {
    const first = this.byte()
    const more = (1 << (first >> 6)) - 1
    if (this.left < more) {
      this.ok = false
      return 0
    }
    let value = first & 0x3f
    for (let index = 0; index < more; index++) value = value * 256 + (this.#bytes[this.#at++] as number)
    if (value > Number.MAX_SAFE_INTEGER) this.ok = false
    return value
  }

  /** A view. */
  take(length: number): Uint8Array {
    if (length > this.left) this.ok = false
    const from = this.#at
    this.#at += length
    return this.#bytes.subarray(from, this.#at)
  }
}
