/** Which identities sign on the calling thread. */
import { describe, expect, test } from 'vitest'
import { identityFromPem } from '../src/index.ts'
import { identityFromPem as portableFromPem } from '../src/portable/index.ts'
import { pemOf, toHex } from './fixtures.ts'

const message = new TextEncoder().encode('what is signed')

describe('an identity signs on the calling thread', () => {
  test('with a key of 2048 bits, to the same bytes as on another', async () => {
    const identity = identityFromPem(pemOf('rsa-2048-a'))
    const signature = identity.signNow?.(message)
    expect(signature && toHex(signature)).toBe(toHex(await identity.sign(message)))
  })

  test.each(['rsa-3072', 'rsa-4096'])('not with a longer one, which takes milliseconds: %s', (name) => {
    expect(identityFromPem(pemOf(name)).signNow).toBeUndefined()
  })

  test('not where the provider is slow at it', () => {
    expect(portableFromPem(pemOf('rsa-2048-a')).signNow).toBeUndefined()
  })
})
