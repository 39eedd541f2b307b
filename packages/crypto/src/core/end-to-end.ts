/**
 * Cryptography of the end-to-end layer, besides hashes: X25519 (RFC 7748), ChaCha20-Poly1305 (RFC
 * 8439).
 */

export const DH_BYTES = 32
/** Bytes of a key of ChaCha20-Poly1305 (RFC 8439 §2.8). */
export const AEAD_KEY_BYTES = 32
/** Bytes of a nonce (RFC 8439 §2.8). */
export const AEAD_NONCE_BYTES = 12
/** Bytes of a tag (RFC 8439 §2.8). */
export const AEAD_TAG_BYTES = 16

/** A key of ChaCha20-Poly1305. Never seal twice with the same nonce. */
export interface Aead {
  /** Writes ciphertext and tag to `into` at `at`: AEAD_TAG_BYTES more than the plaintext. */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): void
  /**
   * The plaintext, or undefined if authentication fails; never throws.
   * @param sealed ciphertext and tag
   */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
  /** As `open`, but may write over `sealed`: the plaintext, or anything if authentication fails. */
  openInPlace(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
}

/** The primitives of end-to-end protection. */
export interface EndToEndCrypto {
  /**
   * The public key of a private one (RFC 7748 §6.1).
   * @param privateKey 32 random bytes
   */
  x25519Public(privateKey: Uint8Array): Uint8Array
  /** Undefined if the result is all zero, as with a public key of small order (RFC 7748 §6.1). */
  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
  /**
   * ChaCha20-Poly1305 under one key (RFC 8439).
   * @param key AEAD_KEY_BYTES
   */
  aead(key: Uint8Array): Aead
}
