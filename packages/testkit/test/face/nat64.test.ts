/** Hosts of IPv6 alone whose network has a NAT64: what tickets say of IPv4 is reached through it. */
import { type Connection, diagnose, Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import type { Runtime } from '@showchain/client/runtime'
import { type Address, formatTicket, ShowchainError } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat, type Router, type SimRelay } from '../../src/index.ts'
import { failureOf, take } from './bed.ts'

/** The address of ipv4only.arpa in the well-known prefix, and in one of a network's own. */
const WELL_KNOWN = '64:ff9b::c000:aa'
const OWN = '2a01:4f8:64::c000:aa'
const SECOND = 1000

interface Network {
  /** Asked so far. */
  readonly asked: string[]
  /** What ipv4only.arpa leads to; undefined: there is no DNS64. */
  arpa: string | undefined
}

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly network: Network
  /** Opens a peer, of IPv6 alone unless it is said, and closes it in the end. */
  open(name: string, relays: readonly string[], ipv4?: boolean, behind?: Router): Promise<Peer>
  /** A host as that of a peer. */
  hostOf(name: string, ipv4?: boolean, behind?: Router): { readonly host: Host; readonly runtime: Runtime }
}

const NETWORK = { nat: nat.T3(), ipv6: true, nat64: true }
const BOTH = ['5.9.0.1', '2a01:4f9::1'] as const

/** @param ips of the relay: by default it has IPv4 alone */
const scene = (seed: string, play: (scene: Scene) => Promise<void>, ips?: readonly string[]): Promise<void> =>
  Internet.run(seed, { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay({ stun: 'plain', ...(ips === undefined ? {} : { ips }) })
    const network: Network = { asked: [], arpa: WELL_KNOWN }
    const peers: Peer[] = []
    const resolve = async ({ host, port }: Address) => {
      network.asked.push(host)
      if (/^[0-9.]+$|:/.test(host)) return [{ ip: host, port }]
      if (host === 'ipv4only.arpa' && network.arpa !== undefined) return [{ ip: network.arpa, port }]
      // Without a DNS64 of its own.
      if (host === 'relay.example') return [{ ip: relay.endpoint.ip, port }]
      throw new ShowchainError('ERR_CANNOT_RESOLVE', undefined, { cause: new Error('ENOTFOUND') })
    }
    const hostOf: Scene['hostOf'] = (name, ipv4 = false, behind = internet.router(NETWORK)) => {
      const host = internet.host(name, { behind })
      host.moveTo(...host.ips.filter((ip) => ip.includes(':') !== ipv4))
      return { host, runtime: { ...internet.runtime(host), resolve } }
    }
    await play({
      ...{ internet, relay, network, hostOf },
      open: async (name, relays, ipv4 = false, behind) => {
        const { runtime } = hostOf(name, ipv4, behind)
        const peer = await Peer.open({ identity: internet.sim.identity(name), runtime, relays })
        peers.push(peer)
        return peer
      },
    })
    for (const peer of peers) await peer.close()
  }).then(() => {})

describe('a host of IPv6 alone behind a NAT64', () => {
  test('registers with a relay that has an IPv4 address alone, and is reached by it', () =>
    scene('registers', async ({ internet, relay, open }) => {
      const bob = await open('bob', [relay.ticket])
      await bob.registered()
      expect(internet.sim.clock.now()).toBeLessThan(SECOND)
      expect(relay.bound.map(({ at }) => at.ip.includes(':'))).toEqual([false])
      expect(bob.ticket).toContain(`@${relay.endpoint.ip}:`)
      const alice = await open('alice', [relay.ticket], true)
      const connection = await alice.connect(bob.ticket)
      expect((await take(bob.incoming)).remoteId).toBe(alice.id)
      expect(connection.remoteId).toBe(bob.id)
    }))

  test('connects by the IPv4 address of a ticket, and asks for the prefix once', () =>
    scene('connects', async ({ relay, network, open }) => {
      const bob = await open('bob', [relay.ticket], true)
      await bob.registered()
      const alice = await open('alice', [])
      expect((await alice.connect(bob.ticket)).remoteId).toBe(bob.id)
      await (await alice.connect(bob.ticket)).close()
      expect(network.asked.filter((name) => name === 'ipv4only.arpa')).toHaveLength(1)
    }))

  test('takes the IPv4 address of a name whose resolver knows no NAT64', () =>
    scene('name', async ({ relay, open }) => {
      const { id } = relay.identity
      const { port } = relay.endpoint
      const ticket = formatTicket({ id, relays: [], addresses: [{ host: 'relay.example', port }] })
      const peer = await open('bob', [ticket])
      await peer.registered()
      expect(relay.bound).toHaveLength(1)
    }))

  test.each([
    ['a private one, in the well-known prefix', WELL_KNOWN, '64:ff9b::a00:7'],
    ['a private one, in a prefix that is a public one', OWN, '2a01:4f8:64::a00:7'],
  ])('sends nothing to an address of a ticket that the policy refuses (%s)', (_what, arpa, six) =>
    scene(`refused ${arpa}`, async ({ internet, network, open }) => {
      network.arpa = arpa
      const alice = await open('alice', [])
      const sent: string[] = []
      internet.sim.network.filter = ({ destination }) => sent.push(destination.ip) > 0
      const { id } = internet.sim.identity('bob')
      for (const host of ['10.0.0.7', six]) {
        const failure = await failureOf(alice.connect({ id, relays: [], addresses: [{ host, port: 4000 }] }))
        expect([failure.code, sent]).toEqual(['ERR_NO_PATH', []])
      }
    }),
  )

  test('without DNS64 asks again when the relay is looked for again', () =>
    scene('later', async ({ internet, relay, network, open }) => {
      network.arpa = undefined
      const peer = await open('bob', [relay.ticket])
      await internet.wait(duration(20 * SECOND))
      expect(relay.bound).toEqual([])
      network.arpa = WELL_KNOWN
      await internet.wait(duration(120 * SECOND))
      await peer.registered()
      expect(relay.bound).toHaveLength(1)
    }))
})

/** Of a connection that may be relayed at first: its path when it is direct, or 20 s later. */
async function directPath({ internet }: Scene, connection: Connection): Promise<Connection['path']> {
  for (let second = 0; second < 20 && connection.path.kind !== 'direct'; second++) await internet.wait(duration(SECOND))
  return connection.path
}

describe('a host behind a NAT64 and one of IPv4 alone behind a NAT, which a relay introduces', () => {
  /** Both have one binding, seen over these families. */
  test.each([
    ['a relay of IPv4 alone', undefined, 4],
    ['a relay of both families', BOTH, 6],
  ] as const)('are direct, whoever dials, with %s', (what, ips, family) =>
    scene(
      `direct ${what}`,
      async (where) => {
        const { endpoint, identity } = where.relay
        const hosts = ips ?? [endpoint.ip]
        const ticket = formatTicket({
          id: identity.id,
          relays: [],
          addresses: hosts.map((host) => ({ host, port: endpoint.port })),
        })
        const six = await where.open('six', [ticket])
        const four = await where.open('four', [ticket], true)
        await Promise.all([six.registered(), four.registered()])
        const seen = where.relay.bound.find((each) => each.id === six.id)?.at.ip ?? ''
        expect(seen.includes(':') ? 6 : 4).toBe(family)
        const dialled = await six.connect(four.ticket)
        expect(await directPath(where, dialled)).toMatchObject({
          kind: 'direct',
          remote: { ip: expect.stringMatching(/^64:ff9b::/) },
        })
        await dialled.close()
        const back = await four.connect(six.ticket)
        expect(await directPath(where, back)).toMatchObject({ kind: 'direct' })
      },
      ips,
    ),
  )

  test('sends to no private IPv4 address that the other end says is its own, also on one network', () =>
    scene('private', async ({ internet, relay, open }) => {
      const router = internet.router(NETWORK)
      const six = await open('six', [relay.ticket], false, router)
      const four = await open('four', [relay.ticket], true, router)
      const sent: string[] = []
      internet.sim.network.filter = ({ destination }) => sent.push(destination.ip) > 0
      const inside: string[] = []
      router.inside.filter = ({ destination }) => inside.push(destination.ip) > 0
      await Promise.all([six.registered(), four.registered()])
      await six.connect(four.ticket)
      await internet.wait(duration(20 * SECOND))
      expect(inside.length).toBeGreaterThan(0)
      expect([...sent, ...inside].filter((ip) => ip.startsWith('64:ff9b::c0a8'))).toEqual([])
    }))
})

describe('a diagnosis says in a line that IPv4 is reached by NAT64', () => {
  test.each([
    ['through the well-known prefix', WELL_KNOWN, /^This network reaches IPv4 by NAT64 \(64:ff9b::\/96\): \[64:ff9b::/],
    ['nowhere where there is none', undefined, /^This host has no IPv4 address/],
  ])('%s', (_what, arpa, found) =>
    scene(`diagnosis ${arpa}`, async ({ internet, relay, network, hostOf }) => {
      network.arpa = arpa
      const { host, runtime } = hostOf('six')
      const asked = { identity: internet.sim.identity('doctor'), relays: [relay.ticket], runtime }
      const all = await internet.settle(diagnose(asked))
      expect(host.openSockets).toBe(0)
      expect(all.find(({ check }) => check === 'ipv4')?.found).toMatch(found)
      expect(all.find(({ check }) => check === 'ipv6')?.found).toBe('No relay has an IPv6 address to ask.')
    }),
  )
})

test('a host that has IPv4, too, asks nobody for a prefix', () =>
  scene('both', async ({ relay, network, open }) => {
    const peer = await open('bob', [relay.ticket], true)
    await peer.registered()
    expect(network.asked).toEqual([])
  }))
