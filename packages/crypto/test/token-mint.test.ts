import { peerIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { TOKEN_BYTES, TOKEN_EPOCH, TOKEN_EPOCHS, TokenMint } from '../src/index.ts'
import { PROVIDERS, repeatable } from './fixtures.ts'

const id = peerIdFromBytes(new Uint8Array(32).fill(1))
const ip = '192.0.2.1'

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('tokens by %s', (_name, provider) => {
  const mint = new TokenMint(provider, repeatable(1))
  const token = mint.issue(5000, ip, id)

  test('are good for their ip and id', () => {
    expect(token).toHaveLength(TOKEN_BYTES)
    expect(mint.check(token, 5001, ip, id)).toBe(true)
    expect(mint.check(mint.issue(5000, '2001:db8::1', id), 5000, '2001:db8::1', id)).toBe(true)
  })

  test('are good for seven epochs of a day, and not after', () => {
    expect([TOKEN_EPOCH, TOKEN_EPOCHS]).toEqual([86_400_000, 7])
    expect(mint.check(token, 7 * TOKEN_EPOCH - 1, ip, id)).toBe(true)
    expect(mint.check(token, 7 * TOKEN_EPOCH, ip, id)).toBe(false)
    // Two bytes count the epochs, and begin anew.
    const late = mint.issue(65_535 * TOKEN_EPOCH, ip, id)
    expect(mint.check(late, 65_536 * TOKEN_EPOCH, ip, id)).toBe(true)
    // Nor before they were issued.
    expect(mint.check(mint.issue(3 * TOKEN_EPOCH, ip, id), 2 * TOKEN_EPOCH, ip, id)).toBe(false)
  })

  test('are no good for another ip or id, nor from another mint', () => {
    expect(mint.check(token, 5000, '192.0.2.2', id)).toBe(false)
    expect(mint.check(token, 5000, '192.0.2.10', id)).toBe(false)
    expect(mint.check(token, 5000, ip, peerIdFromBytes(new Uint8Array(32).fill(2)))).toBe(false)
    expect(new TokenMint(provider, repeatable(2)).check(token, 5000, ip, id)).toBe(false)
  })

  test('are no good with any bit flipped or of another length', () => {
    for (let bit = 0; bit < token.length * 8; bit++) {
      const flipped = token.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(mint.check(flipped, 5000, ip, id)).toBe(false)
    }
    for (const wrong of [new Uint8Array(0), token.slice(1), new Uint8Array([...token, 0])])
      expect(mint.check(wrong, 5000, ip, id)).toBe(false)
  })
})
