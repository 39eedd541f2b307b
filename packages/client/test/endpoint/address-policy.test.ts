import { describe, expect, test } from 'vitest'
import { internetPolicy, labPolicy } from '../../src/core/index.ts'

const endpoint = (ip: string) => ({ ip, port: 4400 })

describe('the policy for the internet', () => {
  test.each([['8.8.8.8'], ['2a01:4f8::1'], ['2607:f8b0::1']])('sends to the public address %s', (ip) => {
    expect(internetPolicy(endpoint(ip), false)).toBe(true)
  })

  test.each([
    ['RFC 1918', '10.1.2.3'],
    ['RFC 1918', '172.31.255.1'],
    ['RFC 1918', '192.168.1.1'],
    ['carrier-grade NAT, RFC 6598', '100.64.0.1'],
    ['IPv4 link-local, RFC 3927', '169.254.7.7'],
    ['unique local, RFC 4193', 'fd12:3456::1'],
  ])('sends to a private address (%s: %s) only when both ends share a public one', (_name, ip) => {
    expect(internetPolicy(endpoint(ip), true)).toBe(true)
    expect(internetPolicy(endpoint(ip), false)).toBe(false)
  })

  test.each([
    ['this network', '0.1.2.3'],
    ['loopback', '127.0.0.1'],
    ['loopback', '::1'],
    ['unspecified', '::'],
    ['documentation, RFC 5737', '192.0.2.1'],
    ['documentation, RFC 5737', '198.51.100.1'],
    ['documentation, RFC 5737', '203.0.113.1'],
    ['documentation, RFC 3849', '2001:db8::1'],
    ['documentation, RFC 9637', '3fff::1'],
    ['IETF protocol assignments', '192.0.0.1'],
    ['6to4 relay anycast', '192.88.99.1'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['multicast', 'ff02::1'],
    ['link-local, which needs a zone', 'fe80::1'],
    ['site-local, RFC 3879', 'fec0::1'],
    ['discard, RFC 6666', '100::1'],
    ['NAT64 of loopback, RFC 6052', '64:ff9b::7f00:1'],
    ['local NAT64, RFC 8215', '64:ff9b:1::1'],
    ['6to4 of loopback', '2002:7f00:1::'],
    ['6to4 of RFC 1918', '2002:c0a8:101::1'],
    ['Teredo', '2001::1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['not allocated', '4000::1'],
    ['no address', 'localhost'],
  ])('never sends to %s (%s)', (_name, ip) => {
    expect(internetPolicy(endpoint(ip), true)).toBe(false)
    expect(internetPolicy(endpoint(ip), false)).toBe(false)
  })
})

describe('the policy for labs', () => {
  test.each(['127.0.0.1', '10.0.0.1', '203.0.113.1', '::1', 'fd00::1', '8.8.8.8'])('sends to %s', (ip) => {
    expect(labPolicy(endpoint(ip), false)).toBe(true)
  })

  test.each(['0.0.0.0', '224.0.0.1', '255.255.255.255', '::', 'ff02::1', 'localhost'])('never sends to %s', (ip) => {
    expect(labPolicy(endpoint(ip), false)).toBe(false)
  })
})
