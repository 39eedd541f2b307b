/** The providers against each other, and against what forge's own verifier lets through. */
import { createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { OP, peerIdFromBytes } from '@showchain/wire'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import forge from 'node-forge'
import { describe, expect, test } from 'vitest'
import { messagePreimage, openssl, verifyMessage } from '../src/index.ts'
import { portable } from '../src/portable/index.ts'
import { webCrypto } from '../src/portable/web.ts'
import { fromHex, PROVIDERS, pemOf, privateKey, toHex } from './fixtures.ts'

const NAMES = ['rsa-2048-a', 'rsa-3072', 'rsa-4096'] as const
const message = new TextEncoder().encode('what is signed')

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x0${toHex(bytes)}`)
/** Of RSA-2048: 256 bytes, with the exponent's 5 behind them. */
const modulusOf = (spki: Uint8Array): Uint8Array => spki.slice(-5 - 256, -5)

describe('the providers agree', () => {
  test.each(NAMES)('on id, public key and signature of %s', async (name) => {
    const ours = privateKey(openssl, name)
    for (const provider of [portable, webCrypto]) {
      const theirs = privateKey(provider, name)
      expect(theirs.publicKey.id).toBe(ours.publicKey.id)
      expect(toHex(theirs.publicKey.spki)).toBe(toHex(ours.publicKey.spki))
      expect(toHex(await provider.sign(theirs, message))).toBe(toHex(await openssl.sign(ours, message)))
      expect(openssl.verifyPss(ours.publicKey, message, await provider.signPss(theirs, message))).toBe(true)
    }
  })

  test('on any message, whole or with any bit of its signature flipped', async () => {
    const [ours, theirs] = [privateKey(openssl), privateKey(portable)]
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(2047), async (bytes, bit) => {
        const signature = new Uint8Array(await openssl.sign(ours, bytes))
        expect(portable.verify(theirs.publicKey, bytes, signature)).toBe(true)
        signature[bit >> 3] = (signature[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(await portable.verifyAsync(theirs.publicKey, bytes, signature)).toBe(false)
        expect(await openssl.verifyAsync(ours.publicKey, bytes, signature)).toBe(false)
      }),
      { numRuns: runs(60) },
    )
  })

  test('on hashes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes, key) => {
        expect(toHex(portable.sha256(bytes))).toBe(toHex(openssl.sha256(bytes)))
        expect(toHex(portable.hmacSha256(key, bytes))).toBe(toHex(openssl.hmacSha256(key, bytes)))
      }),
    )
  })

  test('that a signature of another length, another key or another message is none', async () => {
    for (const provider of PROVIDERS) {
      const key = privateKey(provider)
      const signature = await provider.sign(key, message)
      const longer = new Uint8Array([0, ...signature])
      expect(provider.verify(key.publicKey, message, signature)).toBe(true)
      for (const wrong of [
        longer,
        signature.slice(1),
        new Uint8Array(0),
        new Uint8Array(256),
        new Uint8Array(256).fill(255),
      ])
        expect(provider.verify(key.publicKey, message, wrong)).toBe(false)
      expect(provider.verify(privateKey(provider, 'rsa-2048-b').publicKey, message, signature)).toBe(false)
      expect(provider.verify(key.publicKey, message.slice(1), signature)).toBe(false)
    }
  })

  test('that a number from the modulus on is no signature, though it stands for the same remainder', async () => {
    for (const provider of PROVIDERS) {
      const key = privateKey(provider)
      const modulus = numberOf(modulusOf(key.publicKey.spki))
      // Only a small signature still fits 256 bytes with the modulus added.
      let signature = new Uint8Array(0)
      let text = new Uint8Array(0)
      for (let number = 0; numberOf(signature) + modulus >= 2n ** 2048n || number === 0; number++) {
        text = Uint8Array.of(number)
        signature = new Uint8Array(await provider.sign(key, text))
      }
      const larger = fromHex((numberOf(signature) + modulus).toString(16).padStart(512, '0'))
      expect(provider.verify(key.publicKey, text, signature)).toBe(true)
      expect(provider.verify(key.publicKey, text, larger)).toBe(false)
    }
  })

  test('on any SubjectPublicKeyInfo with one byte changed, and with what OpenSSL reads and writes as one', () => {
    const { spki } = privateKey(openssl).publicKey
    const isCanonical = (bytes: Uint8Array): boolean => {
      try {
        const key = createPublicKey({ key: Buffer.from(bytes), format: 'der', type: 'spki' })
        const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
        const isOdd = ((bytes[bytes.length - 6] as number) & 1) === 1
        const isOurs = key.asymmetricKeyType === 'rsa' && modulusLength === 2048 && publicExponent === 65_537n
        return isOurs && isOdd && key.export({ type: 'spki', format: 'der' }).equals(bytes)
      } catch {
        return false
      }
    }
    const taken = (provider: (typeof PROVIDERS)[number], bytes: Uint8Array): string => {
      try {
        return provider.importPublicKey(bytes).id
      } catch (error) {
        return (error as { readonly code: string }).code
      }
    }
    fc.assert(
      fc.property(fc.nat(spki.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = spki.slice()
        bytes[at] = (bytes[at] as number) ^ change
        const expected = isCanonical(bytes) ? peerIdFromBytes(openssl.sha256(bytes)) : 'ERR_KEY_REFUSED'
        expect([taken(portable, bytes), taken(openssl, bytes)]).toEqual([expected, expected])
      }),
      { numRuns: runs(400) },
    )
  })
})

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))(
  'the import policy of %s',
  (_name, provider) => {
    const { spki } = privateKey(openssl).publicKey
    const cases: [string, Uint8Array][] = [
      ['trailing bytes', new Uint8Array([...spki, 0])],
      ['a cut', spki.slice(0, -1)],
      ['nothing', new Uint8Array(0)],
      ['more than 600 bytes', new Uint8Array(601)],
      ['an even modulus', spki.map((byte, index) => (index === spki.length - 6 ? byte & 0xfe : byte))],
      ['a modulus of 2047 bits', spki.map((byte, index) => (index === spki.length - 5 - 256 ? byte & 0x7f : byte))],
      ['exponent 1', new Uint8Array([...spki.slice(0, -3), 0, 0, 1])],
      ['the algorithm of PSS', spki.map((byte, index) => (index === 16 ? 0x0a : byte))],
    ]
    test.each(cases)('refuses a key with %s', (_what, bytes) => {
      expect(() => provider.importPublicKey(bytes)).toThrowError(expect.objectContaining({ code: 'ERR_KEY_REFUSED' }))
    })

    test.each(['rsa-1024', 'rsa-2048-e3', 'ec-p256'])('refuses the private key %s', (name) => {
      expect(() => provider.importPrivateKey(pemOf(name))).toThrowError(
        expect.objectContaining({ code: 'ERR_KEY_REFUSED' }),
      )
    })

    test('refuses a private key whose numbers do not belong together', () => {
      const key = forge.pki.privateKeyFromPem(pemOf('rsa-2048-a')) as forge.pki.rsa.PrivateKey
      const other = forge.pki.privateKeyFromPem(pemOf('rsa-2048-b')) as forge.pki.rsa.PrivateKey
      const mixed = forge.pki.setRsaPrivateKey(other.n, key.e, key.d, key.p, key.q, key.dP, key.dQ, key.qInv)
      const pem = forge.pki.privateKeyInfoToPem(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(mixed)))
      expect(() => provider.importPrivateKey(pem)).toThrowError(expect.objectContaining({ code: 'ERR_KEY_REFUSED' }))
    })

    test('makes keys that it takes itself', async () => {
      const made = await provider.generate(2048)
      expect(provider.importPublicKey(made.publicKey.spki).id).toBe(made.publicKey.id)
      for (const bits of [1024, { toString: [] }, Symbol('bits')] as readonly unknown[])
        await expect(provider.generate(bits as 2048)).rejects.toMatchObject({ code: 'ERR_KEY_REFUSED' })
    })

    test('refuses to work with a key of another provider', () => {
      const foreign = PROVIDERS.find((each) => each !== provider) as typeof provider
      expect(() => provider.verify(privateKey(foreign).publicKey, message, new Uint8Array(256))).toThrow(TypeError)
    })
  },
)

test("forge's own verifier takes a signature with another hash's identifier, and ours do not", () => {
  // DigestInfo as RFC 8017 §9.2 has it, but with the object identifier of MD5 in front of a SHA-256
  // digest.
  const key = forge.pki.privateKeyFromPem(pemOf('rsa-2048-a')) as forge.pki.rsa.PrivateKey
  const digest = openssl.sha256(message)
  const wrong = new Uint8Array([...fromHex('3030300c06082a864886f70d020505000420'), ...digest])
  const padded = new Uint8Array([0, 1, ...new Uint8Array(256 - 3 - wrong.length).fill(255), 0, ...wrong])
  const n = BigInt(`0x${key.n.toString(16)}`)
  const d = BigInt(`0x${key.d.toString(16)}`)
  let signature = 1n
  let base = BigInt(`0x${toHex(padded)}`)
  for (let e = d; e > 0n; e >>= 1n) {
    if (e & 1n) signature = (signature * base) % n
    base = (base * base) % n
  }
  const bytes = fromHex(signature.toString(16).padStart(512, '0'))
  const forgeKey = forge.pki.setRsaPublicKey(key.n, key.e)
  const binary = (data: Uint8Array): string => Buffer.from(data).toString('latin1')
  let forgeTakesIt: boolean
  try {
    forgeTakesIt = forgeKey.verify(binary(digest), binary(bytes))
  } catch {
    forgeTakesIt = false
  }
  expect(forgeTakesIt).toBe(true)
  for (const provider of PROVIDERS) expect(provider.verify(privateKey(provider).publicKey, message, bytes)).toBe(false)
})

test('a wire message verifies with its signer and with nobody else', async () => {
  for (const provider of PROVIDERS) {
    const key = privateKey(provider)
    const request = {
      op_code: OP.directRequest,
      id: key.publicKey.id,
      target: peerIdFromBytes(new Uint8Array(32)),
      seq: 1,
      ts: 2,
    } as const
    const signed = { ...request, sign: await provider.sign(key, messagePreimage(provider, request)) }
    expect(verifyMessage(provider, key.publicKey, signed)).toBe(true)
    expect(verifyMessage(provider, key.publicKey, { ...signed, ts: 3 })).toBe(false)
    expect(verifyMessage(provider, privateKey(provider, 'rsa-2048-b').publicKey, signed)).toBe(false)
  }
})

test('nothing in the portable entries reaches for Node, and nothing in that for browsers for node-forge', () => {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/from '([^']+)'/g)) {
      expect(target).not.toMatch(/^node:|^(crypto|fs|buffer|os|path|util)$/)
      if (target?.startsWith('.')) visit(fileURLToPath(new URL(target, `file://${path}`)))
    }
  }
  const entry = (file: string): string => fileURLToPath(new URL(`../src/portable/${file}`, import.meta.url))
  visit(entry('web.ts'))
  for (const path of seen) expect(readFileSync(path, 'utf8')).not.toContain("from 'node-forge'")
  for (const file of ['index.ts', 'cpace.ts']) visit(entry(file))
  expect(seen.size).toBeGreaterThan(readdirSync(new URL('../src/portable', import.meta.url)).length - 2)
})
