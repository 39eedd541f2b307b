/**
 * The provider for runtimes without node:crypto: keys and signatures by node-forge, hashes by
 * @noble/hashes. Verification is the raw public operation and a comparison with the one correct
 * encoding (RFC 8017 §8.2.2). forge's verifier is never used: it accepts wrong encodings.
 *
 * There are no threads: `sign`, `generate` and `verifyAsync` run on the calling thread.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type PeerId, peerIdFromBytes, quote, ShowchainError } from '@showchain/wire'
import forge from 'node-forge'
import { type CryptoProvider, KEY_BITS, type KeyBits, type PrivateKey, type PublicKey } from '../core/index.ts'
import { fromBigInt, fromBinaryString, toBigInt, toBinaryString } from './bytes.ts'
import { emsaPkcs1, isEmsaPss } from './encodings.ts'
import { type ForgePrivateKey, modulusOf, readPkcs8, writePkcs8 } from './private-keys.ts'
import { readSpki, spkiOf } from './spki.ts'

const EXPONENT = 65_537
/** e = 2^16 + 1: sixteen squarings and one multiplication. */
const SQUARINGS = 16
/** As long as the digest (RFC 8017 §9.1, note 4). */
const PSS_SALT_BYTES = 32

class PortablePublicKey implements PublicKey {
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

class PortablePrivateKey implements PrivateKey {
  readonly publicKey: PortablePublicKey
  readonly handle: ForgePrivateKey

  /** @throws ShowchainError `ERR_KEY_REFUSED` */
  constructor(handle: ForgePrivateKey) {
    const modulus = modulusOf(handle)
    const bits = KEY_BITS.find((each) => each === modulus.length * 8)
    if (bits === undefined) throw new ShowchainError('ERR_KEY_REFUSED', `It has ${handle.n.bitLength()} bits.`)
    if (handle.e.toString() !== String(EXPONENT))
      throw new ShowchainError('ERR_KEY_REFUSED', `Its exponent is ${handle.e}.`)
    this.handle = handle
    this.publicKey = new PortablePublicKey(spkiOf(modulus))
  }
}

function own<Key>(key: unknown, kind: abstract new (...args: never[]) => Key): Key {
  if (!(key instanceof kind)) throw new TypeError('This key was made by another crypto provider.')
  return key
}

function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = own(key, PortablePublicKey)
  return publicKey.open(signature) === toBigInt(emsaPkcs1(message, publicKey.signatureLength))
}

const digestOf = (message: Uint8Array): forge.md.MessageDigest =>
  forge.md.sha256.create().update(toBinaryString(message))

const signNow = ({ handle }: PortablePrivateKey, message: Uint8Array): Uint8Array =>
  fromBinaryString(handle.sign(digestOf(message)))

function signPssNow({ handle }: PortablePrivateKey, message: Uint8Array): Uint8Array {
  const md = forge.md.sha256.create()
  const mgf = forge.mgf.mgf1.create(forge.md.sha256.create())
  return fromBinaryString(handle.sign(digestOf(message), forge.pss.create({ md, mgf, saltLength: PSS_SALT_BYTES })))
}

export const portable: CryptoProvider = {
  name: 'portable',
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
  async generate(bits) {
    if (!KEY_BITS.includes(bits)) throw new ShowchainError('ERR_KEY_REFUSED', `${quote(bits)} bits were asked for.`)
    // Given a generator, forge looks neither for Node's nor for web workers.
    const { privateKey } = forge.pki.rsa.generateKeyPair({ bits, e: EXPONENT, prng: forge.random })
    return new PortablePrivateKey(privateKey)
  },
  importPrivateKey(pem, passphrase) {
    const key = new PortablePrivateKey(readPkcs8(pem, passphrase))
    const probe = new Uint8Array(1)
    if (!verify(key.publicKey, probe, signNow(key, probe)))
      throw new ShowchainError('ERR_KEY_REFUSED', 'Its numbers do not match: the file is damaged.')
    return key
  },
  exportPrivateKey: (key, passphrase) => writePkcs8(own(key, PortablePrivateKey).handle, passphrase),
  sign: async (key, message) => signNow(own(key, PortablePrivateKey), message),
  signPss: async (key, message) => signPssNow(own(key, PortablePrivateKey), message),
}
