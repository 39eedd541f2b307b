/** X25519 and ChaCha20-Poly1305 by OpenSSL. Its names for raw keys are DER with a fixed front (RFC 8410 §4, §7). */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import { AEAD_TAG_BYTES, type Aead, DH_BYTES, type EndToEndCrypto } from '../core/index.ts'

const PKCS8_FRONT = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_FRONT = Buffer.from('302a300506032b656e032100', 'hex')
const CIPHER = 'chacha20-poly1305'
const OPTIONS = { authTagLength: AEAD_TAG_BYTES } as const

const privateHandle = (raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_FRONT, raw]), format: 'der', type: 'pkcs8' })
const publicHandle = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_FRONT, raw]), format: 'der', type: 'spki' })

class OpensslAead implements Aead {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): void {
    const cipher = createCipheriv(CIPHER, this.#key, nonce, OPTIONS)
    cipher.setAAD(aad, { plaintextLength: plaintext.length })
    into.set(cipher.update(plaintext), at)
    cipher.final()
    into.set(cipher.getAuthTag(), at + plaintext.length)
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const length = sealed.length - AEAD_TAG_BYTES
    if (length < 0) return undefined
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, OPTIONS)
    decipher.setAAD(aad, { plaintextLength: length })
    decipher.setAuthTag(sealed.subarray(length))
    const plaintext = decipher.update(sealed.subarray(0, length))
    try {
      decipher.final()
      return plaintext
    } catch {
      return undefined
    }
  }
}

export const opensslEndToEnd: EndToEndCrypto = {
  x25519Public(privateKey) {
    const der = createPublicKey(privateHandle(privateKey)).export({ format: 'der', type: 'spki' })
    return new Uint8Array(der.subarray(SPKI_FRONT.length))
  },
  x25519(privateKey, publicKey) {
    if (publicKey.length !== DH_BYTES) return undefined
    try {
      return diffieHellman({ privateKey: privateHandle(privateKey), publicKey: publicHandle(publicKey) })
    } catch {
      return undefined
    }
  },
  aead: (key) => new OpensslAead(key),
}
