/**
 * The prologue of the handshake, and the encrypted payload of messages 2 and 3 (docs/protocol.md,
 * Handshake). The payload of message 1 is empty.
 *
 *   prologue  "SHOWCHAIN-P2P-v1 end-to-end" 0x00 | version (1)
 *             | initiator id (32) | responder id (32)
 *   payload   version (1) | flags (1) | zeros (3) | connection id (8)
 *             | name of the current connection, or zeros (16) | certificate
 */
import { type PeerId, peerIdToBytes } from '../ids.ts'
import { PEER_ID_BYTES } from '../limits.ts'
import { utf8 } from '../utf8.ts'
import { CONNECTION_ID_BYTES } from './records.ts'

const VERSION = 1
/** A connection is named by the first bytes of its handshake's hash. */
export const CONNECTION_NAME_BYTES = 16

/** Flags: the sender's application asked for this connection; the sender knows named streams. */
const DIALLED = 1
const NAMED_STREAMS = 2

const CONTEXT = utf8('SHOWCHAIN-P2P-v1 end-to-end\0')
const FLAGS_AT = 1
const CONNECTION_ID_AT = FLAGS_AT + 1 + 3
const NAME_AT = CONNECTION_ID_AT + CONNECTION_ID_BYTES
const CERTIFICATE_AT = NAME_AT + CONNECTION_NAME_BYTES

/** What an end says of itself in message 2 or 3. */
export interface HandshakePayload {
  /** Whether the sender's application asked for this connection. */
  readonly dialled: boolean
  /** Whether the sender knows named streams. */
  readonly namedStreams: boolean
  /** In records to the sender of this payload; 8 bytes, not all zero. */
  readonly connectionId: Uint8Array
  /** Name of the sender's connection with the receiver, if it has one; 16 bytes. */
  readonly current: Uint8Array | undefined
  readonly certificate: Uint8Array
}

/** The prologue of Noise XX, the same at both ends. */
export function handshakePrologue(initiator: PeerId, responder: PeerId): Uint8Array {
  const prologue = new Uint8Array(CONTEXT.length + 1 + 2 * PEER_ID_BYTES)
  prologue.set(CONTEXT)
  prologue[CONTEXT.length] = VERSION
  prologue.set(peerIdToBytes(initiator), CONTEXT.length + 1)
  prologue.set(peerIdToBytes(responder), CONTEXT.length + 1 + PEER_ID_BYTES)
  return prologue
}

/** The payload of message 2 or 3, before it is encrypted. */
export function writeHandshakePayload(fields: HandshakePayload): Uint8Array {
  const { dialled, namedStreams, connectionId, current, certificate } = fields
  const payload = new Uint8Array(CERTIFICATE_AT + certificate.length)
  payload[0] = VERSION
  payload[FLAGS_AT] = (dialled ? DIALLED : 0) | (namedStreams ? NAMED_STREAMS : 0)
  payload.set(connectionId, CONNECTION_ID_AT)
  if (current !== undefined) payload.set(current, NAME_AT)
  payload.set(certificate, CERTIFICATE_AT)
  return payload
}

/** Copies. Undefined for another version, too few bytes, or a connection id of zeros. */
export function readHandshakePayload(payload: Uint8Array): HandshakePayload | undefined {
  if (payload.length < CERTIFICATE_AT || payload[0] !== VERSION) return undefined
  const connectionId = payload.slice(CONNECTION_ID_AT, NAME_AT)
  const current = payload.slice(NAME_AT, CERTIFICATE_AT)
  if (isZero(connectionId)) return undefined
  const flags = payload[FLAGS_AT] as number
  return {
    dialled: (flags & DIALLED) !== 0,
    namedStreams: (flags & NAMED_STREAMS) !== 0,
    connectionId,
    current: isZero(current) ? undefined : current,
    certificate: payload.slice(CERTIFICATE_AT),
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)
