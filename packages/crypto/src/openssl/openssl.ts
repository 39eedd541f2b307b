/**
 * The provider for Node: OpenSSL through node:crypto. `verify` and `signNow` run on the calling thread;
 * `sign` and `verifyAsync` run on libuv's threads.
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hash,
  type KeyObject,
  sign as signOneShot,
  verify as verifyNow,
} from 'node:crypto'
import { promisify } from 'node:util'
import { peerIdFromBytes, quote, ShowchainError } from '@showchain/wire'
import { type CryptoProvider, KEY_BITS, type KeyBits, type PrivateKey, type PublicKey } from '../core/index.ts'
import { readSpki } from '../core/spki.ts'
import { encryptPkcs8Der } from '../portable/private-keys.ts'

class OpensslPublicKey implements PublicKey {
  readonly spki: Uint8Array
  readonly bits: KeyBits
  readonly signatureLength: number
  readonly handle: KeyObject
  #id: PublicKey['id'] | undefined

  constructor(handle: KeyObject, spki: Uint8Array, bits: KeyBits) {
    this.spki = spki
    this.bits = bits
    this.signatureLength = bits / 8
    this.handle = handle
  }

  /** Of most keys it was computed before they were imported, and is not asked for again. */
  get id(): PublicKey['id'] {
    this.#id ??= peerIdFromBytes(sha256(this.spki))
    return this.#id
  }
}

class OpensslPrivateKey implements PrivateKey {
  readonly publicKey: PublicKey
  readonly handle: KeyObject

  constructor(handle: KeyObject) {
    this.handle = handle
    const der = createPublicKey(handle).export({ type: 'spki', format: 'der' })
    this.publicKey = publicKeyOf(der)
  }
}

const PUBLIC_EXPONENT = 65_537
const ALGORITHM = 'RSA-SHA256'
/** As long as the digest (RFC 8017 §9.1, note 4). */
const PSS_SALT_BYTES = 32
/**
 * Before the PKCS#1 key: SEQUENCE, rsaEncryption with NULL, BIT STRING; the same length for every
 * allowed size.
 */
const HEADER_BYTES = 24

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')

/** Bytes of a block and of a digest of SHA-256. */
const [BLOCK, DIGEST] = [64, 32]
/** Reused: nearly all that is authenticated fits. */
const inner = new Uint8Array(BLOCK + 256)
const outer = new Uint8Array(BLOCK + DIGEST)

/**
 * HMAC (RFC 2104) of two hashes: `createHmac` makes an object for each, which the collector of garbage has to
 * destroy by itself, and a flood of first contacts asks for tens of thousands a second.
 */
function hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? sha256(key) : key
  const front = BLOCK + bytes.length <= inner.length ? inner : new Uint8Array(BLOCK + bytes.length)
  for (let at = 0; at < BLOCK; at++) {
    const byte = short[at] ?? 0
    front[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  front.set(bytes, BLOCK)
  outer.set(sha256(front.subarray(0, BLOCK + bytes.length)), BLOCK)
  const mac = sha256(outer)
  // Nothing of the key stays.
  front.fill(0, 0, BLOCK)
  outer.fill(0)
  return mac
}

const refused = (why: string, cause?: unknown): ShowchainError => new ShowchainError('ERR_KEY_REFUSED', why, { cause })

/**
 * The header is known, so that OpenSSL need not read it: it imports a PKCS#1 key 30 times as fast as
 * the same as SPKI (10 µs instead of 300, measured).
 * @throws ShowchainError `ERR_KEY_REFUSED` unless the import policy allows it
 */
function publicKeyOf(spki: Uint8Array): OpensslPublicKey {
  const { bits } = readSpki(spki)
  const own = Buffer.from(spki)
  try {
    const handle = createPublicKey({ key: own.subarray(HEADER_BYTES), format: 'der', type: 'pkcs1' })
    return new OpensslPublicKey(handle, new Uint8Array(own), bits)
  } catch (error) {
    throw refused('OpenSSL cannot read it.', error)
  }
}

/** A key of another provider is a mistake of the program. */
function own<Key>(key: unknown, kind: abstract new (...args: never[]) => Key): Key {
  if (!(key instanceof kind)) throw new TypeError('This key was made by another crypto provider.')
  return key
}

const verifyOnThread = promisify(
  (message: Uint8Array, key: KeyObject, signature: Uint8Array, done: (error: Error | null, valid: boolean) => void) =>
    verifyNow(ALGORITHM, message, { key, padding: constants.RSA_PKCS1_PADDING }, signature, done),
)
const signPromise = promisify(
  (message: Uint8Array, key: SigningOptions, done: (error: Error | null, signature: Buffer) => void) =>
    signOneShot(ALGORITHM, message, key, done),
)
const signingFailed = (cause: unknown): ShowchainError => new ShowchainError('ERR_SIGNING_FAILED', undefined, { cause })

async function signOnThread(message: Uint8Array, key: SigningOptions): Promise<Uint8Array> {
  try {
    return await signPromise(message, key)
  } catch (error) {
    throw signingFailed(error)
  }
}

const pss = (key: KeyObject): SigningOptions => ({
  key,
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: PSS_SALT_BYTES,
})

type SigningOptions = { readonly key: KeyObject; readonly padding: number; readonly saltLength?: number }
const generate = promisify(generateKeyPair)

function importPrivateKey(pem: string, passphrase?: string): OpensslPrivateKey {
  const encrypted = pem.includes('ENCRYPTED')
  if (encrypted && passphrase === undefined) throw new ShowchainError('ERR_PASSPHRASE_NEEDED')
  let handle: KeyObject
  try {
    handle = createPrivateKey({ key: pem, format: 'pem', ...(encrypted ? { passphrase } : {}) })
  } catch (error) {
    if (encrypted) throw new ShowchainError('ERR_PASSPHRASE_WRONG', undefined, { cause: error })
    throw refused('It is not a PKCS#8 private key in PEM.', error)
  }
  if (handle.asymmetricKeyType !== 'rsa') throw refused(`It is of type ${handle.asymmetricKeyType}.`)
  const key = new OpensslPrivateKey(handle)
  if (!fits(key)) throw refused('Its numbers do not match: the file is damaged.')
  return key
}

/** Whether a signature of the private key verifies with the public key. */
function fits({ handle, publicKey }: OpensslPrivateKey): boolean {
  const probe = Buffer.from('showchain key check')
  try {
    return openssl.verify(publicKey, probe, signOneShot(ALGORITHM, probe, handle))
  } catch {
    return false
  }
}

/** RSA and hashes of node:crypto. */
export const openssl: CryptoProvider = {
  name: 'openssl',
  sha256,
  hmacSha256,
  importPublicKey: publicKeyOf,
  verify(key, message, signature) {
    const { handle, signatureLength } = own(key, OpensslPublicKey)
    if (signature.length !== signatureLength) return false
    return verifyNow(ALGORITHM, message, { key: handle, padding: constants.RSA_PKCS1_PADDING }, signature)
  },
  async verifyAsync(key, message, signature) {
    const { handle, signatureLength } = own(key, OpensslPublicKey)
    if (signature.length !== signatureLength) return false
    return verifyOnThread(message, handle, signature)
  },
  verifyPss(key, message, signature) {
    const { handle, signatureLength } = own(key, OpensslPublicKey)
    if (signature.length !== signatureLength) return false
    return verifyNow(ALGORITHM, message, pss(handle), signature)
  },
  async generate(bits) {
    if (!KEY_BITS.includes(bits)) throw refused(`${quote(bits)} bits were asked for.`)
    const { privateKey } = await generate('rsa', { modulusLength: bits, publicExponent: PUBLIC_EXPONENT })
    return new OpensslPrivateKey(privateKey)
  },
  importPrivateKey,
  exportPrivateKey(key, passphrase) {
    const { handle } = own(key, OpensslPrivateKey)
    if (passphrase === undefined) return handle.export({ type: 'pkcs8', format: 'pem' }).toString()
    // Node's own encryption has only 2,048 rounds of PBKDF2.
    return encryptPkcs8Der(handle.export({ type: 'pkcs8', format: 'der' }), passphrase)
  },
  sign: (key, message) =>
    signOnThread(message, { key: own(key, OpensslPrivateKey).handle, padding: constants.RSA_PKCS1_PADDING }),
  signNow(key, message) {
    try {
      return signOneShot(ALGORITHM, message, own(key, OpensslPrivateKey).handle)
    } catch (error) {
      throw signingFailed(error)
    }
  },
  signPss: (key, message) => signOnThread(message, pss(own(key, OpensslPrivateKey).handle)),
}
