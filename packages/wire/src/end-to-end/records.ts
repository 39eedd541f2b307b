/**
 * What peers protect from end to end, and the frame that a relay carries it in (docs/protocol.md, End to end). Neither is a
 * message: there is no JSON of them, and nothing in them is for the relay but the session.
 *
 *   record         0xB2 | connection id of the receiver (8) | epoch (2) | number (6) | ciphertext | tag (16)
 *   handshake      0xB2 | zeros (8) | session (16) | kind (1) | part (1) | group (4) | bytes
 *   channel frame  0xB3 | session (16) | record or handshake
 */
import { CHANNEL_BYTE, RECORD_BYTE } from '../classify.ts'
import { SESSION_ID_BYTES } from '../limits.ts'

export const CONNECTION_ID_BYTES = 8
const COUNTER_BYTES = 8
const TAG_BYTES = 16
export const RECORD_HEADER_BYTES: number = 1 + CONNECTION_ID_BYTES + COUNTER_BYTES
/** Bytes of a record beside what it protects. */
export const RECORD_OVERHEAD: number = RECORD_HEADER_BYTES + TAG_BYTES
export const CHANNEL_HEADER_BYTES: number = 1 + SESSION_ID_BYTES
export const HANDSHAKE_HEADER_BYTES: number = 1 + CONNECTION_ID_BYTES + SESSION_ID_BYTES + 6

const TWO_32 = 0x1_0000_0000
const NUMBER_AT = 1 + CONNECTION_ID_BYTES

export interface RecordHeader {
  readonly epoch: number
  readonly number: number
}

/** @param connectionId of the receiver, 8 bytes. @param epoch 16 bits. @param number 48 bits */
export function writeRecordHeader(
  into: Uint8Array,
  at: number,
  connectionId: Uint8Array,
  epoch: number,
  number: number,
): void {
  into[at] = RECORD_BYTE
  into.set(connectionId, at + 1)
  const high = Math.floor(number / TWO_32)
  const from = at + NUMBER_AT
  into[from] = epoch >>> 8
  into[from + 1] = epoch
  into[from + 2] = high >>> 8
  into[from + 3] = high
  into[from + 4] = number >>> 24
  into[from + 5] = number >>> 16
  into[from + 6] = number >>> 8
  into[from + 7] = number
}

/** Undefined when it is too short to be one. */
export function readRecordHeader(record: Uint8Array): RecordHeader | undefined {
  if (record.length < RECORD_OVERHEAD || record[0] !== RECORD_BYTE) return undefined
  const byte = (index: number): number => record[NUMBER_AT + index] as number
  const high = byte(2) * 256 + byte(3)
  const low = byte(4) * 0x1_00_00_00 + byte(5) * 0x1_00_00 + byte(6) * 0x1_00 + byte(7)
  return { epoch: byte(0) * 256 + byte(1), number: high * TWO_32 + low }
}

/** A number that nearly always tells one connection id, or session, from another: a key of a map. Small enough that V8 keeps it as it is. @param at where the id begins */
export const idKey = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) &
  0x3fff_ffff

export interface HandshakePart {
  /** 16 bytes. */
  readonly session: Uint8Array
  readonly kind: number
  readonly index: number
  readonly count: number
  /** The same for all parts of one message. */
  readonly group: number
  readonly bytes: Uint8Array
}

/** Whether it belongs to a handshake: its connection id is zero. */
export function isHandshake(record: Uint8Array): boolean {
  for (let index = 1; index <= CONNECTION_ID_BYTES; index++) if (record[index] !== 0) return false
  return record.length > CONNECTION_ID_BYTES && record[0] === RECORD_BYTE
}

export function writeHandshakePart({ session, kind, index, count, group, bytes }: HandshakePart): Uint8Array {
  const part = new Uint8Array(HANDSHAKE_HEADER_BYTES + bytes.length)
  const view = new DataView(part.buffer)
  part[0] = RECORD_BYTE
  part.set(session, 1 + CONNECTION_ID_BYTES)
  const at = 1 + CONNECTION_ID_BYTES + SESSION_ID_BYTES
  part[at] = kind
  part[at + 1] = (index << 4) | count
  view.setUint32(at + 2, group)
  part.set(bytes, HANDSHAKE_HEADER_BYTES)
  return part
}

/** Undefined when it is none. Its fields are views. */
export function readHandshakePart(record: Uint8Array): HandshakePart | undefined {
  if (record.length < HANDSHAKE_HEADER_BYTES || !isHandshake(record)) return undefined
  const at = 1 + CONNECTION_ID_BYTES + SESSION_ID_BYTES
  const part = record[at + 1] as number
  const [index, count] = [part >> 4, part & 0x0f]
  if (index >= count) return undefined
  return {
    session: record.subarray(1 + CONNECTION_ID_BYTES, at),
    kind: record[at] as number,
    index,
    count,
    group: new DataView(record.buffer, record.byteOffset + at + 2, 4).getUint32(0),
    bytes: record.subarray(HANDSHAKE_HEADER_BYTES),
  }
}

/** The front of a channel frame. @param session 16 bytes */
export function writeChannelHeader(into: Uint8Array, session: Uint8Array): void {
  into[0] = CHANNEL_BYTE
  into.set(session, 1)
}
