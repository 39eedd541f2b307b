/** Identities of browsers: what their private keys are, where a page keeps them, and what is refused. */
import forge from 'node-forge'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openssl, type PrivateKey } from '../src/index.ts'
import { generateIdentity, identityFromPem, webCrypto, webRandom } from '../src/portable/web.ts'
import { pemOf, privateKey } from './fixtures.ts'

afterEach(() => vi.unstubAllGlobals())

const message = new TextEncoder().encode('what is signed')
const refused: unknown = expect.objectContaining({ code: 'ERR_KEY_REFUSED' })

describe('a private key', () => {
  test('of a new identity goes through text and comes back, and Node takes it too', async () => {
    const identity = await generateIdentity()
    const pem = identity.toPem()
    expect(identityFromPem(pem).id).toBe(identity.id)
    expect(openssl.importPrivateKey(pem).publicKey.id).toBe(identity.id)
    const key = openssl.importPublicKey(identity.publicKey.spki)
    expect(openssl.verify(key, message, await identityFromPem(pem).sign(message))).toBe(true)
    expect(openssl.verifyPss(key, message, await identity.certify(message))).toBe(true)
  })

  test('is as OpenSSL writes it', () => {
    expect(webCrypto.exportPrivateKey(privateKey(webCrypto))).toBe(openssl.exportPrivateKey(privateKey(openssl)))
  })

  // Its key derivation in JavaScript takes a second.
  test('may be under a passphrase, by either provider', { tags: ['long'] }, () => {
    const ours = webCrypto.exportPrivateKey(privateKey(webCrypto), 'pässphrase')
    expect(ours).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
    const { id } = privateKey(openssl).publicKey
    expect(openssl.importPrivateKey(ours, 'pässphrase').publicKey.id).toBe(id)
    const theirs = openssl.exportPrivateKey(privateKey(openssl), 'pässphrase')
    expect(identityFromPem(theirs, 'pässphrase').id).toBe(id)
    expect(() => identityFromPem(theirs, 'x')).toThrow(expect.objectContaining({ code: 'ERR_PASSPHRASE_WRONG' }))
    expect(() => identityFromPem(theirs)).toThrow(expect.objectContaining({ code: 'ERR_PASSPHRASE_NEEDED' }))
  })

  test.each(['p', 'q', 'd', 'dP', 'dQ', 'qInv', 'n'] as const)('with a wrong %s is refused', (number) => {
    const { n, e, d, p, q, dP, dQ, qInv } = forge.pki.privateKeyFromPem(pemOf('rsa-2048-a')) as forge.pki.rsa.PrivateKey
    const numbers = { n, d, p, q, dP, dQ, qInv }
    const wrong = { ...numbers, [number]: numbers[number].add(new forge.jsbn.BigInteger('2')) }
    const key = forge.pki.setRsaPrivateKey(wrong.n, e, wrong.d, wrong.p, wrong.q, wrong.dP, wrong.dQ, wrong.qInv)
    const pem = forge.pki.privateKeyInfoToPem(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key)))
    expect(() => identityFromPem(pem)).toThrow(refused)
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['no base64', '-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----'],
    ['a cut', pemOf('rsa-2048-a').replace(/\n[^\n]+\n[^\n]+\n-----END/, '\n-----END')],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----'],
    ['an end before its beginning', '-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----'],
  ])('that is %s is refused', (_what, pem) => {
    expect(() => identityFromPem(pem)).toThrow(refused)
  })

  test('under a passphrase in another scheme is refused', () => {
    const info = forge.pki.wrapRsaPrivateKey(
      forge.pki.privateKeyToAsn1(forge.pki.privateKeyFromPem(pemOf('rsa-2048-a'))),
    )
    for (const algorithm of ['3des', 'aes128'] as const) {
      const pem = forge.pki.encryptedPrivateKeyToPem(
        forge.pki.encryptPrivateKeyInfo(info, 'x', { algorithm, count: 1 }),
      )
      expect(() => identityFromPem(pem, 'x')).toThrow(refused)
    }
  })
})

describe('a runtime without WebCrypto', () => {
  const missing: unknown = expect.objectContaining({ code: 'ERR_RUNTIME', message: expect.stringContaining('https') })

  test('makes no key, and does not sign', async () => {
    const identity = identityFromPem(pemOf('rsa-2048-a'))
    vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) })
    await expect(generateIdentity()).rejects.toThrow(missing)
    await expect(identity.sign(message)).rejects.toThrow(missing)
    expect([...webRandom(new Uint8Array(2))]).toEqual([7, 7])
    vi.stubGlobal('crypto', undefined)
    expect(() => webRandom(new Uint8Array(2))).toThrow(expect.objectContaining({ code: 'ERR_RUNTIME' }))
  })

  test('that cannot use a key says so', async () => {
    const key: PrivateKey = privateKey(webCrypto)
    vi.stubGlobal('crypto', { subtle: { importKey: () => Promise.reject(new Error('no such algorithm')) } })
    await expect(webCrypto.sign(key, message)).rejects.toMatchObject({ code: 'ERR_SIGNING_FAILED' })
  })
})
