/** Keys made once, so that tests need not wait for primes, and each provider by name. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { needs } from '@showchain-tooling/vitest/needs'
import type { TestOptions } from 'vitest'
import {
  type CryptoProvider,
  hasSodium,
  type NoiseCrypto,
  nodeEndToEnd,
  openssl,
  opensslEndToEnd,
  type PrivateKey,
} from '../src/index.ts'
import { portable, portableEndToEnd } from '../src/portable/index.ts'
import { webCrypto } from '../src/portable/web.ts'

export const PROVIDERS: readonly CryptoProvider[] = [openssl, portable, webCrypto]
const NODE = { sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }
/** What end-to-end protection computes with, by the name of its provider. */
export const END_TO_END: readonly (readonly [name: string, crypto: NoiseCrypto])[] = [
  ['openssl', { ...NODE, ...opensslEndToEnd }],
  ...(hasSodium() ? ([['sodium', { ...NODE, ...nodeEndToEnd() }]] as const) : []),
  ['portable', { ...portableEndToEnd, sha256: portable.sha256, hmacSha256: portable.hmacSha256 }],
]

export const pemOf = (name: string): string => readFileSync(new URL(`fixtures/${name}.pem`, import.meta.url), 'utf8')
export const privateKey = (provider: CryptoProvider, name = 'rsa-2048-a'): PrivateKey =>
  provider.importPrivateKey(pemOf(name))

/** Others' vectors, which are not copied into this project. */
const VECTORS = process.env.SHOWCHAIN_VECTORS ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url))
export const HAS_VECTORS: boolean = existsSync(VECTORS)
export const needsVectors: TestOptions = needs(
  HAS_VECTORS,
  'no test vectors of others (set SHOWCHAIN_VECTORS to the folder that has them)',
)
export const hasVectors = (file: string): boolean => existsSync(`${VECTORS}/${file}`)
/** Of a file that not every copy of the folder has. */
export const needsVectorFile = (file: string): TestOptions => needs(hasVectors(file), `no ${file} of others`)
export const vectors = <Contents>(file: string): Contents => JSON.parse(readFileSync(`${VECTORS}/${file}`, 'utf8'))

export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A counter-free source of chance that repeats. */
export function repeatable(seed: number): { bytes(length: number): Uint8Array; uint32(): number; uniform(): number } {
  let state = seed >>> 0
  const uint32 = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return {
    uint32,
    uniform: () => uint32() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => uint32() >>> 24),
  }
}
