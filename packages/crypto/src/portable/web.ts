/** Crypto for browsers: the core, and providers on WebCrypto and noble. The entry point `@showchain/crypto/web`. */
import { generateIdentityWith, type Identity, identityFromPemWith, type KeyBits } from '../core/index.ts'
import { webCrypto } from './web-crypto.ts'

export * from '../core/index.ts'
export { portableEndToEnd } from './end-to-end.ts'
export { webCrypto } from './web-crypto.ts'
export { webRandom } from './web-globals.ts'

/**
 * A new identity. Takes some 100 ms for 2048 bits, on another thread. @param options.bits default 2048
 * @throws ShowchainError `ERR_RUNTIME` (no WebCrypto: the page came over plain http)
 */
export const generateIdentity = (options: { readonly bits?: KeyBits } = {}): Promise<Identity> =>
  generateIdentityWith(webCrypto, options.bits)

/**
 * @param pem PKCS#8.
 * @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG`
 */
export const identityFromPem = (pem: string, passphrase?: string): Identity =>
  identityFromPemWith(webCrypto, pem, passphrase)
