/**
 * What providers without node:crypto do with public keys: the import policy, and verification by the raw
 * public operation and a comparison with the one correct encoding (RFC 8017 §8.2.2, §8.1.2).
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type PeerId, peerIdFromBytes } from '@showchain/wire'
import type { CryptoProvider, KeyBits, PublicKey } from '../core/index.ts'
import { readSpki } from '../core/spki.ts'
import { fromBigInt, toBigInt } from './bytes.ts'
import { emsaPkcs1, isEmsaPss } from './encodings.ts'

/** Public exponent of every key (docs/protocol.md, Identity). */
export const EXPONENT = 65_537
/** e = 2^16 + 1: sixteen squarings and one multiplication. */
const SQUARINGS = 16

export class PortablePublicKey implements PublicKey {
  readonly id: PeerId
  readonly spki: Uint8Array
  readonly bits: KeyBits
  readonly signatureLength: number
  readonly modulus: bigint

  constructor(spki: Uint8Array) {
    const { bits, bytes } = readSpki(spki)
    this.spki = spki.slice()
    this.id = peerIdFromBytes(sha256(spki))
    this.bits = bits
    this.signatureLength = bytes.length
    this.modulus = toBigInt(bytes)
  }

  /** RSAVP1 (RFC 8017 §5.2.2). Undefined if the signature is out of range for this key. */
  open(signature: Uint8Array): bigint | undefined {
    if (signature.length !== this.signatureLength) return undefined
    const s = toBigInt(signature)
    if (s >= this.modulus) return undefined
    let power = s
    for (let squaring = 0; squaring < SQUARINGS; squaring++) power = (power * power) % this.modulus
    return (power * s) % this.modulus
  }
}

/** A key of another provider is a mistake of the program. */
export function own<Key>(key: unknown, kind: abstract new (...args: never[]) => Key): Key {
  if (!(key instanceof kind)) throw new TypeError('This key was made by another crypto provider.')
  return key
}

export function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = own(key, PortablePublicKey)
  return publicKey.open(signature) === toBigInt(emsaPkcs1(message, publicKey.signatureLength))
}

/** The half of a provider that needs no private key. */
export const publicHalf: Pick<
  CryptoProvider,
  'sha256' | 'hmacSha256' | 'importPublicKey' | 'verify' | 'verifyAsync' | 'verifyPss'
> = {
  sha256: (bytes) => sha256(bytes),
  hmacSha256: (key, bytes) => hmac(sha256, key, bytes),
  importPublicKey: (spki) => new PortablePublicKey(spki),
  verify,
  verifyAsync: async (key, message, signature) => verify(key, message, signature),
  verifyPss(key, message, signature) {
    const publicKey = own(key, PortablePublicKey)
    const opened = publicKey.open(signature)
    return opened !== undefined && isEmsaPss(fromBigInt(opened, publicKey.signatureLength), message)
  },
}
