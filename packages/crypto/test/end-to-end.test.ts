/** X25519, ChaCha20-Poly1305, HMAC and HKDF against Wycheproof. */
import { describe, expect, test } from 'vitest'
import { noiseHkdf } from '../src/core/noise.ts'
import { openssl, opensslEndToEnd } from '../src/index.ts'
import { fromHex, HAS_VECTORS, toHex, vectors } from './fixtures.ts'

type Case = Readonly<Record<string, string>> & { readonly size: number }
interface Group {
  readonly ivSize: number
  readonly tagSize: number
  readonly tests: readonly Case[]
}
const groupsOf = (file: string): readonly Group[] =>
  vectors<{ readonly testGroups: readonly Group[] }>(`wycheproof/${file}_test.json`).testGroups
const bytes = (hex: string | undefined): Uint8Array => fromHex(hex ?? '')
const AEAD_BITS = 96
const TAG_BYTES = 16
const ZERO = '00'.repeat(32)

describe.skipIf(!HAS_VECTORS)('Wycheproof', () => {
  test('x25519: every shared secret, and none that is all zero', () => {
    let judged = 0
    for (const { tests } of groupsOf('x25519'))
      for (const { tcId, public: publicKey, private: privateKey, shared } of tests) {
        const found = opensslEndToEnd.x25519(bytes(privateKey), bytes(publicKey))
        expect(found && toHex(found), `case ${tcId}`).toBe(shared === ZERO ? undefined : shared)
        judged++
      }
    expect(judged).toBe(518)
  })

  test('chacha20_poly1305: seals the very bytes, opens what is valid and nothing else', () => {
    let judged = 0
    for (const { ivSize, tests } of groupsOf('chacha20_poly1305'))
      for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
        if (ivSize !== AEAD_BITS) continue
        const aead = opensslEndToEnd.aead(bytes(key))
        const opened = aead.open(bytes(iv), bytes(aad), bytes(`${ct}${tag}`))
        expect(opened && toHex(opened), `case ${tcId}`).toBe(result === 'valid' ? msg : undefined)
        if (result === 'valid') {
          const sealed = new Uint8Array(bytes(msg).length + TAG_BYTES)
          aead.seal(bytes(iv), bytes(aad), bytes(msg), sealed, 0)
          expect(toHex(sealed), `case ${tcId}`).toBe(`${ct}${tag}`)
        }
        judged++
      }
    expect(judged).toBe(316)
  })

  test('hmac_sha256', () => {
    let judged = 0
    for (const { tagSize, tests } of groupsOf('hmac_sha256'))
      for (const { tcId, key, msg, tag, result } of tests) {
        const made = toHex(openssl.hmacSha256(bytes(key), bytes(msg)).subarray(0, tagSize / 8))
        expect(made === tag, `case ${tcId}`).toBe(result === 'valid')
        judged++
      }
    expect(judged).toBe(174)
  })

  test('hkdf_sha256, as far as Noise uses it: no info, two outputs', () => {
    let judged = 0
    for (const { tests } of groupsOf('hkdf_sha256'))
      for (const { tcId, ikm, salt, info, size, okm } of tests) {
        if (info !== '' || size > 64) continue
        const made = noiseHkdf(openssl, bytes(salt), bytes(ikm)).map(toHex).join('')
        expect(made.slice(0, 2 * size), `case ${tcId}`).toBe(okm)
        judged++
      }
    expect(judged).toBe(31)
  })
})

test('an opened record of too few bytes is none', () => {
  const aead = opensslEndToEnd.aead(new Uint8Array(32))
  for (let length = 0; length < TAG_BYTES; length++)
    expect(aead.open(new Uint8Array(12), new Uint8Array(0), new Uint8Array(length))).toBeUndefined()
})
