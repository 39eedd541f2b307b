import { type Datagram, duration } from '@showchain/client/core'
import type { DatagramSocket } from '@showchain/client/runtime'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat, type Router, type RouterVerdict } from '../../src/index.ts'

const HELLO = Uint8Array.of(1, 2, 3)

interface Listener {
  readonly socket: DatagramSocket
  readonly got: Datagram[]
}

function listen(host: Host, port = 4000): Listener {
  const got: Datagram[] = []
  const socket = host.socket(port)
  socket.onDatagrams((batch) => got.push(...batch))
  return { socket, got }
}

const sources = ({ got }: Listener): readonly string[] => got.map(({ source: { ip, port } }) => `${ip}:${port}`)
const verdicts = (internet: Internet, router: Router): readonly RouterVerdict[] =>
  internet.sim.timeline.entries.flatMap((entry) =>
    entry.type === 'router' && entry.router === router.name ? [entry.verdict] : [],
  )

describe('a router', () => {
  test('translates what goes out, and what comes back', () => {
    const internet = new Internet('translate')
    const router = internet.router({ nat: nat.T3() })
    const inside = listen(internet.host('inside', { behind: router }))
    const outside = listen(internet.host('outside'))
    const to = outside.socket.localEndpoints[0] as { ip: string; port: number }
    outside.socket.onDatagrams((batch) => {
      outside.got.push(...batch)
      for (const { source } of batch) outside.socket.send(source, HELLO)
    })
    inside.socket.send(to, HELLO)
    internet.advance(duration(100))
    expect(sources(outside)).toEqual([`${router.external(4)}:4000`])
    expect(sources(inside)).toEqual([`${to.ip}:${to.port}`])
    expect(verdicts(internet, router)).toEqual(['out', 'in'])
  })

  test('that maps a port keeps a flow by it apart from another one between the same two ends', () => {
    const internet = new Internet('mapped')
    const router = internet.router({ nat: nat.T4(), maps: { speaks: ['NAT-PMP'] } })
    const inside = listen(internet.host('inside', { behind: router }))
    const outside = listen(internet.host('outside'))
    const [to] = outside.socket.localEndpoints as [{ ip: string; port: number }]
    // RFC 6886 §3.3: port 4000, the same one outside, for an hour.
    const ask = Uint8Array.of(0, 1, 0, 0, 4000 >> 8, 4000 & 0xff, 4000 >> 8, 4000 & 0xff, 0, 0, 3600 >> 8, 3600 & 0xff)
    inside.socket.send({ ip: '192.168.1.1', port: 5351 }, ask)
    inside.socket.send(to, HELLO)
    internet.advance(duration(100))
    inside.got.splice(0)
    const [translated] = outside.got.splice(0)
    outside.socket.send(translated?.source as never, HELLO)
    outside.socket.send({ ip: router.external(4) as string, port: 4000 }, HELLO)
    internet.advance(duration(100))
    // As netfilter shows it: the host can answer each by the way that it came.
    const [there, byMapping] = inside.got.map(({ source }) => source)
    expect(there).toEqual(to)
    expect(byMapping).toMatchObject({ ip: to.ip })
    expect(byMapping?.port).not.toBe(to.port)
    for (const { source } of inside.got) inside.socket.send(source, HELLO)
    internet.advance(duration(100))
    expect(sources(outside)).toEqual([`${router.external(4)}:${translated?.source.port}`, `${router.external(4)}:4000`])
  })

  test('stacks: behind a carrier’s, the outer one is what the world sees', () => {
    const internet = new Internet('stacked')
    const carrier = internet.router({ nat: nat.T3() })
    const home = internet.router({ nat: nat.T3(), behind: carrier })
    const inside = listen(internet.host('inside', { behind: home }))
    const outside = listen(internet.host('outside'))
    inside.socket.send(outside.socket.localEndpoints[0] as never, HELLO)
    internet.advance(duration(100))
    expect(home.external(4)).toMatch(/^100\.64\./)
    expect(outside.got.map(({ source }) => source.ip)).toEqual([carrier.external(4)])
  })

  test('two private networks may have the same addresses', () => {
    const internet = new Internet('colliding')
    const hosts = ['a', 'b'].map((name) => internet.host(name, { behind: internet.router({ nat: nat.T3() }) }))
    expect(hosts[0]?.ips).toEqual(hosts[1]?.ips)
    const outside = listen(internet.host('outside'))
    for (const host of hosts) listen(host).socket.send(outside.socket.localEndpoints[0] as never, HELLO)
    internet.advance(duration(100))
    expect(new Set(outside.got.map(({ source }) => source.ip)).size).toBe(2)
  })

  test.each([true, false])('hairpinning (RFC 4787 §6) %s: its external endpoint from inside', (hairpin) => {
    const internet = new Internet('hairpin')
    const router = internet.router({ nat: nat.T1({ hairpin }) })
    const [alice, bob] = ['alice', 'bob'].map((name) => listen(internet.host(name, { behind: router }))) as [
      Listener,
      Listener,
    ]
    const outside = listen(internet.host('outside'))
    bob.socket.send(outside.socket.localEndpoints[0] as never, HELLO)
    internet.advance(duration(100))
    const external = outside.got[0]?.source as { ip: string; port: number }
    alice.socket.send(external, HELLO)
    internet.advance(duration(100))
    // REQ-9: external source address and port.
    expect(bob.got.map(({ source }) => source.ip)).toEqual(hairpin ? [router.external(4)] : [])
    expect(verdicts(internet, router)).toContain(hairpin ? 'hairpin' : 'no hairpin')
  })

  test.each([
    ['all', false, false],
    ['inbound', true, false],
    ['outbound', false, false],
  ] as const)('blocks UDP: %s', (blocks, out, back) => {
    const internet = new Internet('blocked')
    const router = internet.router({ nat: nat.T1(), blocks })
    const inside = listen(internet.host('inside', { behind: router }))
    const outside = listen(internet.host('outside'))
    outside.socket.onDatagrams((batch) => {
      outside.got.push(...batch)
      for (const { source } of batch) outside.socket.send(source, HELLO)
    })
    inside.socket.send(outside.socket.localEndpoints[0] as never, HELLO)
    internet.advance(duration(100))
    expect([outside.got.length > 0, inside.got.length > 0]).toEqual([out, back])
  })

  test('a stateful firewall keeps IPv6 addresses, and lets in only answers (RFC 6092)', () => {
    const internet = new Internet('firewall')
    const router = internet.router({ nat: nat.T3(), ipv6: true })
    const host = internet.host('inside', { behind: router })
    const own = host.ips.find((ip) => ip.includes(':')) as string
    const inside = listen(host)
    const outside = listen(internet.host('outside', { ips: ['2a01:4f8::77'] }))
    const stranger = listen(internet.host('stranger', { ips: ['2a01:4f8::78'] }))
    inside.socket.send({ ip: '2a01:4f8::77', port: 4000 }, HELLO)
    internet.advance(duration(100))
    expect(sources(outside)).toEqual([`${own}:4000`])
    for (const from of [outside, stranger]) from.socket.send({ ip: own, port: 4000 }, HELLO)
    internet.advance(duration(100))
    expect(sources(inside)).toEqual(['2a01:4f8::77:4000'])
    expect(verdicts(internet, router)).toEqual(['out', 'in', 'filtered'])
  })

  test('after a reboot nothing comes in, and what goes out gets new mappings', () => {
    const internet = new Internet('reboot')
    const router = internet.router({ nat: nat.T4() })
    const inside = listen(internet.host('inside', { behind: router }))
    const outside = listen(internet.host('outside'))
    const to = outside.socket.localEndpoints[0] as never
    inside.socket.send(to, HELLO)
    internet.advance(duration(100))
    router.reboot()
    outside.socket.send(outside.got[0]?.source as never, HELLO)
    inside.socket.send(to, HELLO)
    internet.advance(duration(100))
    expect(inside.got).toEqual([])
    expect(new Set(sources(outside)).size).toBe(2)
  })

  test('a host with two interfaces leaves by the one whose network has the destination', () => {
    const internet = new Internet('two interfaces')
    const router = internet.router({ nat: nat.T3() })
    const neighbour = listen(internet.host('neighbour', { behind: router }))
    const outside = listen(internet.host('outside'))
    const host = internet.host('both')
    host.join(router.inside, '192.168.1.200')
    const { socket } = listen(host)
    socket.send(neighbour.socket.localEndpoints[0] as never, HELLO)
    socket.send(outside.socket.localEndpoints[0] as never, HELLO)
    internet.advance(duration(100))
    expect(sources(neighbour)).toEqual(['192.168.1.200:4000'])
    expect(sources(outside)).toEqual([`${host.ips[0]}:4000`])
  })
})
