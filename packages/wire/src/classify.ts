/**
 * What a datagram is, by its first byte, so that STUN, JSON, binary messages, records and channel
 * frames share one socket (docs/protocol.md, Datagrams; the idea is RFC 7983's).
 */
import { readU32 } from './kinds.ts'

export const JSON_BYTE = 0x7b
export const BINARY_BYTE = 0xb1
export const RECORD_BYTE = 0xb2
export const CHANNEL_BYTE = 0xb3

/** RFC 8489 §5: the two top bits of a STUN message are zero; our sockets answer methods whose first byte is at most this. */
const MAX_STUN_BYTE = 0x03
const STUN_MAGIC_COOKIE = 0x2112_a442
const STUN_HEADER_BYTES = 20

export type DatagramClass = 'stun' | 'json' | 'binary' | 'record' | 'channel' | 'unknown'

export function classify(bytes: Uint8Array): DatagramClass {
  const first = bytes[0]
  if (first === BINARY_BYTE) return 'binary'
  if (first === JSON_BYTE) return 'json'
  if (first === RECORD_BYTE) return 'record'
  if (first === CHANNEL_BYTE) return 'channel'
  const stun =
    first !== undefined &&
    first <= MAX_STUN_BYTE &&
    bytes.length >= STUN_HEADER_BYTES &&
    readU32(bytes, 4) === STUN_MAGIC_COOKIE
  return stun ? 'stun' : 'unknown'
}
