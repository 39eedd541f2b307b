/** A runtime that lacks cryptography is named when a peer opens, not when a connection fails. */
import { type EndToEndCrypto, generateIdentity, openssl, opensslEndToEnd } from '@showchain/crypto'
import { expect, test } from 'vitest'
import { nodeRuntime, Peer } from '../../src/index.ts'
import { checkPrimitives } from '../../src/runtime/index.ts'

const unsupported = (): never => {
  throw new Error('Unknown cipher')
}
const zeros = (): Uint8Array => new Uint8Array(32)

test("Node's runtime has everything", () => {
  expect(() => checkPrimitives(nodeRuntime)).not.toThrow()
})

test.each<[missing: string, crypto: Partial<EndToEndCrypto>]>([
  ['no ChaCha20-Poly1305', { aead: unsupported }],
  ['no ChaCha20-Poly1305', { aead: () => ({ seal: () => {}, open: () => undefined, openInPlace: () => undefined }) }],
  ['no X25519', { x25519: unsupported }],
  ['no X25519', { x25519: zeros }],
  ['no X25519, no ChaCha20-Poly1305', { x25519: unsupported, aead: unsupported }],
])('a runtime with %s is refused, whether it throws or computes something else', (missing, broken) => {
  const endToEnd = { ...opensslEndToEnd, ...broken }
  expect(() => checkPrimitives({ provider: openssl, endToEnd })).toThrow(
    expect.objectContaining({ code: 'ERR_RUNTIME', message: expect.stringContaining(`It has ${missing}.`) }),
  )
})

test.each(['SHA-256', 'HMAC-SHA-256'])('a runtime without %s is refused', (missing) => {
  const provider = { ...openssl, ...(missing === 'SHA-256' ? { sha256: zeros } : { hmacSha256: unsupported }) }
  expect(() => checkPrimitives({ provider, endToEnd: { ...opensslEndToEnd } })).toThrow(`It has no ${missing}.`)
})

test('Peer.open says so and opens no socket; a plaintext peer needs none of it', async () => {
  let opened = 0
  const runtime = {
    ...nodeRuntime,
    endToEnd: { ...opensslEndToEnd, aead: unsupported },
    openSocket: (...args: Parameters<typeof nodeRuntime.openSocket>) => {
      opened++
      return nodeRuntime.openSocket(...args)
    },
  }
  const options = { identity: await generateIdentity(), listen: [{ host: '127.0.0.1' }], runtime }
  await expect(Peer.open(options)).rejects.toMatchObject({ code: 'ERR_RUNTIME' })
  expect(opened).toBe(0)
  await using peer = await Peer.open({ ...options, plaintext: true })
  expect(peer.addresses).toHaveLength(1)
})
