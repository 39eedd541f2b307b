/**
 * Peer ids and session ids: bytes in binary messages, canonical base64url text everywhere else
 * (JSON, maps, logs, tickets). Two ids are equal iff their texts are.
 */
import * as z from 'zod/mini'
import { encodeChunk, fromBase64url, isBase64urlOf } from './base64url.ts'
import { ShowchainError } from './errors.ts'
import { quote } from './foreign.ts'
import { PEER_ID_BYTES, SESSION_ID_BYTES } from './limits.ts'

/** Brands an id, so that no other string is assignable to it. */
declare const idOf: unique symbol

/**
 * SHA-256 of a peer's canonical DER SubjectPublicKeyInfo (the seed's `USER_ID`), 43 characters of
 * base64url.
 */
export type PeerId = string & { readonly [idOf]: 'peer' }
/** 16 bytes that name a punch attempt or a session, 22 characters of base64url. */
export type SessionId = string & { readonly [idOf]: 'session' }

const isPeerId = (text: unknown): text is PeerId => typeof text === 'string' && isBase64urlOf(text, PEER_ID_BYTES)
const isSessionId = (text: unknown): text is SessionId =>
  typeof text === 'string' && isBase64urlOf(text, SESSION_ID_BYTES)

/** Checks a peer id: 43 characters of base64url, 32 bytes. */
export const peerIdSchema: z.ZodMiniType<PeerId> = z.custom<PeerId>(
  isPeerId,
  'not a peer id: expected 43 characters of base64url',
)
/** Checks a session id: 22 characters of base64url, 16 bytes. */
export const sessionIdSchema: z.ZodMiniType<SessionId> = z.custom<SessionId>(
  isSessionId,
  'not a session id: expected 22 characters of base64url',
)

/** @throws ShowchainError `ERR_BAD_PEER_ID` */
export function parsePeerId(text: string): PeerId {
  if (!isPeerId(text)) throw new ShowchainError('ERR_BAD_PEER_ID', `Got ${quote(text)}.`)
  return text
}

/** @param bytes 32 bytes. @throws ShowchainError `ERR_BAD_PEER_ID` */
export function peerIdFromBytes(bytes: Uint8Array): PeerId {
  if (bytes.length !== PEER_ID_BYTES)
    throw new ShowchainError('ERR_BAD_PEER_ID', `Got ${quote(bytes.length)} bytes, not ${PEER_ID_BYTES}.`)
  return encodeChunk(bytes, 0, PEER_ID_BYTES) as PeerId
}

/** @param bytes 16 bytes. @throws ShowchainError `ERR_BAD_SESSION_ID` */
export function sessionIdFromBytes(bytes: Uint8Array): SessionId {
  if (bytes.length !== SESSION_ID_BYTES)
    throw new ShowchainError('ERR_BAD_SESSION_ID', `Got ${quote(bytes.length)} bytes, not ${SESSION_ID_BYTES}.`)
  return encodeChunk(bytes, 0, SESSION_ID_BYTES) as SessionId
}

/** The 32 bytes of an id. */
export const peerIdToBytes = (id: PeerId): Uint8Array => decodeId(id)

/** The 16 bytes of a session id. */
export const sessionIdToBytes = (id: SessionId): Uint8Array => decodeId(id)

function decodeId(id: string): Uint8Array {
  const bytes = fromBase64url(id)
  if (bytes === undefined) throw new ShowchainError('ERR_BAD_MESSAGE', `${quote(id)} is not an id.`)
  return bytes
}

/** Undefined if the text is not an id. */
export const peerIdFromText = (text: string): PeerId | undefined => (isPeerId(text) ? text : undefined)
export const sessionIdFromText = (text: string): SessionId | undefined => (isSessionId(text) ? text : undefined)
