/** Who a node is: an RSA key pair, and the id that is the hash of its public half (docs/protocol.md, Identity). */
import type { PeerId } from '@showchain/wire'
import { type CryptoProvider, DEFAULT_KEY_BITS, type KeyBits, type PrivateKey, type PublicKey } from './provider.ts'

export interface Identity {
  readonly id: PeerId
  readonly publicKey: PublicKey
  /** Signs by RSASSA-PKCS1-v1_5 with SHA-256, off the loop where the runtime can. */
  sign(message: Uint8Array): Promise<Uint8Array>
  /** Signs by RSASSA-PSS what is not a message of the seed: one key of this identity by another. */
  certify(message: Uint8Array): Promise<Uint8Array>
  /** PKCS#8 PEM; encrypted when there is a passphrase. */
  toPem(passphrase?: string): string
}

export function identityOf(provider: CryptoProvider, key: PrivateKey): Identity {
  const { publicKey } = key
  return {
    id: publicKey.id,
    publicKey,
    sign: (message) => provider.sign(key, message),
    certify: (message) => provider.signPss(key, message),
    toPem: (passphrase) => provider.exportPrivateKey(key, passphrase),
  }
}

/** A new identity; takes some 100 ms for 2048 bits and seconds for 4096. */
export async function generateIdentityWith(
  provider: CryptoProvider,
  bits: KeyBits = DEFAULT_KEY_BITS,
): Promise<Identity> {
  return identityOf(provider, await provider.generate(bits))
}

/** @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG` */
export const identityFromPemWith = (provider: CryptoProvider, pem: string, passphrase?: string): Identity =>
  identityOf(provider, provider.importPrivateKey(pem, passphrase))
