/** Crypto for runtimes without node:crypto: the core, and providers on node-forge and noble. */
import { generateIdentityWith, type Identity, identityFromPemWith, type KeyBits } from '../core/index.ts'
import { portable } from './portable.ts'

export * from '../core/index.ts'
export { portableEndToEnd } from './end-to-end.ts'
export { portable } from './portable.ts'

/** A new identity. Takes seconds, on the calling thread. @param options.bits default 2048 */
export const generateIdentity = (options: { readonly bits?: KeyBits } = {}): Promise<Identity> =>
  generateIdentityWith(portable, options.bits)

/**
 * @param pem PKCS#8.
 * @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG`
 */
export const identityFromPem = (pem: string, passphrase?: string): Identity =>
  identityFromPemWith(portable, pem, passphrase)
