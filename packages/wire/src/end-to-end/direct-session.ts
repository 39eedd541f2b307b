/**
 * The session of data on a direct path (docs/protocol.md, Data on a direct path): both ends derive
 * it from the 0x101 that was answered; no message carries it. It is the first 16 bytes of SHA-256
 * over
 *
 *   "SHOWCHAIN-P2P-v1 direct" 0x00 | requester id (32) | responder id (32) | seq (8) | ts (8)
 */
import { writeU64 } from '../bytes.ts'
import { type PeerId, peerIdToBytes } from '../ids.ts'
import { PEER_ID_BYTES } from '../limits.ts'
import { utf8 } from '../utf8.ts'

const CONTEXT = utf8('SHOWCHAIN-P2P-v1 direct\0')
const RESPONDER_AT: number = CONTEXT.length + PEER_ID_BYTES
const STAMP_AT: number = RESPONDER_AT + PEER_ID_BYTES

/** The 0x101 that was answered: both ends know its fields. */
export interface AnsweredRequest {
  /** The sender of the 0x101. */
  readonly requester: PeerId
  readonly responder: PeerId
  /** As the 0x101 has them. */
  readonly seq: number
  readonly ts: number
}

/**
 * The bytes whose SHA-256 begins with the session of a direct path (docs/protocol.md, Data on a direct
 * path).
 */
export function directSessionPreimage({ requester, responder, seq, ts }: AnsweredRequest): Uint8Array {
  const preimage = new Uint8Array(STAMP_AT + 16)
  preimage.set(CONTEXT)
  preimage.set(peerIdToBytes(requester), CONTEXT.length)
  preimage.set(peerIdToBytes(responder), RESPONDER_AT)
  writeU64(preimage, writeU64(preimage, STAMP_AT, seq), ts)
  return preimage
}
