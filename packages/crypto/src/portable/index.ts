/** Crypto for runtimes without node:crypto: everything of the core, and providers from node-forge and noble. */
import { generateIdentityWith, type Identity, identityFromPemWith, type KeyBits } from '../core/index.ts'
import { portable } from './portable.ts'

export * from '../core/index.ts'
export { portableEndToEnd } from './end-to-end.ts'
export { portable } from './portable.ts'

/** A new identity; 2048 bits unless told otherwise. Takes seconds, on the caller's thread. */
export const generateIdentity = (options: { readonly bits?: KeyBits } = {}): Promise<Identity> =>
  generateIdentityWith(portable, options.bits)

/** @param pem PKCS#8. @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG` */
export const identityFromPem = (pem: string, passphrase?: string): Identity =>
  identityFromPemWith(portable, pem, passphrase)
