/**
 * X25519 by @noble/curves and ChaCha20-Poly1305 by @noble/ciphers, for runtimes without
 * node:crypto.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { AEAD_TAG_BYTES, type Aead, DH_BYTES, type EndToEndCrypto } from '../core/index.ts'
import { x25519 } from './x25519.ts'

class PortableAead implements Aead {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): void {
    const sealed = into.subarray(at, at + plaintext.length + AEAD_TAG_BYTES)
    chacha20poly1305(this.#key, nonce, aad).encrypt(plaintext, sealed)
  }

  openInPlace(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.open(nonce, aad, sealed)
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < AEAD_TAG_BYTES) return undefined
    try {
      return chacha20poly1305(this.#key, nonce, aad).decrypt(sealed)
    } catch {
      return undefined
    }
  }
}

export const portableEndToEnd: EndToEndCrypto = {
  x25519Public: (privateKey) => x25519.getPublicKey(privateKey),
  x25519(privateKey, publicKey) {
    if (publicKey.length !== DH_BYTES) return undefined
    try {
      return x25519.getSharedSecret(privateKey, publicKey)
    } catch {
      return undefined
    }
  },
  aead: (key) => new PortableAead(key),
}
