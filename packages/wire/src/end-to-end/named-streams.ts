/**
 * Named streams (docs/protocol.md, Named streams): which ids they have, and what their opener's data
 * begins with:
 *
 *   name  length (1) | protocol (length)
 */
import { utf8 } from '../utf8.ts'

/**
 * Ids of one opener and kind go up in such steps: where both ends know named streams, and elsewhere.
 * In the first case, 2 is added to those of named ones.
 */
export const NAMED_STREAM_STEP = 4
/** @see NAMED_STREAM_STEP */
export const STREAM_STEP = 2

/** Bytes of the longest name: as in ALPN (RFC 7301 §3.1). */
const MAX_NAME_BYTES = 255
/**
 * Printable ASCII without the space: names that look the same are the same, and one can be shown
 * anywhere.
 */
const NAME = /^[\x21-\x7e]+$/

/** Codes from here on are the protocol's own; an application's are lower. */
const FIRST_OWN_CODE: number = 2 ** 32
/** Codes of RESET_STREAM and STOP_SENDING that no application sends. */
export const STREAM_CODE = {
  /** The receiver does not take streams of this protocol. */
  unknownProtocol: FIRST_OWN_CODE,
} as const
/** The highest code of an application. */
export const MAX_STREAM_CODE: number = FIRST_OWN_CODE - 1

/** Whether a text can be the name of a protocol: 1 to 255 characters from `!` to `~`. */
export const isProtocolName = (text: string): boolean => text.length <= MAX_NAME_BYTES && NAME.test(text)

/**
 * The bytes with which the data of a named stream begins.
 * @param protocol the name of one
 */
export function writeProtocolName(protocol: string): Uint8Array {
  const bytes = utf8(protocol)
  const written = new Uint8Array(1 + bytes.length)
  written[0] = bytes.length
  written.set(bytes, 1)
  return written
}

/** How many bytes of a name are missing. @param begun the first bytes of a named stream */
export const missingOfName = (begun: Uint8Array): number => 1 + (begun[0] ?? 0) - begun.length

/** Undefined: it is none. @param written all bytes of it */
export function readProtocolName(written: Uint8Array): string | undefined {
  const text = String.fromCharCode(...written.subarray(1))
  return isProtocolName(text) ? text : undefined
}
