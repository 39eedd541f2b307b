/**
 * Identities: an RSA key pair, and an id that is the hash of the public key (docs/protocol.md,
 * Identity).
 */
import type { PeerId } from '@showchain/wire'
import { type CryptoProvider, DEFAULT_KEY_BITS, type KeyBits, type PrivateKey, type PublicKey } from './provider.ts'

/** Who a peer is: a key pair, whose private half signs and does not leave it. */
export interface Identity {
  readonly id: PeerId
  readonly publicKey: PublicKey
  /**
   * RSASSA-PKCS1-v1_5 with SHA-256: signatures of messages. On another thread if the runtime can.
   */
  sign(message: Uint8Array): Promise<Uint8Array>
  /**
   * The same on the calling thread, only where that takes less than a millisecond.
   * @throws ShowchainError `ERR_SIGNING_FAILED`
   */
  signNow?(message: Uint8Array): Uint8Array
  /** RSASSA-PSS: signatures of certificates, which are not messages of the seed. */
  certify(message: Uint8Array): Promise<Uint8Array>
  /** PKCS#8 PEM; encrypted if a passphrase is given. */
  toPem(passphrase?: string): string
}

/** The longest key whose signature holds a thread up for less than a millisecond: 0.33 ms (2.0 ms with 3072). */
const QUICK_KEY_BITS: KeyBits = 2048

/** The identity of a private key of this provider. */
export function identityOf(provider: CryptoProvider, key: PrivateKey): Identity {
  const { publicKey } = key
  const signNow = publicKey.bits <= QUICK_KEY_BITS ? provider.signNow?.bind(provider) : undefined
  return {
    id: publicKey.id,
    publicKey,
    sign: (message) => provider.sign(key, message),
    ...(signNow && { signNow: (message) => signNow(key, message) }),
    certify: (message) => provider.signPss(key, message),
    toPem: (passphrase) => provider.exportPrivateKey(key, passphrase),
  }
}

/** A new identity. Takes some 100 ms for 2048 bits, seconds for 4096. */
export async function generateIdentityWith(
  provider: CryptoProvider,
  bits: KeyBits = DEFAULT_KEY_BITS,
): Promise<Identity> {
  return identityOf(provider, await provider.generate(bits))
}

/** @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG` */
export const identityFromPemWith = (provider: CryptoProvider, pem: string, passphrase?: string): Identity =>
  identityOf(provider, provider.importPrivateKey(pem, passphrase))
