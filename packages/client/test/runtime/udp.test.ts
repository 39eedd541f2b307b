import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import type { Endpoint } from '@showchain/wire'
import { needsIpv6 } from '@showchain-tooling/vitest/needs'
import { afterEach, describe, expect, test } from 'vitest'
import type { Datagram } from '../../src/core/endpoint/machine.ts'
import { openUdp, type UdpOptions, type UdpSocket } from '../../src/runtime/index.ts'
import { KINDS } from './kinds.ts'

const open: UdpSocket[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()))
})

const local = (socket: UdpSocket): Endpoint => socket.localEndpoints[0] as Endpoint
const arrival = (socket: UdpSocket): Promise<Datagram> =>
  new Promise((resolve) => socket.onDatagrams(([first]) => resolve(first as Datagram)))

describe.each(KINDS)('%s', (kind, works) => {
  async function udp(options: UdpOptions): Promise<UdpSocket> {
    const socket = await openUdp({ kind, ...options })
    open.push(socket)
    return socket
  }

  describe.each([
    ['127.0.0.1', {}],
    ['::1', needsIpv6],
  ])('UDP on %s', works, (host, needed) => {
    test('brings a datagram from one socket to the other, with its source', needed, async () => {
      const [a, b] = [await udp({ listen: [{ host, port: 0 }] }), await udp({ listen: [{ host, port: 0 }] })]
      const received = arrival(b)
      a.send(local(b), Uint8Array.of(1, 2, 3))
      const { bytes, source } = await received
      expect(bytes).toEqual(Uint8Array.of(1, 2, 3))
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
      expect(source).toEqual(local(a))
      expect(source.ip).toBe(host)
    })

    test('says that an address is in use', needed, async () => {
      const { port } = local(await udp({ listen: [{ host, port: 0 }] }))
      await expect(openUdp({ kind, listen: [{ host, port }] })).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' })
    })
  })

  describe('a UDP socket', works, () => {
    test('of both families has one port, and answers in the family it was asked in', needsIpv6, async () => {
      const both = await udp({})
      expect(both.localEndpoints.map(({ ip }) => ip)).toEqual(['0.0.0.0', '::'])
      expect(new Set(both.localEndpoints.map(({ port }) => port)).size).toBe(1)
      both.onDatagrams((batch) => {
        for (const { source, bytes } of batch) both.send(source, bytes)
      })
      for (const host of ['127.0.0.1', '::1']) {
        const socket = await udp({ listen: [{ host, port: 0 }] })
        const answer = arrival(socket)
        socket.send({ ip: host, port: local(both).port }, Uint8Array.of(9))
        expect((await answer).source).toEqual({ ip: host, port: local(both).port })
      }
    })

    test('hands on a datagram of any size', async () => {
      const [a, b] = [
        await udp({ listen: [{ host: '127.0.0.1', port: 0 }] }),
        await udp({ listen: [{ host: '127.0.0.1', port: 0 }] }),
      ]
      const received = arrival(b)
      a.send(local(b), new Uint8Array(3000))
      expect((await received).bytes).toHaveLength(3000)
    })

    test('counts what cannot be sent and throws nothing', async () => {
      const socket = await udp({ listen: [{ host: '127.0.0.1', port: 0 }] })
      socket.send(local(socket), new Uint8Array(70_000))
      socket.send({ ip: '::1', port: 5 }, Uint8Array.of(1))
      const arrived = arrival(socket)
      socket.send(local(socket), Uint8Array.of(1))
      await arrived
      expect(socket.counters).toMatchObject({ sendFailed: 0, sendTooLarge: 1, noSocket: 1 })
    })

    test('notices failures after a long time without any, and counts all from the first one noticed on', async () => {
      const socket = await udp({ listen: [{ host: '127.0.0.1', port: 0 }] })
      for (let index = 0; index < 5000; index++) socket.send(local(socket), Uint8Array.of(1))
      for (let index = 0; index < 64; index++) socket.send(local(socket), new Uint8Array(70_000))
      const arrived = arrival(socket)
      socket.send(local(socket), Uint8Array.of(1))
      await arrived
      const noticed = socket.counters.sendTooLarge
      expect(noticed).toBeGreaterThan(0)
      for (let index = 0; index < 10; index++) socket.send(local(socket), new Uint8Array(70_000))
      const again = arrival(socket)
      socket.send(local(socket), Uint8Array.of(1))
      await again
      expect(socket.counters.sendTooLarge).toBe(noticed + 10)
    })

    test('is silent after its close, which may come twice', async () => {
      const socket = await udp({ listen: [{ host: '127.0.0.1', port: 0 }] })
      await Promise.all([socket.close(), socket.close()])
      socket.send({ ip: '127.0.0.1', port: 5 }, Uint8Array.of(1))
      expect(socket.counters.sendFailed).toBe(0)
    })

    test.each([
      ['a host name', [{ host: 'localhost', port: 0 }]],
      [
        'two addresses of one family',
        [
          { host: '127.0.0.1', port: 0 },
          { host: '0.0.0.0', port: 0 },
        ],
      ],
      ['nothing', []],
    ])('refuses to listen on %s', async (_, listen) => {
      await expect(openUdp({ kind, listen })).rejects.toMatchObject({ code: 'ERR_BAD_CONFIG' })
    })

    test('says that an address is not of this host', async () => {
      await expect(openUdp({ kind, listen: [{ host: '203.0.113.77', port: 0 }] })).rejects.toMatchObject({
        code: 'ERR_CANNOT_LISTEN',
        message: expect.stringContaining('203.0.113.77 is no address of this host'),
      })
    })

    test('takes a chosen port in both families or says which one is in use', async () => {
      const taken = createSocket('udp4')
      await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve))
      const { port } = taken.address()
      const refused = openUdp({
        kind,
        listen: [
          { host: '::', port },
          { host: '127.0.0.1', port },
        ],
      })
      await expect(refused).rejects.toMatchObject({ message: expect.stringContaining(`127.0.0.1:${port}`) })
      await new Promise<void>((resolve) => taken.close(() => resolve()))
    })
  })
})

describe('a socket of node:dgram, which cannot ask for "do not fragment"', () => {
  const opened = async (): Promise<UdpSocket> => {
    const socket = await openUdp({ kind: 'dgram' })
    open.push(socket)
    return socket
  }

  test('knows that nothing is fragmented on the way to its own host', async () => {
    const socket = await opened()
    // What macOS takes in one datagram (net.inet.udp.maxdgram), with an IPv4 and a UDP header.
    const least = 9216 - 28
    const own = Object.values(networkInterfaces()).flatMap((all = []) => all)
    const addresses = [
      '127.0.0.1',
      '127.8.7.6',
      ...own.flatMap(({ address, family }) => (family === 'IPv4' ? address : [])),
    ]
    expect(addresses.map((ip) => socket.unfragmented({ ip, port: 5 }))).toEqual(addresses.map(() => least))
  })

  test('says nothing of the way to another', async () => {
    const socket = await opened()
    for (const ip of ['192.0.2.1', '1.127.0.1', '2001:db8::1'])
      expect(socket.unfragmented({ ip, port: 5 })).toBeUndefined()
  })
})
