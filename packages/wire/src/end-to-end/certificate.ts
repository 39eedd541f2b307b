/**
 * The certificate by which an identity vouches for its X25519 key (docs/protocol.md, End to end):
 * RSA-PSS over a context of its own. @showchain/crypto decides when one is valid.
 *
 *   certificate  not before (8, Unix ms) | not after (8) | length (2) | SPKI DER | signature
 *   preimage     "SHOWCHAIN-P2P-v1 certificate" 0x00 | X25519 public key (32)
 *                | not before (8) | not after (8)
 */
import { readU16, readU64, writeU16, writeU64 } from '../bytes.ts'
import { MAX_COUNTER } from '../limits.ts'
import { utf8 } from '../utf8.ts'

const CONTEXT = utf8('SHOWCHAIN-P2P-v1 certificate\0')
const NOT_AFTER_AT = 8
const LENGTH_AT = 16
const SPKI_AT = 18

/** When a certificate is valid, both included. Unix milliseconds. */
export interface Validity {
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

/** Says that an X25519 key belongs to an identity (docs/protocol.md, Handshake). */
export interface Certificate extends Validity {
  /** The identity's public key; not checked. */
  readonly spki: Uint8Array
  readonly signature: Uint8Array
}

/** The bytes that the identity signs. @param staticKey the X25519 public key, 32 bytes */
export function certificatePreimage(staticKey: Uint8Array, { notBefore, notAfter }: Validity): Uint8Array {
  const timesAt = CONTEXT.length + staticKey.length
  const preimage = new Uint8Array(timesAt + LENGTH_AT)
  preimage.set(CONTEXT)
  preimage.set(staticKey, CONTEXT.length)
  writeU64(preimage, writeU64(preimage, timesAt, notBefore), notAfter)
  return preimage
}

/** The bytes of a certificate (docs/protocol.md, Handshake). */
export function writeCertificate({ spki, signature, notBefore, notAfter }: Certificate): Uint8Array {
  const bytes = new Uint8Array(SPKI_AT + spki.length + signature.length)
  writeU64(bytes, 0, notBefore)
  writeU64(bytes, NOT_AFTER_AT, notAfter)
  writeU16(bytes, LENGTH_AT, spki.length)
  bytes.set(spki, SPKI_AT)
  bytes.set(signature, SPKI_AT + spki.length)
  return bytes
}

/** Copies. Undefined if the bytes end inside the key, or a time is above 2^53 − 1. */
export function readCertificate(bytes: Uint8Array): Certificate | undefined {
  if (bytes.length < SPKI_AT) return undefined
  const notBefore = readU64(bytes, 0)
  const notAfter = readU64(bytes, NOT_AFTER_AT)
  const end = SPKI_AT + readU16(bytes, LENGTH_AT)
  if (end > bytes.length || notBefore > MAX_COUNTER || notAfter > MAX_COUNTER) return undefined
  return { notBefore, notAfter, spki: bytes.slice(SPKI_AT, end), signature: bytes.slice(end) }
}
