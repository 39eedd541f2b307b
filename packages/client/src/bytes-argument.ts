/** Bytes that an application hands over, in whatever form JavaScript has for them. */
import { quote, ShowchainError } from '@showchain/wire'

/** A `Uint8Array`, another view of a buffer, or the buffer itself. */
export type Bytes = ArrayBufferView | ArrayBuffer

/**
 * The same memory, byte by byte.
 * @throws ShowchainError `ERR_BAD_ARGUMENT`
 */
export function bytesOf(given: Bytes): Uint8Array {
  if (given instanceof Uint8Array) return given
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
  if (given instanceof ArrayBuffer) return new Uint8Array(given)
  throw new ShowchainError('ERR_BAD_ARGUMENT', `Bytes are an ArrayBuffer or a view of one, not ${quote(given)}.`)
}
