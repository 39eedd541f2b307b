/** DER (X.690 §8, §10) as far as keys need it: elements with a tag of one byte, of at most 65,535 bytes. */
import { equalBytes } from '@showchain/wire'

export const INTEGER = 0x02
export const OCTET_STRING = 0x04
export const OBJECT = 0x06
export const SEQUENCE = 0x30

/** An element of these contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((total, content) => total + content.length, 0)
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  const made = new Uint8Array(1 + header.length + length)
  made.set([tag, ...header])
  let at = 1 + header.length
  for (const content of contents) {
    made.set(content, at)
    at += content.length
  }
  return made
}

/** Reads elements that follow each other. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  /** The contents of the next element. @throws RangeError if it is not of this tag, or is cut off */
  next(tag: number): Uint8Array {
    if (this.#byte() !== tag) throw new RangeError('Another element is expected.')
    const length = this.#length()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('An element is cut off.')
    const content = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return content
  }

  /** The elements in the next one. @throws RangeError */
  inside(tag: number): DerReader {
    return new DerReader(this.next(tag))
  }

  /** Passes these bytes. @throws RangeError if others follow */
  pass(bytes: Uint8Array): void {
    const end = this.#at + bytes.length
    if (!equalBytes(this.#bytes.subarray(this.#at, end), bytes)) throw new RangeError('Something else is expected.')
    this.#at = end
  }

  /** Whether the next element is of this tag. */
  has(tag: number): boolean {
    return this.#bytes[this.#at] === tag
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('An element is cut off.')
    return byte
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    if (first === 0x81) return this.#byte()
    if (first !== 0x82) throw new RangeError('An element is longer than any of a key.')
    return this.#byte() * 0x100 + this.#byte()
  }
}
