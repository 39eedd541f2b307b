/**
 * RSASSA-PSS (RFC 8017 §8.1.1) with a given salt, so that signatures in vectors are reproducible.
 * SHA-256, MGF1 of SHA-256; the raw private operation is OpenSSL's.
 */
import { constants, createPrivateKey, privateEncrypt } from 'node:crypto'
import { sha256 } from '../sha256.ts'

const HASH_BYTES = 32
const TRAILER = 0xbc

/** MGF1 (RFC 8017 appendix B.2.1). */
function mask(seed: Uint8Array, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / HASH_BYTES) }, (_, counter) =>
    sha256(Buffer.concat([seed, Buffer.of(0, 0, 0, counter)])),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

/** EMSA-PSS-ENCODE (RFC 8017 §9.1.1) for a modulus of whole bytes. */
function encoded(message: Uint8Array, salt: Uint8Array, modulusBytes: number): Uint8Array {
  const digest = sha256(Buffer.concat([new Uint8Array(8), sha256(message), salt]))
  const block = Buffer.alloc(modulusBytes - HASH_BYTES - 1)
  block[block.length - salt.length - 1] = 1
  block.set(salt, block.length - salt.length)
  const masking = mask(digest, block.length)
  for (const [at, byte] of block.entries()) block[at] = byte ^ (masking[at] as number)
  // The encoding has one bit less than the modulus.
  block[0] = (block[0] as number) & 0x7f
  return Buffer.concat([block, digest, Buffer.of(TRAILER)])
}

/** @param privateKey PKCS#8 PEM */
export function signPss(privateKey: string, message: Uint8Array, salt: Uint8Array): Uint8Array {
  const key = createPrivateKey(privateKey)
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  const signature = privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded(message, salt, modulusBytes))
  return Uint8Array.from(signature)
}
