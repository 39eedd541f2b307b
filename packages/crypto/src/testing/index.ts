/**
 * An insecure crypto provider for tests and simulations, never for anything else. Hashes are real;
 * keys and signatures are not, so that signing takes microseconds and an identity follows from a
 * seed. A signature is SHA-256(secret ‖ message), repeated up to the length of an RSA signature:
 * datagrams have their real size. Only the provider that made a key can verify with it. The sub-path
 * `@showchain/crypto/testing`.
 */
import { equalBytes, MAX_KEY_BYTES, type PeerId, peerIdFromBytes, ShowchainError } from '@showchain/wire'
import {
  type CryptoProvider,
  DEFAULT_KEY_BITS,
  type Identity,
  identityOf,
  KEY_BITS,
  type KeyBits,
  type PrivateKey,
  type PublicKey,
} from '../core/index.ts'
import { openssl } from '../openssl/openssl.ts'

/** Bytes of an RSA SubjectPublicKeyInfo of each size with exponent 65537. */
const SPKI_BYTES: Record<KeyBits, number> = { 2048: 294, 3072: 422, 4096: 550 }

/** An identity that also signs synchronously, for simulated workers. */
export interface TestIdentity extends Identity {
  /** As `sign`, at once. */
  signNow(message: Uint8Array): Uint8Array
  /** As `certify`, at once. */
  certifyNow(message: Uint8Array): Uint8Array
}

interface TestPrivateKey extends PrivateKey {
  readonly seed: string
  readonly secret: Uint8Array
}

const SHA256_BYTES = 32

const text = new TextEncoder()

export class TestProvider implements CryptoProvider {
  readonly name = 'test'
  /** The secrets of this provider's keys. Bounded by the identities that a test makes. */
  readonly #secrets = new Map<PeerId, Uint8Array>()
  #generated = 0
  /** The last one: what is said to a whole fleet is checked by each of its nodes in turn. */
  #mac: { readonly key: Uint8Array; readonly bytes: Uint8Array; readonly mac: Uint8Array } | undefined

  /** The identity of a seed: the same in every run. */
  identity(seed: string, bits: KeyBits = DEFAULT_KEY_BITS): TestIdentity {
    const key = this.#keyOf(seed, bits)
    return {
      ...identityOf(this, key),
      signNow: (message) => signature(key.secret, message, key.publicKey.signatureLength),
      certifyNow: (message) => signature(key.secret, pss(message), key.publicKey.signatureLength),
    }
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return openssl.sha256(bytes)
  }

  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    const last = this.#mac
    if (last !== undefined && equalBytes(last.bytes, bytes) && equalBytes(last.key, key)) return last.mac.slice()
    const mac = openssl.hmacSha256(key, bytes)
    this.#mac = { key: key.slice(), bytes: bytes.slice(), mac: mac.slice() }
    return mac
  }

  /** Accepts any bytes up to the limit, also those that no test provider made. */
  importPublicKey(spki: Uint8Array): PublicKey {
    if (spki.length === 0 || spki.length > MAX_KEY_BYTES)
      throw new ShowchainError('ERR_KEY_REFUSED', `It has ${spki.length} bytes.`)
    const bits = KEY_BITS.find((each) => SPKI_BYTES[each] === spki.length) ?? DEFAULT_KEY_BITS
    return { id: peerIdFromBytes(openssl.sha256(spki)), spki: spki.slice(), bits, signatureLength: bits / 8 }
  }

  verify(key: PublicKey, message: Uint8Array, signed: Uint8Array): boolean {
    const secret = this.#secrets.get(key.id)
    if (secret === undefined || signed.length !== key.signatureLength) return false
    return equalBytes(signature(secret, message, signed.length), signed)
  }

  async verifyAsync(key: PublicKey, message: Uint8Array, signed: Uint8Array): Promise<boolean> {
    return this.verify(key, message, signed)
  }

  async generate(bits: KeyBits): Promise<PrivateKey> {
    return this.#keyOf(`generated ${this.#generated++}`, bits)
  }

  async sign(key: PrivateKey, message: Uint8Array): Promise<Uint8Array> {
    return signature(own(key).secret, message, key.publicKey.signatureLength)
  }

  verifyPss(key: PublicKey, message: Uint8Array, signed: Uint8Array): boolean {
    return this.verify(key, pss(message), signed)
  }

  signPss(key: PrivateKey, message: Uint8Array): Promise<Uint8Array> {
    return this.sign(key, pss(message))
  }

  /** The seed in place of PKCS#8, never encrypted. */
  exportPrivateKey(key: PrivateKey): string {
    const seed = Buffer.from(`${key.publicKey.bits} ${own(key).seed}`).toString('base64')
    return `-----BEGIN PRIVATE KEY-----\n${seed}\n-----END PRIVATE KEY-----\n`
  }

  importPrivateKey(exported: string): PrivateKey {
    const [, lines = ''] = exported.split('\n')
    const [bitsText = '', ...seed] = Buffer.from(lines, 'base64').toString().split(' ')
    const bits = KEY_BITS.find((each) => String(each) === bitsText)
    if (bits === undefined) throw new ShowchainError('ERR_KEY_REFUSED', 'It was not exported by a test provider.')
    return this.#keyOf(seed.join(' '), bits)
  }

  #keyOf(seed: string, bits: KeyBits): TestPrivateKey {
    const publicKey = this.importPublicKey(expand(text.encode(`public ${bits} ${seed}`), SPKI_BYTES[bits]))
    const secret = openssl.sha256(text.encode(`secret ${bits} ${seed}`))
    this.#secrets.set(publicKey.id, secret)
    return { publicKey, seed, secret }
  }
}

/** Separates the domains of the two signature schemes. */
const pss = (message: Uint8Array): Uint8Array => Buffer.concat([text.encode('pss'), message])

/** @throws TypeError for a key of another provider: a mistake in the test */
function own(key: PrivateKey): TestPrivateKey {
  if (!('secret' in key)) throw new TypeError('This key was made by another crypto provider.')
  return key as TestPrivateKey
}

function signature(secret: Uint8Array, message: Uint8Array, length: number): Uint8Array {
  const digest = openssl.sha256(Buffer.concat([secret, message]))
  return new Uint8Array(Buffer.alloc(length, digest))
}

/** A byte stream from a seed: SHA-256(seed ‖ 0), SHA-256(seed ‖ 1), … */
function expand(seed: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const block = new Uint8Array(seed.length + 1)
  block.set(seed)
  for (let at = 0, counter = 0; at < length; at += SHA256_BYTES, counter++) {
    block[seed.length] = counter
    bytes.set(openssl.sha256(block).subarray(0, length - at), at)
  }
  return bytes
}
