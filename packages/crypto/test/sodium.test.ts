/** libsodium is taken where it is there and right, and OpenSSL everywhere else. */
import { createRequire } from 'node:module'
import { needs } from '@showchain-tooling/vitest/needs'
import { describe, expect, test } from 'vitest'
import { hasSodium, nodeEndToEnd, opensslEndToEnd } from '../src/index.ts'
import { loadSodium, type Sodium } from '../src/sodium/end-to-end.ts'

/** As OpenSSL has it, and zeros where that refuses the key. */
const anySecret: Sodium['crypto_scalarmult'] = (secret, privateKey, publicKey) =>
  secret.set(opensslEndToEnd.x25519(privateKey, publicKey) ?? new Uint8Array(secret.length))

const [KEY, NONCE, AAD] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2), Uint8Array.of(3)]

test('a package that is not there is no error', () => {
  const missing = (): Sodium => createRequire(import.meta.url)('a-package-that-is-not-there')
  expect(loadSodium(missing)).toBeUndefined()
})

test('without the package OpenSSL takes its place', () => {
  expect(nodeEndToEnd() === opensslEndToEnd).toBe(!hasSodium())
})

describe(
  'a binary that is wrong is not used',
  needs(hasSodium(), 'sodium-native has no binary for this system'),
  () => {
    const real = (): Sodium => createRequire(import.meta.url)('sodium-native')

    test('the right one is', () => {
      expect(loadSodium(real)).toBeDefined()
    })

    test.each<[string, Partial<Sodium>]>([
      ['seals other bytes', { crypto_aead_chacha20poly1305_ietf_encrypt: (sealed) => sealed.fill(7).length }],
      ['opens everything', { crypto_aead_chacha20poly1305_ietf_decrypt: (plaintext) => plaintext.fill(4).length }],
      [
        'opens nothing',
        {
          crypto_aead_chacha20poly1305_ietf_decrypt: () => {
            throw new Error('could not verify data')
          },
        },
      ],
      ['has another public key', { crypto_scalarmult_base: (publicKey) => void publicKey.fill(7) }],
      ['has another secret', { crypto_scalarmult: (secret) => void secret.fill(7) }],
      ['has a secret with a key of small order', { crypto_scalarmult: anySecret }],
      [
        'lacks a function',
        {
          crypto_aead_chacha20poly1305_ietf_encrypt:
            undefined as unknown as Sodium['crypto_aead_chacha20poly1305_ietf_encrypt'],
        },
      ],
    ])('one that %s', (_what, changes) => {
      expect(loadSodium(() => ({ ...real(), ...changes }))).toBeUndefined()
    })

    test('a key that its owner overwrites is still the key', () => {
      const key = KEY.slice()
      const aead = (loadSodium(real) ?? opensslEndToEnd).aead(key)
      key.fill(0)
      const sealed = new Uint8Array(20)
      aead.seal(NONCE, AAD, Uint8Array.of(1, 2, 3, 4), sealed, 0)
      expect([...(opensslEndToEnd.aead(KEY).open(NONCE, AAD, sealed) ?? [])]).toEqual([1, 2, 3, 4])
    })
  },
)
