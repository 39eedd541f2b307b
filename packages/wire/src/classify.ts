/**
 * The class of a datagram, by its first byte: STUN, JSON, binary messages, records and channel
 * frames share one socket (docs/protocol.md, Datagrams), as RFC 7983 does for WebRTC.
 */
import { isStun } from './stun.ts'

/** First byte of a message in JSON: `{`. */
export const JSON_BYTE = 0x7b
/** First byte of a message in binary. */
export const BINARY_BYTE = 0xb1
/** First byte of a record, and of a part of a handshake. */
export const RECORD_BYTE = 0xb2
/** First byte of a channel frame (docs/protocol.md, End to end). */
export const CHANNEL_BYTE = 0xb3

/** Kinds of datagrams. */
export type DatagramClass = 'stun' | 'json' | 'binary' | 'record' | 'channel' | 'unknown'

/** What a datagram is, by its first bytes (docs/protocol.md, Datagrams). */
export function classify(bytes: Uint8Array): DatagramClass {
  const first = bytes[0]
  if (first === BINARY_BYTE) return 'binary'
  if (first === JSON_BYTE) return 'json'
  if (first === RECORD_BYTE) return 'record'
  if (first === CHANNEL_BYTE) return 'channel'
  return isStun(bytes) ? 'stun' : 'unknown'
}
