/** `diagnose`: each check is good on a good network, and bad where what it is about is broken. */
import { diagnose, type Finding } from '@showchain/client'
import { duration } from '@showchain/client/core'
import type { LanPort } from '@showchain/client/runtime'
import { formatTicket, parseTicket } from '@showchain/wire'
import { expect, test } from 'vitest'
import { type Host, Internet, nat, type SimRelay } from '../../src/index.ts'
import { failureOf } from './bed.ts'

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
}

type Check = Finding['check']
type Verdicts = Readonly<Partial<Record<Check, Finding>>>

const FAMILIES = ['81.2.9.1', '2a01:4f8::1'] as const
const RELAY = ['81.2.8.1', '2a01:4f8:1::1'] as const

function scene(seed: string, play: (scene: Scene) => Promise<void>): Promise<void> {
  const played = Internet.run(seed, { latency: duration(10) }, async (internet) => {
    await play({ internet, relay: await internet.relay({ ips: RELAY }) })
  })
  return played.then(() => {})
}

/** Also looks for what was left open. */
async function findings({ internet, relay }: Scene, host: Host, tickets: readonly string[] = [relay.ticket]) {
  const options = { identity: internet.sim.identity('doctor'), runtime: internet.runtime(host) }
  const all = await internet.settle(diagnose({ ...options, relays: tickets }))
  expect(host.openSockets).toBe(0)
  return Object.fromEntries(all.map((finding) => [finding.check, finding])) as Verdicts
}

const behind = ({ internet }: Scene, type: keyof typeof nat, hairpin = false): Host =>
  internet.host('laptop', { behind: internet.router({ nat: nat[type]({ hairpin }) }) })

const verdictsOf = (found: Verdicts): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(found).map(([check, { verdict }]) => [check, verdict]))

/** A ticket of the relay with other addresses. */
const at = (relay: SimRelay, ...hosts: readonly string[]): string => {
  const { id, addresses } = parseTicket(relay.ticket)
  return formatTicket({ id, relays: [], addresses: hosts.map((host) => ({ host, port: addresses[0]?.port ?? 0 })) })
}
const NOBODY = ['81.2.255.1', '2a01:4f8::dead'] as const

test('everything is good on a public host whose relay has both families', () =>
  scene('diagnose good', async (where) => {
    const { internet, relay } = where
    const host = internet.host('server', { ips: FAMILIES })
    const ticket = at(relay, ...RELAY)
    const found = await findings(where, host, [ticket])
    expect(verdictsOf(found)).toEqual({
      ...{ socket: 'good', udp: 'good', ipv4: 'good', ipv6: 'good', relay: 'good', packetSize: 'good', nat: 'good' },
      ...{ hairpin: 'good', clock: 'good', portMapping: 'good' },
    })
    expect(found.relay?.found).toContain('20.0 ms')
    for (const { advice } of Object.values(found)) expect(advice).toBeUndefined()
  }))

test('udp and the relay are bad when nothing answers, and the port is named', () =>
  scene('diagnose blocked', async (where) => {
    where.internet.host('nobody', { ips: NOBODY })
    const host = where.internet.host('server', { ips: FAMILIES })
    const found = await findings(where, host, [at(where.relay, NOBODY[0])])
    expect(verdictsOf(found)).toMatchObject({ udp: 'bad', relay: 'bad', ipv4: 'bad', nat: 'unknown' })
    expect(verdictsOf(found)).toMatchObject({ hairpin: 'unknown', packetSize: 'unknown', ipv6: 'unknown' })
    expect(found.udp?.advice).toContain(`port ${where.relay.endpoint.port}`)
  }))

test.each([
  ['ipv4', NOBODY[0], 1],
  ['ipv6', NOBODY[1], 0],
] as const)('%s is bad when relays answer over the other family alone', (family, dead, answering) =>
  scene(`diagnose ${family}`, async (where) => {
    const { internet, relay } = where
    internet.host('nobody', { ips: NOBODY })
    const host = internet.host('server', { ips: FAMILIES })
    const found = await findings(where, host, [at(relay, RELAY[answering], dead)])
    const other = family === 'ipv4' ? 'ipv6' : 'ipv4'
    expect(verdictsOf(found)).toMatchObject({ udp: 'good', relay: 'good', [family]: 'bad', [other]: 'good' })
  }),
)

test('a relay is bad that answers, and is not the one of the ticket', () =>
  scene('diagnose other id', async (where) => {
    const { internet, relay } = where
    const { id } = internet.sim.identity('another relay')
    const host = internet.host('server', { ips: FAMILIES })
    const found = await findings(where, host, [formatTicket({ ...parseTicket(relay.ticket), id })])
    expect(verdictsOf(found)).toMatchObject({ udp: 'good', relay: 'bad' })
    expect(found.relay?.found).toContain('does not register this host')
  }))

test('a relay is bad whose name is not resolved', () =>
  scene('diagnose name', async (where) => {
    const host = where.internet.host('server', { ips: FAMILIES })
    const found = await findings(where, host, [at(where.relay, 'relay.example.org')])
    expect(found.relay).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('resolves names') })
  }))

test('packets of the protocol are bad when they are larger than the path takes', () =>
  scene('diagnose mtu', async (where) => {
    const { internet, relay } = where
    const host = internet.host('server', { ips: FAMILIES })
    internet.sim.network.between(host, relay.host, { latency: duration(10), mtu: 1200 })
    const found = await findings(where, host)
    expect(verdictsOf(found)).toMatchObject({ udp: 'good', packetSize: 'bad' })
    expect(found.packetSize?.advice).toContain('MTU')
  }))

test.each([
  ['T1', 'good'],
  ['T2', 'good'],
  ['T3', 'good'],
  ['T4', 'bad'],
] as const)('a NAT of type %s is %s', (type, verdict) =>
  scene(`diagnose ${type}`, async (where) => {
    const found = await findings(where, behind(where, type))
    expect(verdictsOf(found)).toMatchObject({ nat: verdict, udp: 'good', relay: 'good' })
    expect(found.nat?.found).toContain(type)
  }),
)

test.each([
  [true, 'good'],
  [false, 'bad'],
] as const)('hairpinning of a NAT (%s) is %s', (hairpins, verdict) =>
  scene(`diagnose hairpin ${hairpins}`, async (where) => {
    expect(verdictsOf(await findings(where, behind(where, 'T3', hairpins)))).toMatchObject({ hairpin: verdict })
  }),
)

test.each([
  ['by PCP', { speaks: ['PCP'] }, 'good', 'maps a port by PCP: everybody reaches this host at 81.'],
  ['by NAT-PMP', { speaks: ['NAT-PMP'], lifetime: 600 }, 'good', 'for 600 s each time'],
  ['by UPnP', { speaks: ['UPnP'] }, 'good', 'maps a port by UPnP'],
  ['and refuses', { speaks: ['PCP'], refuses: 2 }, 'bad', 'not authorized'],
  ['elsewhere', { speaks: ['PCP'], claims: '81.9.9.9' }, 'bad', 'relays see this host at'],
  ['silently', { speaks: [] }, 'unknown', 'answers neither PCP, NAT-PMP nor UPnP'],
] as const)('a router that maps ports %s', (name, maps, verdict, said) =>
  scene(`diagnose mapping ${name}`, async (where) => {
    const router = where.internet.router({ nat: nat.T3(), maps })
    const { portMapping } = await findings(where, where.internet.host('laptop', { behind: router }))
    expect(portMapping).toMatchObject({ verdict, found: expect.stringContaining(said) })
    expect(portMapping?.advice === undefined).toBe(verdict !== 'bad')
    expect(router.portMaps).toBe(0)
  }),
)

test('a router that maps ports behind another one is bad, and the advice is to have one', () =>
  scene('diagnose double NAT', async (where) => {
    const behind = where.internet.router({ nat: nat.T3(), lan: '10.0.0' })
    const router = where.internet.router({ nat: nat.T3(), behind, maps: { speaks: ['PCP'] } })
    const { portMapping } = await findings(where, where.internet.host('laptop', { behind: router }))
    expect(portMapping).toMatchObject({ verdict: 'bad', found: expect.stringContaining('another NAT') })
    expect(portMapping?.advice).toContain('only one')
  }))

test('a socket is bad of which its opening warned, with what it said as the advice', () =>
  scene('diagnose socket', async (where) => {
    const { internet, relay } = where
    const host = internet.host('server', { ips: FAMILIES })
    const given = internet.runtime(host)
    const runtime: typeof given = {
      ...given,
      openSocket: (options) => {
        options.onWarning?.('The buffer is small.')
        return given.openSocket(options)
      },
    }
    const options = { identity: internet.sim.identity('doctor'), relays: [relay.ticket], runtime }
    const [socket] = await internet.settle(diagnose(options))
    expect(socket).toMatchObject({ check: 'socket', verdict: 'bad', advice: 'The buffer is small.' })
  }))

test('without a relay nothing is known of the network', () =>
  scene('diagnose nothing', async (where) => {
    const host = where.internet.host('server', { ips: FAMILIES })
    const found = await findings(where, host, [])
    expect(verdictsOf(found)).toEqual({
      ...{ socket: 'good', udp: 'unknown', ipv4: 'unknown', ipv6: 'unknown', packetSize: 'unknown' },
      ...{ nat: 'unknown', hairpin: 'unknown', clock: 'unknown', portMapping: 'unknown' },
    })
  }))

test('it can be aborted, and leaves nothing open', () =>
  scene('diagnose aborted', async ({ internet, relay }) => {
    const host = internet.host('server', { ips: FAMILIES })
    const options = {
      identity: internet.sim.identity('doctor'),
      relays: [relay.ticket],
      runtime: internet.runtime(host),
    }
    const abort = new AbortController()
    const failure = failureOf(diagnose({ ...options, signal: abort.signal }))
    abort.abort()
    expect(await internet.settle(failure)).toMatchObject({ code: 'ERR_ABORTED' })
    expect(host.openSockets).toBe(0)
  }))

test.each([
  ['behind', 61_000, 'bad', '61 s behind'],
  ['ahead', -3_600_000, 'bad', '3600 s ahead'],
  ['near', 59_000, 'good', 'near'],
] as const)('the clock of a host that is %s', (_name, offset, verdict, said) =>
  scene(`diagnose clock ${offset}`, async (where) => {
    where.relay.clockOffset = offset
    const { clock } = await findings(where, where.internet.host('server', { ips: FAMILIES }))
    expect(clock?.verdict).toBe(verdict)
    expect(clock?.found).toContain(said)
    expect(clock?.advice === undefined).toBe(verdict === 'good')
  }),
)

test('a clock that one of two relays agrees with is good', () =>
  scene('diagnose clocks', async (where) => {
    where.relay.clockOffset = 90_000
    const second = await where.internet.relay()
    const host = where.internet.host('server', { ips: FAMILIES })
    const found = await findings(where, host, [where.relay.ticket, second.ticket])
    expect(found.clock?.verdict).toBe('good')
  }))

test('LAN discovery is looked at where that is asked: good, blocked, no network for it, and a port that is taken', () =>
  scene('diagnose lan', async (where) => {
    const { internet, relay } = where
    const lanOf = async (host: Host, change: Partial<LanPort> = {}) => {
      const runtime = internet.runtime(host)
      const lan = { ...(runtime.lan as LanPort), ...change }
      const asked = { identity: internet.sim.identity('doctor'), relays: [relay.ticket], lanDiscovery: true }
      const all = await internet.settle(diagnose({ ...asked, runtime: { ...runtime, lan } }))
      expect(host.openSockets).toBe(0)
      return all.filter(({ check }) => check === 'lan')
    }
    const home = internet.router({ nat: nat.T3() })
    const at = (name: string): Host => internet.host(name, { behind: home })
    expect(await lanOf(at('laptop'))).toEqual([
      { check: 'lan', verdict: 'good', found: 'Peers of one network find this host by its id: lan.' },
    ])
    const blocked = at('blocked')
    blocked.blocksUdp = true
    expect(await lanOf(blocked)).toMatchObject([{ verdict: 'bad', advice: expect.stringContaining('5353') }])
    expect(await lanOf(internet.host('server', { ips: FAMILIES }))).toMatchObject([{ verdict: 'unknown' }])
    const open = async (): Promise<never> => {
      throw new Error('address in use')
    }
    expect(await lanOf(at('taken'), { open })).toMatchObject([
      {
        verdict: 'bad',
        found: 'LAN discovery does not work on lan by IPv4: address in use',
        advice: expect.any(String),
      },
    ])
  }))
