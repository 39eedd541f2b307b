/**
 * The provider for runtimes without node:crypto: keys and signatures by node-forge, hashes by
 * @noble/hashes. Verification is the raw public operation and a comparison with the one correct
 * encoding (RFC 8017 §8.2.2). forge's verifier is never used: it accepts wrong encodings.
 *
 * There are no threads: `sign`, `generate` and `verifyAsync` run on the calling thread.
 */
import { quote, ShowchainError } from '@showchain/wire'
import forge from 'node-forge'
import { type CryptoProvider, KEY_BITS, type PrivateKey } from '../core/index.ts'
import { spkiOf } from '../core/spki.ts'
import { fromBinaryString, toBinaryString } from './bytes.ts'
import { type ForgePrivateKey, modulusOf, readPkcs8, writePkcs8 } from './private-keys.ts'
import { EXPONENT, own, PortablePublicKey, publicHalf, verify } from './public-keys.ts'

/** As long as the digest (RFC 8017 §9.1, note 4). */
const PSS_SALT_BYTES = 32

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
  ...publicHalf,
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
