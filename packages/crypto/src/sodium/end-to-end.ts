/**
 * X25519 and ChaCha20-Poly1305 by libsodium, through the package sodium-native: a third of the time
 * of node:crypto, which makes objects for each key and each record. The package is optional. Where it
 * is not there, or does not do what it should, OpenSSL takes its place: the same bytes.
 */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { equalBytes } from '@showchain/wire'
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type Aead,
  DH_BYTES,
  type EndToEndCrypto,
} from '../core/index.ts'
import { opensslEndToEnd } from '../openssl/end-to-end.ts'

/** What is used of it. The first two return the number of bytes that they wrote. */
export interface Sodium {
  crypto_aead_chacha20poly1305_ietf_encrypt(
    ...into: [Uint8Array, message: Uint8Array, aad: Uint8Array, nsec: null, nonce: Uint8Array, key: Uint8Array]
  ): number
  /** @throws Error when the authentication fails */
  crypto_aead_chacha20poly1305_ietf_decrypt(
    ...into: [Uint8Array, nsec: null, sealed: Uint8Array, aad: Uint8Array, nonce: Uint8Array, key: Uint8Array]
  ): number
  crypto_scalarmult_base(into: Uint8Array, privateKey: Uint8Array): void
  /** @throws Error when the result is all zero */
  crypto_scalarmult(into: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): void
}

class SodiumAead implements Aead {
  /** By themselves: to find them among the hundreds that the package exports costs a tenth of a call. */
  readonly #encrypt: Sodium['crypto_aead_chacha20poly1305_ietf_encrypt']
  readonly #decrypt: Sodium['crypto_aead_chacha20poly1305_ietf_decrypt']
  readonly #key: Uint8Array

  constructor(sodium: Sodium, key: Uint8Array) {
    this.#encrypt = sodium.crypto_aead_chacha20poly1305_ietf_encrypt
    this.#decrypt = sodium.crypto_aead_chacha20poly1305_ietf_decrypt
    this.#key = key.slice()
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): void {
    const sealed = into.subarray(at, at + plaintext.length + AEAD_TAG_BYTES)
    this.#encrypt(sealed, plaintext, aad, null, nonce, this.#key)
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.openInPlace(nonce, aad, sealed.slice())
  }

  /** libsodium verifies before it decrypts, and may decrypt over what it reads. */
  openInPlace(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < AEAD_TAG_BYTES) return undefined
    const plaintext = sealed.subarray(0, sealed.length - AEAD_TAG_BYTES)
    try {
      this.#decrypt(plaintext, null, sealed, aad, nonce, this.#key)
      return plaintext
    } catch {
      return undefined
    }
  }
}

const sodiumEndToEnd = (sodium: Sodium): EndToEndCrypto => ({
  x25519Public(privateKey) {
    const publicKey = new Uint8Array(DH_BYTES)
    sodium.crypto_scalarmult_base(publicKey, privateKey)
    return publicKey
  },
  x25519(privateKey, publicKey) {
    const shared = new Uint8Array(DH_BYTES)
    try {
      sodium.crypto_scalarmult(shared, privateKey, publicKey)
      return shared
    } catch {
      return undefined
    }
  },
  aead: (key) => new SodiumAead(sodium, key),
})

/**
 * @param load the package, as `require` gives it
 * @returns undefined where it cannot be loaded, or does not agree with OpenSSL
 */
export function loadSodium(load: () => Sodium): EndToEndCrypto | undefined {
  try {
    const crypto = sodiumEndToEnd(load())
    return agrees(crypto) && agreesOnSecrets(crypto) ? crypto : undefined
  } catch {
    // Not installed, or no binary for this system: the reason is of no use to anybody here.
    return undefined
  }
}

/** Seals what OpenSSL opens, opens what OpenSSL seals, and refuses a record that was changed. */
function agrees(crypto: EndToEndCrypto): boolean {
  const [key, nonce] = [new Uint8Array(AEAD_KEY_BYTES).fill(1), new Uint8Array(AEAD_NONCE_BYTES).fill(2)]
  const [aad, plaintext] = [Uint8Array.of(3), new Uint8Array(100).fill(4)]
  const sealedBy = ({ aead }: EndToEndCrypto): Uint8Array => {
    const sealed = new Uint8Array(plaintext.length + AEAD_TAG_BYTES)
    aead(key).seal(nonce, aad, plaintext, sealed, 0)
    return sealed
  }
  const sealed = sealedBy(opensslEndToEnd)
  const opened = crypto.aead(key).openInPlace(nonce, aad, sealed.slice())
  const changed = sealed.with(0, ~(sealed[0] as number))
  return (
    equalBytes(sealedBy(crypto), sealed) &&
    opened !== undefined &&
    equalBytes(opened, plaintext) &&
    crypto.aead(key).open(nonce, aad, changed) === undefined
  )
}

/** Has the same keys and secrets as OpenSSL, and none with a key of small order (RFC 7748 §6.1). */
function agreesOnSecrets({ x25519, x25519Public }: EndToEndCrypto): boolean {
  const [ours, theirs] = [new Uint8Array(DH_BYTES).fill(5), new Uint8Array(DH_BYTES).fill(6)]
  const publicKey = opensslEndToEnd.x25519Public(theirs)
  const secret = opensslEndToEnd.x25519(ours, publicKey)
  const shared = x25519(ours, publicKey)
  return (
    equalBytes(x25519Public(theirs), publicKey) &&
    secret !== undefined &&
    shared !== undefined &&
    equalBytes(shared, secret) &&
    x25519(ours, new Uint8Array(DH_BYTES)) === undefined
  )
}

/** What this installation has; undefined before anybody asked. */
let chosen: EndToEndCrypto | undefined

/** By its real path, as its own packages must be found from there (see the client's koffi). */
function requireSodium(): Sodium {
  const require = createRequire(import.meta.url)
  return require(realpathSync.native(require.resolve('sodium-native'))) as Sodium
}

/**
 * The fastest that this installation has, chosen when it is asked for first: a relay seals nothing,
 * and to load the package takes longer than a program's other modules.
 */
export function nodeEndToEnd(): EndToEndCrypto {
  chosen ??= loadSodium(requireSodium) ?? opensslEndToEnd
  return chosen
}

/** Whether libsodium is what protects data from end to end. */
export const hasSodium = (): boolean => nodeEndToEnd() !== opensslEndToEnd
