/**
 * Records, and the channel frame in which a relay forwards them (docs/protocol.md, End to end).
 * Neither is a message: they have no JSON form, and a relay reads only the session.
 *
 *   record         0xB2 | connection id of the receiver (8) | epoch (2) | number (6)
 *                  | ciphertext | tag (16)
 *   channel frame  0xB3 | session (16) | record or handshake part
 *   nonce          zeros (4) | number (6, little-endian) | epoch (2, little-endian)
 *
 * Integers are big-endian, except in the nonce.
 */
import { fromHalves, highBits, readU16, readU32, writeU16, writeU32 } from '../bytes.ts'
import { CHANNEL_BYTE, RECORD_BYTE } from '../classify.ts'
import { SESSION_ID_BYTES } from '../limits.ts'

/** Bytes of the connection id in a record. */
export const CONNECTION_ID_BYTES = 8
const COUNTER_BYTES = 8
/** Of ChaCha20-Poly1305 (RFC 8439). */
export const TAG_BYTES = 16
/** The header is the associated data of the record's encryption. */
export const RECORD_HEADER_BYTES: number = 1 + CONNECTION_ID_BYTES + COUNTER_BYTES
/** Bytes of a record besides its payload. */
export const RECORD_OVERHEAD: number = RECORD_HEADER_BYTES + TAG_BYTES
/** Bytes in front of what a channel frame carries. */
export const CHANNEL_HEADER_BYTES: number = 1 + SESSION_ID_BYTES

const COUNTER_AT = 1 + CONNECTION_ID_BYTES

/** What the header of a record says beside the connection id. */
export interface RecordHeader {
  readonly epoch: number
  readonly number: number
}

/**
 * Writes the header of a record, which is its associated data.
 * @param connectionId of the receiver, 8 bytes. @param epoch 16 bits. @param number 48 bits
 */
export function writeRecordHeader(
  into: Uint8Array,
  at: number,
  connectionId: Uint8Array,
  epoch: number,
  number: number,
): void {
  into[at] = RECORD_BYTE
  into.set(connectionId, at + 1)
  writeU32(into, writeU16(into, writeU16(into, at + COUNTER_AT, epoch), highBits(number)), number)
}

/** Undefined for bytes that are not a record. */
export function readRecordHeader(record: Uint8Array): RecordHeader | undefined {
  if (record.length < RECORD_OVERHEAD || record[0] !== RECORD_BYTE) return undefined
  return {
    epoch: readU16(record, COUNTER_AT),
    number: fromHalves(readU16(record, COUNTER_AT + 2), readU32(record, COUNTER_AT + 4)),
  }
}

/**
 * The nonce of a record: Noise's ChaChaPoly nonce (The Noise Protocol Framework §12.3) of the
 * 64-bit counter whose upper 16 bits are the epoch.
 *
 * @param into 12 bytes, of which the first four stay zero
 */
export function writeRecordNonce(into: Uint8Array, epoch: number, number: number): void {
  const high = highBits(number)
  into[4] = number
  into[5] = number >>> 8
  into[6] = number >>> 16
  into[7] = number >>> 24
  into[8] = high
  into[9] = high >>> 8
  into[10] = epoch
  into[11] = epoch >>> 8
}

/**
 * A map key for a connection id or session: 30 bits of its first bytes, which V8 stores as a small
 * integer. Two ids can have the same key.
 * @param at where the id begins
 */
export const idKey = (bytes: Uint8Array, at: number): number => readU32(bytes, at) & 0x3fff_ffff

/** Whether a datagram is for a relay to pass on, or was passed on by one. */
export const isChannelFrame = (datagram: Uint8Array): boolean => datagram[0] === CHANNEL_BYTE

/** Writes the header of a channel frame. @param session 16 bytes */
export function writeChannelHeader(into: Uint8Array, session: Uint8Array): void {
  into[0] = CHANNEL_BYTE
  into.set(session, 1)
}
