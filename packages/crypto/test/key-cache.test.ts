import { peerIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { KeyCache, openssl } from '../src/index.ts'
import { portable } from '../src/portable/index.ts'
import { privateKey } from './fixtures.ts'

const a = privateKey(openssl, 'rsa-2048-a').publicKey
const b = privateKey(openssl, 'rsa-2048-b').publicKey
const c = privateKey(openssl, 'rsa-3072').publicKey

describe('a key cache', () => {
  test('learns a key that hashes to the id, and nothing else', () => {
    const cache = new KeyCache(openssl, 4)
    expect(cache.learn(a.id, b.spki)).toBeUndefined()
    expect(cache.get(a.id)).toBeUndefined()
    expect(cache.learn(a.id, a.spki)?.id).toBe(a.id)
    expect(cache.get(a.id)?.id).toBe(a.id)
  })

  test('does not learn what hashes to the id but breaks the import policy', () => {
    const notAKey = new Uint8Array(100)
    expect(new KeyCache(openssl, 4).learn(peerIdFromBytes(openssl.sha256(notAKey)), notAKey)).toBeUndefined()
  })

  test('parses a key once', () => {
    let parsed = 0
    const counting = {
      ...openssl,
      importPublicKey: (spki: Uint8Array) => {
        parsed++
        return openssl.importPublicKey(spki)
      },
    }
    const cache = new KeyCache(counting, 4)
    for (let times = 0; times < 3; times++) cache.learn(a.id, a.spki)
    expect(parsed).toBe(1)
  })

  test('forgets the one used longest ago at its cap', () => {
    const cache = new KeyCache(openssl, 2)
    cache.learn(a.id, a.spki)
    cache.learn(b.id, b.spki)
    cache.get(a.id)
    cache.learn(c.id, c.spki)
    expect([cache.get(a.id)?.id, cache.get(b.id)?.id, cache.get(c.id)?.id, cache.size]).toEqual([
      a.id,
      undefined,
      c.id,
      2,
    ])
  })

  test('never forgets a pinned key, whichever provider read it', () => {
    const cache = new KeyCache(portable, 1)
    cache.pin(a)
    cache.learn(b.id, b.spki)
    cache.learn(c.id, c.spki)
    const pinned = cache.get(a.id)
    expect(pinned?.id).toBe(a.id)
    expect(portable.verify(pinned as NonNullable<typeof pinned>, new Uint8Array(0), new Uint8Array(256))).toBe(false)
  })
})
