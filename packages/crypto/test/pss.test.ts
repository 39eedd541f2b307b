/**
 * RSASSA-PSS to the byte: encodings that are nearly right, signed with a real key (RFC 8017 §9.1).
 */
import { constants, privateEncrypt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openssl } from '../src/index.ts'
import { PROVIDERS, pemOf, privateKey } from './fixtures.ts'

const MESSAGE = new TextEncoder().encode('a certificate')
/** Of RSA-2048: 256 bytes are masked block, digest and trailer. */
const BLOCK_BYTES = 256 - 32 - 1

interface Encoding {
  readonly salt: Uint8Array
  /** Changes the block before it is masked: zeros, 1, salt. */
  readonly change?: (block: Uint8Array) => void
  readonly trailer?: number
}

const mask = (seed: Uint8Array): Uint8Array => {
  const blocks = Array.from({ length: 7 }, (_, counter) => openssl.sha256(Uint8Array.of(...seed, 0, 0, 0, counter)))
  return Uint8Array.from(blocks.flatMap((block) => [...block])).subarray(0, BLOCK_BYTES)
}

function signatureOf({ salt, change = () => {}, trailer = 0xbc }: Encoding): Uint8Array {
  const digest = openssl.sha256(Uint8Array.of(...new Uint8Array(8), ...openssl.sha256(MESSAGE), ...salt))
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(salt, BLOCK_BYTES - salt.length)
  block[BLOCK_BYTES - salt.length - 1] = 1
  change(block)
  const masking = mask(digest)
  const masked = block.map((byte, index) => byte ^ (masking[index] as number))
  masked[0] = (masked[0] as number) & 0x7f
  const encoded = Uint8Array.of(...masked, ...digest, trailer)
  return new Uint8Array(privateEncrypt({ key: pemOf('rsa-2048-a'), padding: constants.RSA_NO_PADDING }, encoded))
}

const SALT = new Uint8Array(32).fill(7)

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('%s', (_name, provider) => {
  const takes = (encoding: Encoding): boolean =>
    provider.verifyPss(privateKey(provider).publicKey, MESSAGE, signatureOf(encoding))

  test('takes the encoding that the RFC describes', () => {
    expect(takes({ salt: SALT })).toBe(true)
  })

  test.each<readonly [string, Encoding]>([
    ['padding that is not all zeros', { salt: SALT, change: (block) => block.fill(1, 100, 101) }],
    ['another separator than 1', { salt: SALT, change: (block) => block.fill(2, 190, 191) }],
    ['a salt that is too short', { salt: SALT.subarray(1) }],
    ['a salt that is too long', { salt: new Uint8Array(33) }],
    ['another trailer', { salt: SALT, trailer: 0xcc }],
  ])('refuses %s', (_what, encoding) => {
    expect(takes(encoding)).toBe(false)
  })
})
