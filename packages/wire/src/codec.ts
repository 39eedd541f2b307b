/**
 * Messages to datagrams and back. A message has one binary encoding; the decoder refuses every
 * other.
 */
import { decodeBinary, encodeBinary, measureBinary } from './binary.ts'
import { classify } from './classify.ts'
import { type Decoded, refuse } from './decoded.ts'
import { ShowchainError, typedError } from './errors.ts'
import { decodeJson, encodeJson } from './json.ts'
import { MAX_DATAGRAM } from './limits.ts'
import type { Encoding, Message } from './message.ts'

/**
 * Reads one datagram; never throws. Byte values of the message are views into `bytes`.
 * @param options.strict refuse JSON members that are neither fields nor extensions; default: ignore
 *   them.
 */
export function decode(bytes: Uint8Array, options?: { readonly strict?: boolean }): Decoded {
  if (bytes.length === 0 || bytes.length > MAX_DATAGRAM) return refuse('size')
  const kind = classify(bytes)
  if (kind === 'binary') return decodeBinary(bytes)
  if (kind === 'json') return decodeJson(bytes, options?.strict === true)
  return refuse('class')
}

/**
 * @returns a datagram of at most 1200 bytes.
 * @throws ShowchainError `ERR_BAD_MESSAGE` when a field is not of its kind, `ERR_TOO_LARGE` when it
 *   does not fit.
 */
export function encode(message: Message, encoding: Encoding): Uint8Array {
  const bytes = written(message, encoding)
  if (bytes.length > MAX_DATAGRAM)
    throw new ShowchainError(
      'ERR_TOO_LARGE',
      `${bytes.length} bytes of ${encoding === 'binary' ? 'binary' : 'json'}, ${MAX_DATAGRAM} is the most.`,
    )
  return bytes
}

/**
 * Bytes of the datagram that `encode` gives, which is not written where it is binary; more than
 * MAX_DATAGRAM: it gives none.
 * @throws ShowchainError `ERR_BAD_MESSAGE` when a field is not of its kind
 */
export function encodedLength(message: Message, encoding: Encoding): number {
  if (encoding !== 'binary') return written(message, encoding).length
  try {
    return measureBinary(message)
  } catch (error) {
    throw typedError(error, 'ERR_BAD_MESSAGE', 'It cannot be read.')
  }
}

function written(message: Message, encoding: Encoding): Uint8Array {
  try {
    return encoding === 'binary' ? encodeBinary(message) : encodeJson(message)
  } catch (error) {
    throw typedError(error, 'ERR_BAD_MESSAGE', 'It cannot be read.')
  }
}
