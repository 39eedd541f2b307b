/**
 * The provider for browsers: private keys and signatures by WebCrypto, which works on other threads, hashes
 * by @noble/hashes, and verification as the portable one has it. WebCrypto is asynchronous, so a key is
 * checked here, and imported there when it is used first.
 */
import { quote, ShowchainError } from '@showchain/wire'
import { type CryptoProvider, KEY_BITS, type PrivateKey } from '../core/index.ts'
import { spkiOf } from '../core/spki.ts'
import { readPem, readPrivateKey, writePem } from './pkcs8.ts'
import { EXPONENT, own, PortablePublicKey, publicHalf } from './public-keys.ts'
import { subtle, type WebKey } from './web-globals.ts'

const HASH = 'SHA-256'
const PKCS1 = { name: 'RSASSA-PKCS1-v1_5', hash: HASH }
/** The salt is as long as the digest (RFC 8017 §9.1, note 4). */
const PSS = { name: 'RSA-PSS', hash: HASH, saltLength: 32 }
type Scheme = typeof PKCS1 | typeof PSS

class WebPrivateKey implements PrivateKey {
  readonly publicKey: PortablePublicKey
  /** PKCS#8. */
  readonly der: Uint8Array
  /** WebCrypto has a key for each scheme. */
  readonly #handles = new Map<Scheme, Promise<WebKey>>()

  /** @throws ShowchainError `ERR_KEY_REFUSED` */
  constructor(der: Uint8Array) {
    const { modulus, exponent } = readPrivateKey(der)
    const bits = KEY_BITS.find((each) => each === modulus.length * 8)
    if (bits === undefined) throw new ShowchainError('ERR_KEY_REFUSED', `It has ${modulus.length * 8} bits.`)
    if (exponent !== BigInt(EXPONENT)) throw new ShowchainError('ERR_KEY_REFUSED', `Its exponent is ${exponent}.`)
    this.der = der
    this.publicKey = new PortablePublicKey(spkiOf(modulus))
  }

  /** @throws ShowchainError `ERR_SIGNING_FAILED`, `ERR_RUNTIME` */
  async sign(scheme: Scheme, message: Uint8Array): Promise<Uint8Array> {
    const web = subtle()
    const handle = this.#handles.get(scheme) ?? web.importKey('pkcs8', this.der, scheme, false, ['sign'])
    this.#handles.set(scheme, handle)
    try {
      return new Uint8Array(await web.sign(scheme, await handle, message))
    } catch (cause) {
      throw new ShowchainError('ERR_SIGNING_FAILED', undefined, { cause })
    }
  }
}

/** Keys and signatures by WebCrypto. */
export const webCrypto: CryptoProvider = {
  name: 'webcrypto',
  ...publicHalf,
  async generate(bits) {
    if (!KEY_BITS.includes(bits)) throw new ShowchainError('ERR_KEY_REFUSED', `${quote(bits)} bits were asked for.`)
    const publicExponent = Uint8Array.of(1, 0, 1)
    const web = subtle()
    const { privateKey } = await web.generateKey({ ...PKCS1, modulusLength: bits, publicExponent }, true, [
      'sign',
      'verify',
    ])
    return new WebPrivateKey(new Uint8Array(await web.exportKey('pkcs8', privateKey)))
  },
  importPrivateKey: (pem, passphrase) => new WebPrivateKey(readPem(pem, passphrase)),
  exportPrivateKey: (key, passphrase) => writePem(own(key, WebPrivateKey).der, passphrase),
  sign: async (key, message) => own(key, WebPrivateKey).sign(PKCS1, message),
  signPss: async (key, message) => own(key, WebPrivateKey).sign(PSS, message),
}
