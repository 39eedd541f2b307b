/**
 * A zero-copy view of a binary message: the positions of its fields, checked for form.
 *
 *   0xB1 | op u16 | fields in the row's order | extension fields
 *
 * The decoder builds messages from it; a relay's hot path reads the few fields that it needs and
 * forwards the bytes.
 */

import { readU16, writeU16 } from './bytes.ts'
import { BINARY_BYTE } from './classify.ts'
import type { Kind } from './kinds.ts'
import { type CodecRow, rowOf } from './table.ts'

/** Version byte and op code. */
export const HEADER_BYTES = 3
/** Far above any row's number of fields. */
const MAX_FIELDS = 16

/** Reusable: valid until the next `parse()`, or until the bytes change. */
export class MessageView {
  bytes: Uint8Array = new Uint8Array(0)
  row: CodecRow | undefined
  /** Position after the row's last field: extension fields start here, or the message ends. */
  end = 0
  readonly #ends: Uint16Array = new Uint16Array(MAX_FIELDS)

  /**
   * False unless `bytes` begin as a well-formed binary message of the table. Extension fields are
   * not read.
   */
  parse(bytes: Uint8Array): boolean {
    this.bytes = bytes
    this.row = undefined
    if (bytes.length < HEADER_BYTES || bytes[0] !== BINARY_BYTE) return false
    const row = rowOf(readU16(bytes, 1))
    if (row === undefined) return false
    const { kinds } = row
    let end = HEADER_BYTES
    for (let index = 0; index < kinds.length; index++) {
      end = (kinds[index] as Kind<unknown>).end(bytes, end)
      if (end === -1) return false
      this.#ends[index] = end
    }
    this.row = row
    this.end = end
    return true
  }

  /** Start of the row's field number `index`. */
  startOf(index: number): number {
    return index === 0 ? HEADER_BYTES : (this.#ends[index - 1] as number)
  }

  /**
   * Where a field of the binary form ends.
   * @param index in the order of the row
   */
  endOf(index: number): number {
    return this.#ends[index] as number
  }
}

/**
 * Changes the op code in place. Both rows must have the same fields, up to where the caller
 * truncates.
 */
export function rewriteOp(bytes: Uint8Array, op: number): void {
  writeU16(bytes, 1, op)
}
