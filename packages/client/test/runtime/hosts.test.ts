import { describe, expect, test } from 'vitest'
import { hostCandidates, localAddresses, resolveAddress } from '../../src/runtime/index.ts'

const interfaces = {
  wlan0: [
    { address: '2001:DB8::5', internal: false },
    { address: 'fe80::1%wlan0', internal: false },
    { address: 'febf::1', internal: false },
    { address: '192.168.1.5', internal: false },
  ],
  lo: [{ address: '127.0.0.1', internal: true }],
  eth0: [
    { address: '10.0.0.7', internal: false },
    { address: '169.254.3.4', internal: false },
  ],
  eth1: [{ address: '10.0.0.7', internal: false }],
}

describe('local addresses', () => {
  test('are those that another host can name: IPv4 first, by interface, each once', () => {
    expect(localAddresses(interfaces)).toEqual(['10.0.0.7', '192.168.1.5', '2001:db8::5'])
    expect(localAddresses({})).toEqual([])
  })

  test('do not depend on the order in which the system tells them', () => {
    const reversed = Object.fromEntries(Object.entries(interfaces).reverse())
    expect(localAddresses(reversed)).toEqual(localAddresses(interfaces))
  })

  test('stand for the wildcard of their family; a chosen address stands for itself', () => {
    const bound = [
      { ip: '0.0.0.0', port: 4 },
      { ip: '::', port: 6 },
      { ip: '127.0.0.1', port: 7 },
    ]
    expect(hostCandidates(bound, localAddresses(interfaces))).toEqual([
      { ip: '10.0.0.7', port: 4 },
      { ip: '192.168.1.5', port: 4 },
      { ip: '2001:db8::5', port: 6 },
      { ip: '127.0.0.1', port: 7 },
    ])
  })
})

describe('resolving an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
  ])('%s needs no resolver', async (host, ip) => {
    expect(await resolveAddress({ host, port: 4000 })).toEqual([{ ip, port: 4000 }])
  })

  test('localhost has a loopback address', async () => {
    const endpoints = await resolveAddress({ host: 'localhost', port: 4000 })
    expect(endpoints.length).toBeGreaterThan(0)
    for (const { ip, port } of endpoints) expect([ip === '127.0.0.1' || ip === '::1', port]).toEqual([true, 4000])
  })

  test('a name that nobody has is a typed error that names it', async () => {
    await expect(resolveAddress({ host: 'no-such-host.invalid', port: 4000 })).rejects.toMatchObject({
      code: 'ERR_CANNOT_RESOLVE',
      message: expect.stringContaining('no-such-host.invalid'),
    })
  })
})
