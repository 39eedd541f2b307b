import { isIP } from 'node:net'
import { foreign, withHostile } from '@showchain-tooling/vitest/foreign'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalIp, ipFamily, parseIp } from '../src/index.ts'
import { isCanonicalIp } from '../src/ip.ts'
import { ip } from './arbitraries.ts'
import { fromHex } from './samples.ts'

describe('IP addresses', () => {
  test('are texts: nothing else is one, and nothing is asked whether it is', () => {
    fc.assert(
      fc.property(foreign, (given) => {
        const value = given()
        if (typeof value !== 'string') expect(canonicalIp(value as string)).toBeUndefined()
      }),
      withHostile,
    )
  })

  // RFC 5952, by the section that gives the example
  test.each([
    ['§1 leading zeros', '2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['§1 upper case', '2001:DB8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['§1 one of the runs', '2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['§4.1 leading zeros are suppressed', '2001:0db8::0001', '2001:db8::1'],
    ['§4.2.1 as short as possible', '2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['§4.2.2 one single zero group is written', '2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['§4.2.3 the longest run is shortened', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['§4.2.3 the first of equal runs is shortened', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['all zero', '0:0:0:0:0:0:0:0', '::'],
    ['loopback', '0:0:0:0:0:0:0:1', '::1'],
    ['a run at the end', '1:0:0:0:0:0:0:0', '1::'],
    ['a quad at the end that is not a mapped address', '64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['a mapped address', '::ffff:192.0.2.1', '192.0.2.1'],
    ['a mapped address in hex', '::FFFF:c000:0201', '192.0.2.1'],
    ['dotted quad', '255.255.255.255', '255.255.255.255'],
  ])('%s: %s is written %s', (_why, text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical)
    expect(isCanonicalIp(canonical)).toBe(true)
    if (text !== canonical) expect(isCanonicalIp(text)).toBe(false)
  })

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.0x4',
    '1.2.3.',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '１.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1:',
    ':1',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    'fe80::1%eth0',
    'fe80::1%1',
    '[::1]',
  ])('refuses "%s"', (text) => {
    expect(parseIp(text)).toBeUndefined()
    expect(canonicalIp(text)).toBeUndefined()
  })

  test('parses to the bytes on the wire', () => {
    expect(parseIp('192.0.2.1')).toEqual(Uint8Array.of(192, 0, 2, 1))
    expect(parseIp('::ffff:192.0.2.1')).toEqual(Uint8Array.of(192, 0, 2, 1))
    expect(parseIp('2001:db8::c000:221')).toEqual(fromHex('20010db80000000000000000c0000221'))
    expect(parseIp('1:2:3:4:5:6:7::')).toEqual(fromHex('00010002000300040005000600070000'))
  })

  test('tells families apart', () => {
    expect(ipFamily('192.0.2.1')).toBe(4)
    expect(ipFamily('::')).toBe(6)
  })

  test('every address has one spelling, and it parses back to the same address', () => {
    fc.assert(
      fc.property(ip, (text) => {
        expect(isCanonicalIp(text)).toBe(true)
        expect(isIP(text)).toBe(ipFamily(text))
      }),
    )
  })

  test('agrees with node on what is an address, zones aside', () => {
    const nearlyAnAddress = fc.string({ unit: fc.constantFrom(...'0125f:::..'), maxLength: 20 })
    fc.assert(
      fc.property(fc.oneof(nearlyAnAddress, ip, fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0)
      }),
      { numRuns: runs(1000) },
    )
  })

  test('what is not a text is not an address', () => {
    expect(isCanonicalIp(undefined)).toBe(false)
    expect(isCanonicalIp(1)).toBe(false)
  })
})
