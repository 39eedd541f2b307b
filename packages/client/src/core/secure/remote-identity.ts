/**
 * Who the remote peer of a handshake is: its payload counts if its identity certifies its static
 * key. Where the certificate is genuine and not of now, a clock is wrong, and each end can be told.
 */
import { CERTIFICATE_LIFETIME, isCurrent, type PublicKey } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import {
  certificatePreimage,
  type HandshakePayload,
  readCertificate,
  readHandshakePayload,
  type Validity,
} from '@showchain/wire/end-to-end'

export interface RemoteIdentityOptions {
  readonly unixMs: () => number
  /** The public key of a certificate, if it hashes to the remote peer's id. */
  keyOf(spki: Uint8Array): PublicKey | undefined
  verify(key: PublicKey, preimage: Uint8Array, signature: Uint8Array): boolean
}

export interface RemotePayload extends HandshakePayload {
  /** Why its certificate does not count though it is genuine, for people. */
  readonly wrongClock: string | undefined
}

/** @returns undefined when the payload is not that of the remote peer */
export function readRemotePayload(
  payload: Uint8Array,
  staticKey: Uint8Array | undefined,
  { unixMs, keyOf, verify }: RemoteIdentityOptions,
): RemotePayload | undefined {
  const theirs = readHandshakePayload(payload)
  const certificate = theirs && readCertificate(theirs.certificate)
  if (theirs === undefined || staticKey === undefined || certificate === undefined) return undefined
  if (certificate.notAfter - certificate.notBefore > CERTIFICATE_LIFETIME) return undefined
  const key = keyOf(certificate.spki)
  // A pinned or cached key is found by the id, whatever SPKI is asked for.
  if (key === undefined || !equalBytes(key.spki, certificate.spki)) return undefined
  if (!verify(key, certificatePreimage(staticKey, certificate), certificate.signature)) return undefined
  return {
    ...theirs,
    wrongClock: isCurrent(certificate, unixMs()) ? undefined : clockDifference(certificate, unixMs()),
  }
}

const HOUR = 3_600_000

/** A peer shows a certificate from when it was made until it is renewed. */
function clockDifference({ notBefore, notAfter }: Validity, unixMs: number): string {
  const behind = unixMs < notBefore
  const hours = Math.ceil((behind ? notBefore - unixMs : unixMs - notAfter) / HOUR)
  return `the clock of the remote peer is ${hours} hours ${behind ? 'ahead of' : 'behind'} this one, or more: one of both is wrong`
}
