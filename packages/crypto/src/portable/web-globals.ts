/** The Web Cryptography API (W3C), which es2023's library does not describe, as far as it is used. */
import { ShowchainError } from '@showchain/wire'

/** Only the runtime knows what it is. */
export type WebKey = { readonly type: 'public' | 'private' | 'secret' }

export interface Subtle {
  generateKey(algorithm: object, extractable: boolean, usages: readonly string[]): Promise<{ privateKey: WebKey }>
  exportKey(format: 'pkcs8', key: WebKey): Promise<ArrayBuffer>
  importKey(
    ...key: [format: 'pkcs8', der: Uint8Array, algorithm: object, extractable: boolean, usages: readonly string[]]
  ): Promise<WebKey>
  sign(algorithm: object, key: WebKey, message: Uint8Array): Promise<ArrayBuffer>
}

interface WebCryptography {
  /** Undefined in pages that came neither over TLS nor from this host. */
  readonly subtle?: Subtle
  getRandomValues(bytes: Uint8Array): Uint8Array
}

const web = (): WebCryptography | undefined => (globalThis as unknown as { readonly crypto?: WebCryptography }).crypto

/** @throws ShowchainError `ERR_RUNTIME` */
export function subtle(): Subtle {
  const found = web()?.subtle
  if (found === undefined)
    throw new ShowchainError('ERR_RUNTIME', 'A page has WebCrypto over https or on localhost only.')
  return found
}

/** Most bytes of one call (Web Cryptography API, getRandomValues). */
const RANDOM_AT_ONCE = 65_536

/** Overwrites bytes from the runtime's CSPRNG, and returns them. @throws ShowchainError `ERR_RUNTIME` */
export function webRandom(bytes: Uint8Array): Uint8Array {
  const found = web()
  if (found === undefined) throw new ShowchainError('ERR_RUNTIME', 'It has no source of randomness.')
  for (let at = 0; at < bytes.length; at += RANDOM_AT_ONCE)
    found.getRandomValues(bytes.subarray(at, at + RANDOM_AT_ONCE))
  return bytes
}
