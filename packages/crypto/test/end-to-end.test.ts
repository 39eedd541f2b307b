/**
 * X25519, ChaCha20-Poly1305, HMAC and HKDF of both providers against Wycheproof, and against each
 * other.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noiseHkdf } from '../src/core/noise.ts'
import { type KeyPair, type NoiseCrypto, NoiseHandshake, OpeningKey, SealingKey } from '../src/index.ts'
import { END_TO_END, fromHex, needsVectors, toHex, vectors } from './fixtures.ts'

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

describe.each(END_TO_END)('Wycheproof: %s', needsVectors, (_name, crypto) => {
  test('x25519: every shared secret, and none that is all zero', () => {
    let judged = 0
    for (const { tests } of groupsOf('x25519'))
      for (const { tcId, public: publicKey, private: privateKey, shared } of tests) {
        const found = crypto.x25519(bytes(privateKey), bytes(publicKey))
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
        const aead = crypto.aead(bytes(key))
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
        const made = toHex(crypto.hmacSha256(bytes(key), bytes(msg)).subarray(0, tagSize / 8))
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
        const made = noiseHkdf(crypto, bytes(salt), bytes(ikm)).map(toHex).join('')
        expect(made.slice(0, 2 * size), `case ${tcId}`).toBe(okm)
        judged++
      }
    expect(judged).toBe(31)
  })
})

test.each(END_TO_END)('%s: sealed text of too few bytes is none', (_name, crypto) => {
  const aead = crypto.aead(new Uint8Array(32))
  for (let length = 0; length < TAG_BYTES; length++)
    expect(aead.open(new Uint8Array(12), new Uint8Array(0), new Uint8Array(length))).toBeUndefined()
})

test.each(END_TO_END)('%s: a public key of another length has no shared secret', (_name, crypto) => {
  const privateKey = new Uint8Array(32).fill(1)
  for (const length of [0, 31, 33]) expect(crypto.x25519(privateKey, new Uint8Array(length).fill(9))).toBeUndefined()
})

describe.each(END_TO_END.slice(1))('OpenSSL and %s agree', (_name, theirs) => {
  const [[, ours]] = END_TO_END as [(typeof END_TO_END)[number]]
  const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

  test('on public keys and shared secrets', () => {
    fc.assert(
      fc.property(exactly(32), exactly(32), (privateKey, other) => {
        expect(toHex(theirs.x25519Public(privateKey))).toBe(toHex(ours.x25519Public(privateKey)))
        const shared = ours.x25519(privateKey, other)
        const theirShared = theirs.x25519(privateKey, other)
        expect(theirShared && toHex(theirShared)).toBe(shared && toHex(shared))
      }),
      { numRuns: 60 },
    )
  })

  test('on sealed text, wherever it is written, whole or with a bit flipped', () => {
    const cases = fc.record({
      key: exactly(32),
      nonce: exactly(12),
      aad: fc.uint8Array({ maxLength: 40 }),
      plaintext: fc.uint8Array({ maxLength: 1500 }),
      at: fc.nat(20),
      bit: fc.nat(),
    })
    fc.assert(
      fc.property(cases, ({ key, nonce, aad, plaintext, at, bit }) => {
        const [a, b] = [ours, theirs].map((crypto) => {
          const into = new Uint8Array(at + plaintext.length + TAG_BYTES + 3)
          crypto.aead(key).seal(nonce, aad, plaintext, into, at)
          return into
        }) as [Uint8Array, Uint8Array]
        expect(toHex(b)).toBe(toHex(a))
        const sealed = a.subarray(at, at + plaintext.length + TAG_BYTES)
        for (const crypto of [ours, theirs]) {
          const opened = crypto.aead(key).open(nonce, aad, sealed)
          expect(opened && toHex(opened)).toBe(toHex(plaintext))
          // It left the sealed bytes alone; in place it may not.
          const inPlace = crypto.aead(key).openInPlace(nonce, aad, sealed.slice())
          expect(inPlace && toHex(inPlace)).toBe(toHex(plaintext))
        }
        expect(toHex(sealed)).toBe(toHex(b.subarray(at, at + sealed.length)))
        const altered = sealed.slice()
        const flip = bit % (altered.length * 8)
        altered[flip >> 3] = (altered[flip >> 3] as number) ^ (1 << (flip & 7))
        for (const crypto of [ours, theirs])
          for (const way of ['open', 'openInPlace'] as const)
            expect(crypto.aead(key)[way](nonce, aad, altered.slice())).toBeUndefined()
      }),
    )
  })

  test('on a handshake, and on the records of two epochs, between one and the other', () => {
    const pair = (crypto: NoiseCrypto, from: number): KeyPair => {
      const privateKey = new Uint8Array(32).fill(from)
      return { privateKey, publicKey: crypto.x25519Public(privateKey) }
    }
    const end = (crypto: NoiseCrypto, initiator: boolean, from: number): NoiseHandshake =>
      new NoiseHandshake({
        pattern: 'XX',
        ...{ crypto, initiator, prologue: new Uint8Array(5) },
        ...{ staticKey: pair(crypto, from), ephemeralKey: pair(crypto, from + 1) },
      })
    const [a, b] = [end(ours, true, 1), end(theirs, false, 3)]
    b.read(a.write(new Uint8Array(0)))
    a.read(b.write(Uint8Array.of(2)))
    b.read(a.write(Uint8Array.of(3)))
    const [sealing, opening] = [new SealingKey(ours, a.result().sendKey), new OpeningKey(theirs, b.result().receiveKey)]
    for (const epoch of [0, 1]) {
      if (epoch === 1) sealing.advance()
      const sealed = new Uint8Array(3 + TAG_BYTES)
      const number = sealing.seal(Uint8Array.of(9), Uint8Array.of(4, 5, 6), sealed, 0)
      expect(opening.open(epoch, number, Uint8Array.of(9), sealed)).toEqual(Uint8Array.of(4, 5, 6))
    }
    expect(toHex(a.result().receiveKey)).toBe(toHex(b.result().sendKey))
  })
})
