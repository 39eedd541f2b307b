/**
 * Handshake messages in datagrams (docs/protocol.md, End to end). A message that is too long for
 * the path is sent in parts; a record's connection id is never zero, which tells the two apart.
 *
 *   0xB2 | zeros (8) | session (16) | kind (1) | index (4 bits) | count (4 bits) | group (4) | bytes
 */
import { readU32, writeU32 } from '../bytes.ts'
import { RECORD_BYTE } from '../classify.ts'
import { SESSION_ID_BYTES } from '../limits.ts'
import { CONNECTION_ID_BYTES } from './records.ts'

export const HANDSHAKE_KIND = {
  /** Empty: the responder asks the initiator to begin. */
  ask: 0,
  /** The three messages of Noise XX. */
  first: 1,
  second: 2,
  third: 3,
} as const

/** Parts of one message: enough for an RSA-4096 certificate beside the RSA-4096 signature of a 0x123. */
export const MAX_HANDSHAKE_PARTS = 3

const SESSION_AT = 1 + CONNECTION_ID_BYTES
const KIND_AT: number = SESSION_AT + SESSION_ID_BYTES
const PART_AT = KIND_AT + 1
const GROUP_AT = PART_AT + 1
/** Bytes of a part besides its piece of the message. */
export const HANDSHAKE_HEADER_BYTES: number = GROUP_AT + 4

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

/** Whether these bytes belong to a handshake and not to a connection: the connection id is zero. */
export function isHandshake(record: Uint8Array): boolean {
  for (let index = 1; index <= CONNECTION_ID_BYTES; index++) if (record[index] !== 0) return false
  return record.length > CONNECTION_ID_BYTES && record[0] === RECORD_BYTE
}

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

/** Undefined for bytes that are no handshake part. `session` and `bytes` are views. */
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
 * A message in as few parts as the path allows, all of one size save the last.
 * @param room bytes of the message that fit one part
 * @returns empty when it would take more than MAX_HANDSHAKE_PARTS
 */
export function splitHandshake(
  message: Uint8Array,
  room: number,
  fields: Pick<HandshakePart, 'session' | 'kind' | 'group'>,
): readonly Uint8Array[] {
  const count = Math.max(1, Math.ceil(message.length / room))
  if (count > MAX_HANDSHAKE_PARTS) return []
  const size = Math.ceil(message.length / count)
  return Array.from({ length: count }, (_, index) =>
    writeHandshakePart({ ...fields, index, count, bytes: message.subarray(index * size, (index + 1) * size) }),
  )
}
