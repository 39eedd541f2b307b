import { endianness } from 'node:os'
import { describe, expect, test } from 'vitest'
import { defaultGateway, defaultInterfaces } from '../../src/runtime/default-routes.ts'
import { findGateway } from '../../src/runtime/gateway.ts'
import { hostCandidates, type Interfaces, localAddresses, resolveAddress } from '../../src/runtime/index.ts'
import { localCandidates } from '../../src/runtime/local-candidates.ts'

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
    expect(localAddresses(interfaces, [])).toEqual(['10.0.0.7', '192.168.1.5', '2001:db8::5'])
    expect(localAddresses({}, [])).toEqual([])
  })

  test('do not depend on the order in which the system tells them', () => {
    const reversed = Object.fromEntries(Object.entries(interfaces).reverse())
    expect(localAddresses(reversed, [])).toEqual(localAddresses(interfaces, []))
  })

  test('stand for the wildcard of their family; a chosen address stands for itself', () => {
    const bound = [
      { ip: '0.0.0.0', port: 4 },
      { ip: '::', port: 6 },
      { ip: '127.0.0.1', port: 7 },
    ]
    expect(hostCandidates(bound, localAddresses(interfaces, []))).toEqual([
      { ip: '10.0.0.7', port: 4 },
      { ip: '192.168.1.5', port: 4 },
      { ip: '2001:db8::5', port: 6 },
      { ip: '127.0.0.1', port: 7 },
    ])
  })
})

const at = (...addresses: readonly string[]) => addresses.map((address) => ({ address, internal: false }))

describe('the best addresses', () => {
  const bridges = Object.fromEntries(
    [1, 2, 3, 4].map((n) => [`br-${String(n).repeat(12)}`, at(`172.${17 + n}.0.1`, `fd00:${n}::1`)]),
  )
  const everything: Interfaces = {
    ...bridges,
    docker0: at('172.17.0.1'),
    veth12ab: at('10.9.9.9'),
    virbr0: at('192.168.122.1'),
    tun0: at('10.8.0.2'),
    eth1: at('10.0.0.7'),
    wlan0: at('192.168.1.5', '2001:db8::5'),
    wg0: at('10.7.0.2'),
  }

  test.each([
    ['wlan0', ['192.168.1.5', '2001:db8::5', '10.0.0.7', '10.8.0.2', '10.7.0.2']],
    ['eth1', ['10.0.0.7', '192.168.1.5', '2001:db8::5', '10.8.0.2', '10.7.0.2']],
    ['tun0', ['10.8.0.2', '10.0.0.7', '192.168.1.5', '2001:db8::5', '10.7.0.2']],
    ['docker0', ['172.17.0.1', '10.0.0.7', '192.168.1.5', '2001:db8::5', '10.8.0.2', '10.7.0.2']],
  ])('begin with those of the default route by %s; tunnels are last, bridges to containers left out', (name, all) => {
    expect(localAddresses(everything, [name])).toEqual(all)
  })

  test('of several default routes are in their order', () => {
    expect(localAddresses(everything, ['wlan0', 'eth1']).slice(0, 3)).toEqual([
      '192.168.1.5',
      '10.0.0.7',
      '2001:db8::5',
    ])
    expect(localAddresses(everything, ['eth1', 'wlan0']).slice(0, 2)).toEqual(['10.0.0.7', '192.168.1.5'])
  })

  test('without a known default route are those of networks, then of tunnels', () => {
    expect(localAddresses(everything, [])).toEqual(['10.0.0.7', '192.168.1.5', '2001:db8::5', '10.8.0.2', '10.7.0.2'])
  })

  test('are those towards containers only where there is no other, or where they are public', () => {
    expect(localAddresses(bridges, []).slice(0, 2)).toEqual(['172.18.0.1', '172.19.0.1'])
    const open = { docker0: at('172.17.0.1', '2a01:4f8::1'), eth0: at('10.0.0.7') }
    expect(localAddresses(open, ['eth0'])).toEqual(['10.0.0.7', '2a01:4f8::1'])
  })

  test('are among the four that are announced, whatever bridges there are', () => {
    const bound = [
      { ip: '0.0.0.0', port: 4 },
      { ip: '::', port: 6 },
    ]
    const many: Interfaces = { ...everything, zz0: at('192.168.7.7') }
    expect(localCandidates(bound, localAddresses(many, ['zz0']))).toEqual([
      { ip: '192.168.7.7', port: 4 },
      { ip: '10.0.0.7', port: 4 },
      { ip: '192.168.1.5', port: 4 },
      { ip: '2001:db8::5', port: 6 },
    ])
  })
})

describe('default routes', () => {
  const ROUTE = `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth1	00000000	010200C0	0002	0	0	50	00000000	0	0	0
tun0	00000000	010200C0	0003	0	0	0	00000080	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
`
  const ZEROS = '0'.repeat(32)
  const ROUTE6 = `fe80${'0'.repeat(28)} 40 ${ZEROS} 00 ${ZEROS} 00000100 00000002 00000000 00000001     eth2
${ZEROS} 00 ${ZEROS} 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0
${ZEROS} 00 ${ZEROS} 00 fd000000000000000000000000000001 00000100 00000003 00000000 00000003     wwan0
${ZEROS} 00 ${ZEROS} 00 ${ZEROS} ffffffff 00000001 00000000 00200200       lo
`
  test('are those that are up, by family and metric', () => {
    expect(defaultInterfaces(ROUTE, ROUTE6)).toEqual(['eth0', 'wlan0', 'wwan0'])
  })

  test.skipIf(endianness() !== 'LE')('lead to the router of the best one', () => {
    expect(defaultGateway(ROUTE)).toEqual({ name: 'eth0', gateway: '192.0.2.1' })
    expect(defaultGateway(ROUTE.replaceAll('010200C0', '00000000'))).toBeUndefined()
    expect(defaultGateway('')).toBeUndefined()
  })

  test('the router is asked from this host on its network; without the table it is taken for .1', () => {
    const one = [{ address: '192.168.7.20', internal: false }]
    const interfaces = { eth1: [{ address: '192.0.2.20', internal: false }], eth0: one }
    expect(findGateway(interfaces, { name: 'eth0', gateway: '192.168.7.254' })).toEqual({
      ...{ ip: '192.168.7.254', local: '192.168.7.20' },
    })
    expect(findGateway(interfaces, { name: 'wlan0', gateway: '192.168.7.254' })).toBeUndefined()
    expect(findGateway(interfaces, 'none')).toBeUndefined()
    expect(findGateway(interfaces, 'unknown')).toEqual({ ip: '192.168.7.1', local: '192.168.7.20' })
    expect(findGateway({ eth1: interfaces.eth1 }, 'unknown')).toBeUndefined()
  })

  test.each(['', '\n', 'nonsense', 'Iface Destination'])('there are none in %j', (text) => {
    expect(defaultInterfaces(text, text)).toEqual([])
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
