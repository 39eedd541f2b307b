/**
 * Who the remote peer of a handshake is: its payload counts if its identity certifies its static
 * key.
 */
import { isCurrent, type PublicKey } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import {
  certificatePreimage,
  type HandshakePayload,
  readCertificate,
  readHandshakePayload,
} from '@showchain/wire/end-to-end'

export interface RemoteIdentityOptions {
  readonly unixMs: () => number
  /** The public key of a certificate, if it hashes to the remote peer's id. */
  keyOf(spki: Uint8Array): PublicKey | undefined
  verify(key: PublicKey, preimage: Uint8Array, signature: Uint8Array): boolean
}

/** @returns undefined when the payload is not that of the remote peer */
export function readRemotePayload(
  payload: Uint8Array,
  staticKey: Uint8Array | undefined,
  { unixMs, keyOf, verify }: RemoteIdentityOptions,
): HandshakePayload | undefined {
  const theirs = readHandshakePayload(payload)
  const certificate = theirs && readCertificate(theirs.certificate)
  if (staticKey === undefined || certificate === undefined || !isCurrent(certificate, unixMs())) return undefined
  const key = keyOf(certificate.spki)
  // A pinned or cached key is found by the id, whatever SPKI is asked for.
  if (key === undefined || !equalBytes(key.spki, certificate.spki)) return undefined
  return verify(key, certificatePreimage(staticKey, certificate), certificate.signature) ? theirs : undefined
}
