/**
 * Crypto providers: RSA and hashes. `openssl` is for Node, `portable` for other runtimes. Messages
 * are signed by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
 */
import type { PeerId } from '@showchain/wire'

/** Modulus lengths in bits that the import policy allows (docs/protocol.md, Identity). */
export type KeyBits = 2048 | 3072 | 4096
/** Bits that a key may have (docs/protocol.md, Identity). */
export const KEY_BITS: readonly KeyBits[] = [2048, 3072, 4096]
/** Bits of a new key. */
export const DEFAULT_KEY_BITS: KeyBits = 2048

/** A key that passed the import policy. Only the provider that imported it can use it. */
export interface PublicKey {
  readonly id: PeerId
  /** Canonical DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly bits: KeyBits
  /** Bytes of a signature: the modulus length. */
  readonly signatureLength: number
}

/** A private key; what it is, only its provider knows. */
export interface PrivateKey {
  readonly publicKey: PublicKey
}

/** RSA, hashes and key generation: what differs from runtime to runtime. */
export interface CryptoProvider {
  readonly name: string
  /** 32 bytes (FIPS 180-4). */
  sha256(bytes: Uint8Array): Uint8Array
  /** 32 bytes (RFC 2104). */
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array
  /**
   * Import policy: DER of at most 600 bytes, rsaEncryption, a modulus of exactly 2048, 3072 or 4096
   * bits, exponent 65537, and only the canonical encoding.
   * @throws ShowchainError `ERR_KEY_REFUSED`
   */
  importPublicKey(spki: Uint8Array): PublicKey
  /** False for every wrong signature, including one of the wrong length; never throws. */
  verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean
  /** The same on another thread, if the runtime can. */
  verifyAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean>
  /** A new RSA key with exponent 65537. */
  generate(bits: KeyBits): Promise<PrivateKey>
  /**
   * @param pem PKCS#8, encrypted or not.
   * @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG`
   */
  importPrivateKey(pem: string, passphrase?: string): PrivateKey
  /** PKCS#8 PEM; encrypted if a passphrase is given. */
  exportPrivateKey(key: PrivateKey, passphrase?: string): string
  /** On another thread, if the runtime can. */
  sign(key: PrivateKey, message: Uint8Array): Promise<Uint8Array>
  /**
   * The same on the calling thread, where the runtime is quick at it.
   * @throws ShowchainError `ERR_SIGNING_FAILED`
   */
  signNow?(key: PrivateKey, message: Uint8Array): Uint8Array
  /**
   * RSASSA-PSS (RFC 8017 §8.1) with SHA-256, MGF1 of SHA-256 and a salt of 32 bytes: for
   * certificates. On another thread, if the runtime can.
   */
  signPss(key: PrivateKey, message: Uint8Array): Promise<Uint8Array>
  /** False for every wrong signature, including one of the wrong length; never throws. */
  verifyPss(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean
}

/** A source of randomness: a CSPRNG, or a seeded generator in simulations. */
export interface Random {
  /** So many random bytes. */
  bytes(length: number): Uint8Array
  /** 0 to 2^32 − 1. */
  uint32(): number
  /** 0 ≤ x < 1. */
  uniform(): number
}
