import { KeyCache } from '@showchain/crypto/core'
import { describe, expect, test } from 'vitest'
import { TestProvider } from '../src/index.ts'

const message = new TextEncoder().encode('a message')

describe('the test provider', () => {
  test('gives the same identity and signature for the same seed, whoever asks', () => {
    const [a, b] = [new TestProvider().identity('alice'), new TestProvider().identity('alice')]
    expect(a.id).toBe(b.id)
    expect(a.publicKey.spki).toEqual(b.publicKey.spki)
    expect(a.signNow(message)).toEqual(b.signNow(message))
    expect(new TestProvider().identity('bob').id).not.toBe(a.id)
  })

  test('verifies what its own key signed and nothing else', async () => {
    const provider = new TestProvider()
    const alice = provider.identity('alice')
    const signature = await alice.sign(message)
    const tampered = signature.slice()
    tampered[0] = (tampered[0] as number) ^ 1
    expect(signature).toEqual(alice.signNow(message))
    expect(provider.verify(alice.publicKey, message, signature)).toBe(true)
    expect(await provider.verifyAsync(alice.publicKey, message, signature)).toBe(true)
    expect(provider.verify(alice.publicKey, message, tampered)).toBe(false)
    expect(provider.verify(alice.publicKey, message, signature.subarray(1))).toBe(false)
    expect(provider.verify(alice.publicKey, message.subarray(1), signature)).toBe(false)
    expect(provider.verify(provider.identity('bob').publicKey, message, signature)).toBe(false)
  })

  test.each([
    [2048, 256, 294],
    [3072, 384, 422],
    [4096, 512, 550],
  ] as const)('has the sizes of RSA-%i', (bits, signatureLength, spkiLength) => {
    const { publicKey, signNow } = new TestProvider().identity('alice', bits)
    expect(publicKey).toMatchObject({ bits, signatureLength })
    expect(publicKey.spki).toHaveLength(spkiLength)
    expect(signNow(message)).toHaveLength(signatureLength)
  })

  test('lets a key cache learn a key only for the id that it hashes to', () => {
    const provider = new TestProvider()
    const [alice, bob] = [provider.identity('alice'), provider.identity('bob')]
    const cache = new KeyCache(provider, 10)
    expect(cache.learn(bob.id, alice.publicKey.spki)).toBeUndefined()
    expect(cache.learn(alice.id, alice.publicKey.spki)?.id).toBe(alice.id)
  })

  test.each([0, 601])('refuses a public key of %i bytes', (length) => {
    expect(() => new TestProvider().importPublicKey(new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'ERR_KEY_REFUSED' }),
    )
  })

  test('brings a private key back from its export', async () => {
    const provider = new TestProvider()
    const key = await provider.generate(2048)
    const again = new TestProvider().importPrivateKey(provider.exportPrivateKey(key))
    expect(again.publicKey.id).toBe(key.publicKey.id)
    expect(() => provider.importPrivateKey('-----BEGIN')).toThrow(expect.objectContaining({ code: 'ERR_KEY_REFUSED' }))
  })

  test('says plainly that a key of another provider is a mistake', async () => {
    const { publicKey } = new TestProvider().identity('alice')
    await expect(new TestProvider().sign({ publicKey }, message)).rejects.toThrow('another crypto provider')
  })
})
