import { OP, peerIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { COOKIE_EPOCH, CookieJar } from '../src/index.ts'
import { PROVIDERS, repeatable } from './fixtures.ts'

const id = peerIdFromBytes(new Uint8Array(32).fill(1))
const source = { ip: '192.0.2.1', port: 4000 }

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('cookies by %s', (_name, provider) => {
  const jar = new CookieJar(provider, repeatable(1))
  const cookie = jar.issue(5000, source, id, OP.directRequest)

  test('are good for their source, id and operation', () => {
    expect(jar.check(cookie, 5001, source, id, OP.directRequest)).toBe(0)
  })

  test('are good in their epoch and the next, and not after', () => {
    expect(jar.check(cookie, COOKIE_EPOCH + 1, source, id, OP.directRequest)).toBe(0)
    expect(jar.check(cookie, 2 * COOKIE_EPOCH - 1, source, id, OP.directRequest)).toBe(0)
    expect(jar.check(cookie, 2 * COOKIE_EPOCH, source, id, OP.directRequest)).toBeUndefined()
    expect(jar.check(cookie, 256 * COOKIE_EPOCH, source, id, OP.directRequest)).toBeUndefined()
  })

  test('are no good for anybody or anything else, nor from another jar', () => {
    const other = peerIdFromBytes(new Uint8Array(32).fill(2))
    expect(jar.check(cookie, 5000, { ...source, ip: '192.0.2.2' }, id, OP.directRequest)).toBeUndefined()
    expect(jar.check(cookie, 5000, { ...source, port: 4001 }, id, OP.directRequest)).toBeUndefined()
    expect(jar.check(cookie, 5000, source, other, OP.directRequest)).toBeUndefined()
    expect(jar.check(cookie, 5000, source, id, OP.punchRequest)).toBeUndefined()
    expect(new CookieJar(provider, repeatable(2)).check(cookie, 5000, source, id, OP.directRequest)).toBeUndefined()
  })

  test('are no good with any bit flipped or of another length', () => {
    for (let bit = 0; bit < cookie.length * 8; bit++) {
      const flipped = cookie.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(jar.check(flipped, 5000, source, id, OP.directRequest)).toBeUndefined()
    }
    for (const wrong of [new Uint8Array(0), cookie.slice(1), new Uint8Array([...cookie, 0])])
      expect(jar.check(wrong, 5000, source, id, OP.directRequest)).toBeUndefined()
  })

  test('are numbered as they are issued, whatever for', () => {
    const numbered = new CookieJar(provider, repeatable(3))
    const others = Array.from({ length: 300 }, (_, port) => ({ ...source, port: port + 1 }))
    const issued = others.map((at) => numbered.issue(5000, at, id, OP.directRequest))
    const numbers = others.map((at, index) =>
      numbered.check(issued[index] as Uint8Array, 5000, at, id, OP.directRequest),
    )
    expect(numbers).toEqual(others.map((_, index) => index))
    expect(numbered.issued).toBe(300)
  })

  test('are smaller than any request and fit their field', () => {
    expect(cookie.length).toBeLessThanOrEqual(64)
  })
})
