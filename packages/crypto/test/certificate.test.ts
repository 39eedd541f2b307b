/** Certificates of X25519 keys: when they count, and what they certify. */
import { certificatePreimage } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { CERTIFICATE_LIFETIME, identityOf, isCurrent, openssl } from '../src/index.ts'
import { PROVIDERS, privateKey } from './fixtures.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
const WEEK = { notBefore: NOW, notAfter: NOW + CERTIFICATE_LIFETIME }
const KEY = new Uint8Array(32).fill(9)

test.each([
  ['a week from now', WEEK, NOW, true],
  ['on its last day', WEEK, NOW + CERTIFICATE_LIFETIME, true],
  ['by a clock that is an hour behind', WEEK, NOW - 3_600_000, true],
  ['two days before', WEEK, NOW - 2 * DAY, false],
  ['two days after', WEEK, NOW + CERTIFICATE_LIFETIME + 2 * DAY, false],
  ['for longer than a week', { ...WEEK, notAfter: WEEK.notAfter + 1 }, NOW, false],
] as const)('a certificate %s', (_when, validity, at, counts) => {
  expect(isCurrent(validity, at)).toBe(counts)
})

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('%s', (_name, provider) => {
  test('certifies by PSS, and only for this key and these days', async () => {
    const key = privateKey(provider)
    const preimage = certificatePreimage(KEY, WEEK)
    const signature = await provider.signPss(key, preimage)
    for (const verifier of PROVIDERS) {
      const publicKey = verifier.importPublicKey(key.publicKey.spki)
      expect(verifier.verifyPss(publicKey, preimage, signature)).toBe(true)
      expect(verifier.verifyPss(publicKey, certificatePreimage(new Uint8Array(32), WEEK), signature)).toBe(false)
      const longer = certificatePreimage(KEY, { ...WEEK, notAfter: WEEK.notAfter + 1 })
      expect(verifier.verifyPss(publicKey, longer, signature)).toBe(false)
      // The scheme of messages is another one: neither signature passes for the other.
      expect(verifier.verify(publicKey, preimage, signature)).toBe(false)
      expect(verifier.verifyPss(publicKey, preimage, await provider.sign(key, preimage))).toBe(false)
    }
  })
})

test('an identity certifies with its own key', async () => {
  const identity = identityOf(openssl, privateKey(openssl))
  const preimage = certificatePreimage(KEY, WEEK)
  expect(openssl.verifyPss(identity.publicKey, preimage, await identity.certify(preimage))).toBe(true)
})
