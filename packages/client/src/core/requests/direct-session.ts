/**
 * The session of data on a direct path (**ext**): both ends know it once a 0x101 was answered, no
 * message carries it (docs/protocol.md, Data on a direct path).
 */
import type { CryptoProvider } from '@showchain/crypto/core'
import { type PeerId, peerIdToBytes, SESSION_ID_BYTES, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import type { Stamp } from '../endpoint/request-stamp.ts'

/** ASCII "SHOWCHAIN-P2P-v1 direct" and a zero byte. */
const CONTEXT = Uint8Array.from('SHOWCHAIN-P2P-v1 direct\0', (character) => character.charCodeAt(0))
const ID_BYTES = 32
const TWO_32 = 0x1_0000_0000

/** @param requester who sent the 0x101. @param responder who answered it. */
export function directSession(
  provider: CryptoProvider,
  requester: PeerId,
  responder: PeerId,
  { seq, ts }: Stamp,
): SessionId {
  const bytes = new Uint8Array(CONTEXT.length + 2 * ID_BYTES + 16)
  bytes.set(CONTEXT)
  bytes.set(peerIdToBytes(requester), CONTEXT.length)
  bytes.set(peerIdToBytes(responder), CONTEXT.length + ID_BYTES)
  const view = new DataView(bytes.buffer, CONTEXT.length + 2 * ID_BYTES)
  for (const [index, value] of [seq, ts].entries()) {
    view.setUint32(index * 8, Math.floor(value / TWO_32))
    view.setUint32(index * 8 + 4, value % TWO_32)
  }
  return sessionIdFromBytes(provider.sha256(bytes).subarray(0, SESSION_ID_BYTES))
}
