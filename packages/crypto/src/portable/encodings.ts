/** Signature encodings with SHA-256: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 §9.2, §9.1). */
import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes } from '@showchain/wire'
import { concat } from './bytes.ts'

/** DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1). */
const DIGEST_INFO = Uint8Array.of(
  0x30,
  0x31,
  0x30,
  0x0d,
  0x06,
  0x09,
  0x60,
  0x86,
  0x48,
  0x01,
  0x65,
  0x03,
  0x04,
  0x02,
  0x01,
  0x05,
  0x00,
  0x04,
  0x20,
)
const DIGEST_BYTES = 32
/** The salt of our PSS signatures is as long as the digest (RFC 8017 §9.1, note 4). */
export const SALT_BYTES = 32
const TRAILER = 0xbc

/** @param length of the modulus, in bytes. */
export function emsaPkcs1(message: Uint8Array, length: number): Uint8Array {
  const tail = concat(Uint8Array.of(0), DIGEST_INFO, sha256(message))
  return concat(Uint8Array.of(0, 1), new Uint8Array(length - 2 - tail.length).fill(0xff), tail)
}

/** MGF1 (RFC 8017 appendix B.2.1). */
function mask(seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0; counter * DIGEST_BYTES < length; counter++)
    blocks.push(sha256(concat(seed, Uint8Array.of(0, 0, counter >> 8, counter & 0xff))))
  return concat(...blocks).subarray(0, length)
}

/** EMSA-PSS-VERIFY. The modulus has whole bytes, so exactly one bit of `encoded` is unused. */
export function isEmsaPss(encoded: Uint8Array, message: Uint8Array): boolean {
  const end = encoded.length - DIGEST_BYTES - 1
  const first = encoded[0] as number
  if (encoded[encoded.length - 1] !== TRAILER || first >= 0x80) return false
  const digest = encoded.subarray(end, end + DIGEST_BYTES)
  const masking = mask(digest, end)
  const block = encoded.subarray(0, end).map((byte, index) => byte ^ (masking[index] as number))
  block[0] = (block[0] as number) & 0x7f
  const salt = end - SALT_BYTES
  if (!block.subarray(0, salt - 1).every((byte) => byte === 0) || block[salt - 1] !== 1) return false
  const expected = sha256(concat(new Uint8Array(8), sha256(message), block.subarray(salt)))
  return equalBytes(expected, digest)
}
