/** Fields of frames: big-endian numbers, and bytes with their length before them. */

export class Writer {
  readonly #bytes: number[] = []

  u8(value: number): this {
    this.#bytes.push(value & 0xff)
    return this
  }
  u16(value: number): this {
    return this.u8(value >>> 8).u8(value)
  }
  u32(value: number): this {
    return this.u16(value >>> 16).u16(value)
  }
  /** @param value at most 2^53 − 1 */
  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value >>> 0)
  }
  raw(bytes: Uint8Array): this {
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }
  /** With its length before it. */
  short(bytes: Uint8Array): this {
    return this.u16(bytes.length).raw(bytes)
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

/** Reads fields; past the end, or with a number that is too large, it is `bad` and gives zeros. */
export class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  bad = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get rest(): number {
    return this.#bytes.length - this.#at
  }
  /** Everything was read, and was there. */
  get whole(): boolean {
    return !this.bad && this.rest === 0
  }
  raw(length: number): Uint8Array {
    if (length > this.rest) this.bad = true
    const found = this.#bytes.slice(this.#at, this.#at + length)
    this.#at += length
    return found
  }
  u8(): number {
    return this.raw(1)[0] ?? 0
  }
  u16(): number {
    return this.u8() * 256 + this.u8()
  }
  u32(): number {
    return this.u16() * 65_536 + this.u16()
  }
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32()
    if (!Number.isSafeInteger(value)) this.bad = true
    return value
  }
  short(): Uint8Array {
    return this.raw(this.u16())
  }
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
