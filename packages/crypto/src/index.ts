/** Crypto on Node: the core, OpenSSL as the provider, and identities in files. */
import { generateIdentityWith, type Identity, identityFromPemWith, type KeyBits } from './core/index.ts'
import { openssl } from './openssl/openssl.ts'

export * from './core/index.ts'
export {
  loadIdentity,
  loadPublicKey,
  type PassphraseOptions,
  publicKeyFromPem,
  publicKeyToPem,
  readPassphrase,
  saveIdentity,
} from './files/key-files.ts'
export { opensslEndToEnd } from './openssl/end-to-end.ts'
export { openssl } from './openssl/openssl.ts'
export { hasSodium, nodeEndToEnd } from './sodium/end-to-end.ts'

/** A new identity with an OpenSSL key. @param options.bits default 2048 */
export const generateIdentity = (options: { readonly bits?: KeyBits } = {}): Promise<Identity> =>
  generateIdentityWith(openssl, options.bits)

/**
 * @param pem PKCS#8.
 * @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG`
 */
export const identityFromPem = (pem: string, passphrase?: string): Identity =>
  identityFromPemWith(openssl, pem, passphrase)
