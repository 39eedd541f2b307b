/** docs/protocol.md, Permits. */
import { createHmac, createPrivateKey } from 'node:crypto'
import { peerIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Permits, readPermit } from '../src/index.ts'
import { PROVIDERS, pemOf, repeatable } from './fixtures.ts'

const NOW = 1_800_000_000_000
const DAY = 86_400_000
const id = peerIdFromBytes(new Uint8Array(32).fill(1))
const other = peerIdFromBytes(new Uint8Array(32).fill(2))
/** The same in what a permit says of its holder. */
const near = peerIdFromBytes(new Uint8Array(32).fill(1).fill(9, 8))

/** A relay's key as its provider writes it. */
const relay = (provider: (typeof PROVIDERS)[number], name: string) => ({
  toPem: () => provider.exportPrivateKey(provider.importPrivateKey(pemOf(name))),
})

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))('permits by %s', (_name, provider) => {
  const permits = new Permits(provider, relay(provider, 'rsa-2048-a'))
  const bound = permits.issue(repeatable(1), { id, untilMs: NOW + DAY, bytes: 5e9 })
  const open = permits.issue(repeatable(2), { untilMs: NOW + DAY })

  test('say what they allow, until when, and which they are', () => {
    expect(permits.check(bound, id, NOW)).toEqual({
      number: expect.stringMatching(/^[0-9a-f]{16}$/),
      untilMs: NOW + DAY,
      bytes: 5e9,
    })
    expect(permits.check(open, other, NOW)).toMatchObject({ untilMs: NOW + DAY, bytes: undefined })
  })

  test('say so to who cannot check them, too', () => {
    for (const permit of [bound, open]) expect(readPermit(permit)).toEqual(permits.check(permit, id, NOW))
    for (const other of [bound.slice(1), Uint8Array.of(2, ...bound.slice(1))]) expect(readPermit(other)).toBeUndefined()
  })

  test('have the bytes that docs/protocol.md says', () => {
    const pem = provider.exportPrivateKey(provider.importPrivateKey(pemOf('rsa-2048-a')))
    const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
    const hmac = (key: string | Buffer, of: Uint8Array): Buffer => createHmac('sha256', key).update(of).digest()
    const head = bound.subarray(0, 29)
    const mac = hmac(hmac('SHOWCHAIN-P2P-v1 permits', der), Buffer.concat([head, new Uint8Array(32).fill(1)]))
    expect(Buffer.from(bound.subarray(29))).toEqual(mac.subarray(0, 16))
    expect(Buffer.from(head).toString('hex')).toMatch(/^01(01){8}[0-9a-f]{16}6b4b2380000000012a05f200$/)
    expect(Buffer.from(open).toString('hex')).toMatch(/^01(00){8}[0-9a-f]{16}6b4b2380(00){8}[0-9a-f]{32}$/)
  })

  test('are good for their id alone, all of it, when they name one', () => {
    expect(permits.check(bound, other, NOW)).toBe('permitForAnother')
    expect(permits.check(bound, near, NOW)).toBe('permitUnknown')
  })

  test('end at their time', () => {
    expect(permits.check(bound, id, NOW + DAY - 1)).toMatchObject({ bytes: 5e9 })
    expect(permits.check(bound, id, NOW + DAY)).toBe('permitExpired')
  })

  test('are no good at the relay of another key, and good at each with the same', () => {
    const [one, two] = PROVIDERS.map((each) => new Permits(provider, relay(each, 'rsa-2048-a')))
    expect([one?.check(bound, id, NOW), two?.check(bound, id, NOW)]).toMatchObject([{ bytes: 5e9 }, { bytes: 5e9 }])
    const stranger = new Permits(provider, relay(provider, 'rsa-2048-b'))
    expect(stranger.check(bound, id, NOW)).toBe('permitUnknown')
  })

  test('are no good with any bit flipped or of another length', () => {
    for (const permit of [bound, open])
      for (let bit = 0; bit < permit.length * 8; bit++) {
        const flipped = permit.slice()
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(['permitUnknown', 'permitForAnother']).toContain(permits.check(flipped, id, NOW))
      }
    for (const wrong of [new Uint8Array(0), bound.slice(1), new Uint8Array([...bound, 0])])
      expect(permits.check(wrong, id, NOW)).toBe('permitUnknown')
  })

  test.each([
    { untilMs: Number.NaN },
    { untilMs: -1 },
    { untilMs: 2 ** 32 * 1000 },
    { untilMs: NOW, bytes: 0 },
    { untilMs: NOW, bytes: -1 },
    { untilMs: NOW, bytes: 1.5 },
    { untilMs: NOW, bytes: 2 ** 53 },
  ])('are not made for what they cannot say: %j', (terms) => {
    expect(() => permits.issue(repeatable(1), terms)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }))
  })
})
