/** Peers whose keys nobody has, and their requests: for a relay that takes each signature for good. */
import { openssl } from '@showchain/crypto'
import { encode, OP, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { forgedKey } from './siege-forgeries.ts'

/** As long as one by RSA-2048. */
export const SIGNATURE: Uint8Array = new Uint8Array(256).fill(1)

export interface ForgedPeer {
  readonly id: PeerId
  /** SubjectPublicKeyInfo. */
  readonly key: Uint8Array
}

/** @param spki of some RSA-2048 key */
export function forgedPeer(spki: Uint8Array): ForgedPeer {
  const key = forgedKey(spki)
  return { id: peerIdFromBytes(openssl.sha256(key)), key }
}

/** 0x101. @param cookie of the relay's challenge, once there was one */
export function registrationOf({ id, key }: ForgedPeer, relay: PeerId, ts: number, cookie?: Uint8Array): Uint8Array {
  const ext = { key, ...(cookie === undefined ? {} : { cookie }) }
  const seq = cookie === undefined ? 1 : 2
  return encode({ op_code: OP.directRequest, id, target: relay, seq, ts, sign: SIGNATURE, ext }, 'binary')
}

/** 0x121, after the registration. */
export const sessionRequest = (id: PeerId, target: PeerId, ts: number): Uint8Array =>
  encode({ op_code: OP.proxyRequest, target, id, seq: 3, ts, sign: SIGNATURE }, 'binary')
