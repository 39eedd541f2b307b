/**
 * Handshake messages in datagrams (docs/protocol.md, Handshake). A message that is too long for the
 * path is sent in parts. The connection id of a part is zero, that of a record never is.
 *
 *   0xB2 | zeros (8) | session (16) | kind (1) | index (4 bits), count (4 bits)
 *        | group (4) | bytes
 */
import { readU32, writeU32 } from '../bytes.ts'
import { CHANNEL_BYTE, RECORD_BYTE } from '../classify.ts'
import { SESSION_ID_BYTES } from '../limits.ts'
import { CHANNEL_HEADER_BYTES, CONNECTION_ID_BYTES } from './records.ts'

/** Kinds of handshake messages: a request to begin, then the messages of Noise XX. */
export const HANDSHAKE_KIND = {
  /** Empty; the responder asks the initiator to begin. */
  ask: 0,
  /** The three messages of Noise XX. */
  first: 1,
  second: 2,
  third: 3,
} as const

/**
 * Most parts of one message: an RSA-4096 certificate in 0x123 messages with RSA-4096 signatures.
 */
export const MAX_HANDSHAKE_PARTS = 3

const SESSION_AT = 1 + CONNECTION_ID_BYTES
const KIND_AT: number = SESSION_AT + SESSION_ID_BYTES
const PART_AT = KIND_AT + 1
const GROUP_AT = PART_AT + 1
/** Bytes of a part in front of its piece of the message. */
export const HANDSHAKE_HEADER_BYTES: number = GROUP_AT + 4

/** A part of a handshake message (docs/protocol.md, Handshake). */
export interface HandshakePart {
  /** 16 bytes. */
  readonly session: Uint8Array
  readonly kind: number
  /** From 0. */
  readonly index: number
  readonly count: number
  /** Random; the same for all parts of one message. */
  readonly group: number
  readonly bytes: Uint8Array
}

/**
 * Whether a datagram is a record of a connection, by itself or in a channel frame, and no part of a
 * handshake.
 * @param from where it begins in the bytes; likewise `to`, where it ends
 */
export function carriesRecord(bytes: Uint8Array, from: number = 0, to: number = bytes.length): boolean {
  const at = bytes[from] === CHANNEL_BYTE ? from + CHANNEL_HEADER_BYTES : from
  if (to - at <= CONNECTION_ID_BYTES || bytes[at] !== RECORD_BYTE) return false
  for (let index = 1; index <= CONNECTION_ID_BYTES; index++) if (bytes[at + index] !== 0) return true
  return false
}

/** Whether a datagram that begins with 0xB2 is a handshake part: its connection id is zero. */
export function isHandshake(record: Uint8Array): boolean {
  for (let index = 1; index <= CONNECTION_ID_BYTES; index++) if (record[index] !== 0) return false
  return record.length > CONNECTION_ID_BYTES && record[0] === RECORD_BYTE
}

/** The datagram of one part of a handshake message. */
export function writeHandshakePart({ session, kind, index, count, group, bytes }: HandshakePart): Uint8Array {
  const part = new Uint8Array(HANDSHAKE_HEADER_BYTES + bytes.length)
  part[0] = RECORD_BYTE
  part.set(session, SESSION_AT)
  part[KIND_AT] = kind
  part[PART_AT] = (index << 4) | count
  writeU32(part, GROUP_AT, group)
  part.set(bytes, HANDSHAKE_HEADER_BYTES)
  return part
}

/** `session` and `bytes` are views. Undefined for other bytes. */
export function readHandshakePart(record: Uint8Array): HandshakePart | undefined {
  if (record.length < HANDSHAKE_HEADER_BYTES || !isHandshake(record)) return undefined
  const part = record[PART_AT] as number
  const [index, count] = [part >> 4, part & 0x0f]
  if (index >= count) return undefined
  return {
    session: record.subarray(SESSION_AT, KIND_AT),
    kind: record[KIND_AT] as number,
    index,
    count,
    group: readU32(record, GROUP_AT),
    bytes: record.subarray(HANDSHAKE_HEADER_BYTES),
  }
}

/**
 * A message in the fewest parts, all of one size except the last.
 * @param capacity bytes of the message that fit one part
 * @returns empty if it takes more than MAX_HANDSHAKE_PARTS
 */
export function splitHandshake(
  message: Uint8Array,
  capacity: number,
  fields: Pick<HandshakePart, 'session' | 'kind' | 'group'>,
): readonly Uint8Array[] {
  const count = Math.max(1, Math.ceil(message.length / capacity))
  if (count > MAX_HANDSHAKE_PARTS) return []
  const size = Math.ceil(message.length / count)
  return Array.from({ length: count }, (_, index) =>
    writeHandshakePart({ ...fields, index, count, bytes: message.subarray(index * size, (index + 1) * size) }),
  )
}
