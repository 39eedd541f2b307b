import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { ShowchainError } from '@showchain/wire'
import { foreign } from '@showchain-tooling/vitest/foreign'
import { Folder } from '@showchain-tooling/vitest/programs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  identityFromPem,
  loadIdentity,
  loadPublicKey,
  publicKeyToPem,
  readPassphrase,
  saveIdentity,
} from '../src/index.ts'
import * as portable from '../src/portable/index.ts'
import { pemOf } from './fixtures.ts'

const identity = identityFromPem(pemOf('rsa-2048-a'))
let folder: Folder
beforeAll(() => {
  folder = new Folder()
})
afterAll(() => folder.remove())

describe('an identity as a file', () => {
  test('comes back as it was, and only its owner can read it', async () => {
    const path = folder.file('plain.pem')
    await saveIdentity(identity, path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await loadIdentity(path)).id).toBe(identity.id)
  })

  test('is never written over anything', async () => {
    const path = folder.write('there.pem', 'of value')
    await expect(saveIdentity(identity, path)).rejects.toMatchObject({ code: 'ERR_FILE_EXISTS' })
    expect(readFileSync(path, 'utf8')).toBe('of value')
    await expect(saveIdentity(identity, folder.file('no/such/folder.pem'))).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
    })
  })

  test('may be encrypted: then the right passphrase is needed', async () => {
    const path = folder.file('encrypted.pem')
    await saveIdentity(identity, path, { passphrase: 'pässphrase' })
    expect(readFileSync(path, 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    expect((await loadIdentity(path, { passphrase: 'pässphrase' })).id).toBe(identity.id)
    await expect(loadIdentity(path)).rejects.toMatchObject({ code: 'ERR_PASSPHRASE_NEEDED' })
    await expect(loadIdentity(path, { passphrase: 'x' })).rejects.toMatchObject({ code: 'ERR_PASSPHRASE_WRONG' })
  })

  // Its key derivation in JavaScript takes seconds.
  test('that is encrypted needs the right passphrase by the portable provider, too', { tags: ['long'] }, async () => {
    const path = folder.file('encrypted-too.pem')
    await saveIdentity(identity, path, { passphrase: 'pässphrase' })
    const pem = readFileSync(path, 'utf8')
    expect(() => portable.identityFromPem(pem)).toThrowError(expect.objectContaining({ code: 'ERR_PASSPHRASE_NEEDED' }))
    expect(() => portable.identityFromPem(pem, 'x')).toThrowError(
      expect.objectContaining({ code: 'ERR_PASSPHRASE_WRONG' }),
    )
    expect(portable.identityFromPem(pem, 'pässphrase').id).toBe(identity.id)
  })

  test.each([0o644, 0o640, 0o604])('is refused when others can read it: %o', async (mode) => {
    const path = folder.file('readable.pem')
    writeFileSync(path, pemOf('rsa-2048-a'))
    chmodSync(path, mode)
    await expect(loadIdentity(path)).rejects.toMatchObject({
      code: 'ERR_FILE_MODE',
      message: expect.stringContaining('chmod 600'),
    })
  })

  test.each(['rsa-1024', 'rsa-2048-e3', 'ec-p256'])(
    'is refused with the file and the reason when it is %s',
    async (name) => {
      const path = folder.write(`${name}.pem`, pemOf(name))
      await expect(loadIdentity(path)).rejects.toMatchObject({
        code: 'ERR_KEY_REFUSED',
        message: expect.stringContaining(path),
      })
    },
  )

  test('says so when it is not there, no key, or far too large', async () => {
    await expect(loadIdentity(folder.file('absent.pem'))).rejects.toMatchObject({ code: 'ERR_FILE_READ' })
    await expect(loadIdentity(folder.write('text.pem', 'hello'))).rejects.toMatchObject({ code: 'ERR_KEY_REFUSED' })
    await expect(loadIdentity(folder.write('large.pem', 'x'.repeat(100_000)))).rejects.toMatchObject({
      code: 'ERR_FILE_READ',
    })
  })
})

describe('a public key as a file', () => {
  test('comes back as it was', async () => {
    const path = folder.write('public.pem', publicKeyToPem(identity.publicKey), 0o644)
    expect((await loadPublicKey(path)).id).toBe(identity.id)
  })

  test('is not a private one, nor anything else', async () => {
    await expect(loadPublicKey(folder.write('private.pem', pemOf('rsa-2048-a')))).rejects.toMatchObject({
      code: 'ERR_KEY_REFUSED',
    })
    await expect(loadPublicKey(folder.write('word.pem', 'hello'))).rejects.toMatchObject({ code: 'ERR_KEY_REFUSED' })
  })
})

describe('a passphrase in a file', () => {
  test.each([
    ['open sesame', 'open sesame'],
    ['open sesame\n', 'open sesame'],
    ['open sesame\r\n', 'open sesame'],
    [' open sesame \n\n', ' open sesame \n'],
  ])('is read without the last newline: %j', async (content, expected) => {
    expect(await readPassphrase(folder.write('passphrase', content))).toBe(expected)
  })

  test('is a typed error when the file is missing', async () => {
    const path = folder.file('absent')
    await expect(readPassphrase(path)).rejects.toMatchObject({
      code: 'ERR_FILE_READ',
      message: expect.stringContaining(path),
    })
  })
})

describe('a path that is none', () => {
  test.each([
    ['loadIdentity', loadIdentity, 'ERR_FILE_READ'],
    ['loadPublicKey', loadPublicKey, 'ERR_FILE_READ'],
    ['readPassphrase', readPassphrase, 'ERR_FILE_READ'],
    ['saveIdentity', (path: string) => saveIdentity(identity, path), 'ERR_FILE_WRITE'],
  ])('makes a typed error of one line: %s', async (_name, call, code) => {
    await fc.assert(
      fc.asyncProperty(foreign, async (given) => {
        const path = given()
        // a text could name a file that is there
        fc.pre(typeof path !== 'string' && !ArrayBuffer.isView(path))
        const error = await call(path as string).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        expect(error instanceof ShowchainError && error.code).toBe(code)
        expect((error as ShowchainError).message).toMatch(/^\P{C}+$/u)
      }),
    )
  })
})
