import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endpointSchema, formatEndpoint, parseEndpoint, sameEndpoint } from '../src/index.ts'
import { endpoint } from './arbitraries.ts'

describe('endpoints', () => {
  test.each([
    ['192.0.2.1:4000', { ip: '192.0.2.1', port: 4000 }],
    ['[2001:db8::1]:1', { ip: '2001:db8::1', port: 1 }],
    ['[::]:65535', { ip: '::', port: 65535 }],
  ])('%s is read and written back', (text, value) => {
    expect(parseEndpoint(text)).toEqual(value)
    expect(formatEndpoint(value)).toBe(text)
  })

  test('other spellings of an address are read as the one spelling', () => {
    expect(parseEndpoint('[2001:DB8:0::1]:9')).toEqual({ ip: '2001:db8::1', port: 9 })
    expect(parseEndpoint('[::ffff:192.0.2.1]:9')).toEqual({ ip: '192.0.2.1', port: 9 })
  })

  test.each([
    '',
    '192.0.2.1',
    '192.0.2.1:',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:080',
    '192.0.2.1:+80',
    '192.0.2.1:8e1',
    '192.0.2.1:80 ',
    ' 192.0.2.1:80',
    '192.0.2.1:80\n',
    '192.0.2.256:80',
    '2001:db8::1:80',
    '[2001:db8::1]',
    '[2001:db8::1]80',
    '[192.0.2.1]:80',
    '[fe80::1%eth0]:80',
    'example.org:80',
  ])('refuses "%s" with ERR_BAD_ENDPOINT', (text) => {
    expect(() => parseEndpoint(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ENDPOINT' }))
  })

  test('any endpoint survives being written and read', () => {
    fc.assert(
      fc.property(endpoint, (value) => {
        expect(parseEndpoint(formatEndpoint(value))).toEqual(value)
      }),
    )
  })

  test('two endpoints are the same iff address and port are', () => {
    const a = { ip: '192.0.2.1', port: 1 }
    expect(sameEndpoint(a, { ...a })).toBe(true)
    expect(sameEndpoint(a, { ...a, port: 2 })).toBe(false)
    expect(sameEndpoint(a, { ...a, ip: '192.0.2.2' })).toBe(false)
  })

  test('the schema takes an endpoint only in its one spelling', () => {
    expect(endpointSchema.safeParse({ ip: '2001:db8::1', port: 1 }).success).toBe(true)
    expect(endpointSchema.safeParse({ ip: '2001:DB8::1', port: 1 }).success).toBe(false)
    expect(endpointSchema.safeParse({ ip: '192.0.2.1', port: 0 }).success).toBe(false)
    expect(endpointSchema.safeParse({ ip: '192.0.2.1', port: 1, zone: 'x' }).success).toBe(false)
  })
})
