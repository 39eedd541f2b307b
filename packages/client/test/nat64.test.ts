/** RFC 7050 and RFC 6052: finding a NAT64's prefix, and writing IPv4 addresses into it. */
import type { Endpoint } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Nat64 } from '../src/nat64.ts'
import { prefixOf } from '../src/nat64-prefix.ts'

const at = (ip: string): Endpoint => ({ ip, port: 4000 })

async function behind(arpa: readonly string[], own: readonly string[] = ['2001:db8::5']): Promise<Nat64> {
  const nat64 = new Nat64({ resolve: async () => arpa.map(at), localAddresses: () => own })
  await nat64.find()
  return nat64
}

describe('an IPv4 address in a prefix', () => {
  // RFC 6052 §2.4, and 192.0.0.170 or .171 (RFC 7050 §2.2) in the same prefixes.
  test.each([
    [32, '2001:db8::', '2001:db8:c000:aa::', '2001:db8:c000:221::'],
    [40, '2001:db8:100::', '2001:db8:1c0:0:aa::', '2001:db8:1c0:2:21::'],
    [48, '2001:db8:122::', '2001:db8:122:c000:0:aa00::', '2001:db8:122:c000:2:2100::'],
    [56, '2001:db8:122:300::', '2001:db8:122:3c0:0:aa::', '2001:db8:122:3c0:0:221::'],
    [64, '2001:db8:122:344::', '2001:db8:122:344:c0:0:aa00:0', '2001:db8:122:344:c0:2:2100:0'],
    [96, '2001:db8:122:344::', '2001:db8:122:344::c000:ab', '2001:db8:122:344::c000:221'],
  ])('of %d bits is written as in RFC 6052, and read again', async (bits, prefix, arpa, expected) => {
    const nat64 = await behind(['192.0.0.170', arpa])
    expect(nat64.synthesised(at('192.0.2.33'))).toEqual(at(expected))
    expect(nat64.meant(at(expected))).toEqual(at('192.0.2.33'))
    expect(prefixOf(nat64)).toBe(`${prefix}/${bits}`)
  })

  test('is none where the answer has no well-known address, or another host asks for one of IPv6', async () => {
    expect((await behind(['2001:db8::1'])).synthesised(at('192.0.2.33'))).toBeUndefined()
    expect((await behind([])).synthesised(at('192.0.2.33'))).toBeUndefined()
    const nat64 = await behind(['64:ff9b::c000:aa'])
    expect(nat64.synthesised(at('2001:db8::7'))).toBeUndefined()
    expect(nat64.meant(at('2001:db8::c000:221'))).toBeUndefined()
    expect(nat64.meant(at('192.0.2.33'))).toBeUndefined()
  })
})

test.each([
  ['no address', []],
  ['IPv4, too', ['2001:db8::5', '192.168.1.5']],
])('a host that has %s needs none', async (_what, own) => {
  const nat64 = await behind(['64:ff9b::c000:aa'], own)
  expect([nat64.applies, nat64.synthesised(at('192.0.2.33'))]).toEqual([false, undefined])
})

test('the prefix is asked for once in each network, and again where the resolver had no answer', async () => {
  let [own, asked] = [['2001:db8::5'], 0]
  const answers: readonly (readonly string[])[] = [[], ['64:ff9b::c000:aa'], ['2001:db8:64::c000:aa']]
  const nat64 = new Nat64({
    resolve: async () => {
      const answer = answers[asked++] ?? []
      if (answer.length === 0) throw new Error('ENOTFOUND')
      return answer.map(at)
    },
    localAddresses: () => own,
  })
  await Promise.all([nat64.find(), nat64.find()])
  expect([asked, nat64.synthesised(at('192.0.2.33'))]).toEqual([1, undefined])
  for (let times = 0; times < 3; times++) await nat64.find()
  expect([asked, nat64.synthesised(at('192.0.2.33'))?.ip]).toEqual([2, '64:ff9b::c000:221'])
  own = ['2001:db8:9::5']
  await nat64.find()
  expect([asked, nat64.synthesised(at('192.0.2.33'))?.ip]).toEqual([3, '2001:db8:64::c000:221'])
})
