/**
 * Networks beside the pairs of the matrix: IPv6, no UDP at all, other addresses, and hosts that are
 * taken for others.
 */
import { duration, type PathPolicy } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import { classify, decode, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimConnection, type SimPeer } from '../../src/index.ts'

/** A dial has ended by then: the requests of a punch, one after the other. */
const DIAL_PATIENCE = 60_000
const DUAL = { ips: ['5.9.0.1', '2a01:4f9::1'] } as const

/** What carries data: records, and the messages that a relay forwards. */
function carriesData(bytes: Uint8Array): boolean {
  const kind = classify(bytes)
  if (kind !== 'binary' && kind !== 'json') return kind === 'record' || kind === 'channel'
  const decoded = decode(bytes)
  return decoded.ok && DATA.includes(decoded.message.op_code)
}
const DATA: readonly number[] = [OP.proxyData, OP.proxyPassData]

const other = ({ links }: SimPeer): SimConnection => [...links.values()].at(-1) as SimConnection
const talks = (internet: Internet, from: SimPeer, link: SimConnection, to: SimPeer): boolean => {
  const before = to.arrived.length
  const delivery = from.send(link.id, Uint8Array.of(1, 2, 3))
  internet.until(() => delivery.ended !== undefined)
  return delivery.failure === undefined && to.arrived.length === before + 1
}

describe('IPv6', () => {
  test('two hosts behind stateful firewalls reach each other directly', async () => {
    await Internet.run('six', {}, async (internet) => {
      const relay = await internet.relay({ ips: ['2a01:4f9::1'], stun: 'plain' })
      const behind = () => internet.router({ nat: nat.T4(), ipv6: true })
      const alice = await internet.simPeer({ name: 'alice', behind: behind() })
      const bob = await internet.simPeer({ name: 'bob', behind: behind() })
      const link = await alice.connect(bob)
      internet.advance(duration(5000))
      expect(relay.bound.every(({ at }) => at.ip.includes(':'))).toBe(true)
      expect([link.path.kind, link.path.remote.ip]).toEqual(['direct', expect.stringContaining('2a02:908:')])
      expect(talks(internet, alice, link, bob)).toBe(true)
    })
  })

  test('a host of both families and one of IPv4 alone meet over IPv4', async () => {
    await Internet.run('both', {}, async (internet) => {
      await internet.relay({ ips: ['5.9.0.1'], stun: 'plain' })
      const alice = await internet.simPeer({ name: 'alice', behind: internet.router({ nat: nat.T2(), ipv6: true }) })
      const bob = await internet.simPeer({ name: 'bob', behind: nat.T3() })
      const link = await alice.connect(bob)
      internet.advance(duration(5000))
      expect(link.path.kind).toBe('direct')
    })
  })

  test('a laptop that moves from IPv4 to a network of IPv6 alone goes on over the relay of that family', async () => {
    await Internet.run('family', {}, async (internet) => {
      await internet.relay({ name: 'four', ips: ['5.9.0.1'], stun: 'plain' })
      const six = await internet.relay({ name: 'six', ips: DUAL.ips.slice(1), stun: 'plain' })
      const home = internet.router({ nat: nat.T4(), ipv6: true })
      const alice = await internet.simPeer({ name: 'alice', behind: home })
      const bob = await internet.simPeer({ name: 'bob', behind: internet.router({ nat: nat.T4(), ipv6: true }) })
      internet.until(() => [alice, bob].every((peer) => peer.isRegistered(six)))
      const link = await alice.connect(bob)
      alice.host.moveToNetwork(home.inside, ...alice.host.ips.filter((ip) => ip.includes(':')))
      internet.advance(duration(120_000))
      expect([link.closed, other(bob).closed]).toEqual([undefined, undefined])
      expect(link.path.remote.ip).toContain(':')
      expect(talks(internet, alice, link, bob)).toBe(true)
    })
  })
})

describe('without UDP', () => {
  test.each([
    ['all', 'alice'],
    ['inbound', 'alice'],
    ['all', 'bob'],
    ['outbound', 'bob'],
  ] as const)('%s of it at %s: the dial ends in time, and says what was tried', async (blocks, where) => {
    await Internet.run(`blocked ${blocks} ${where}`, {}, async (internet) => {
      await internet.relay()
      const behind = (name: string) => internet.router({ nat: nat.T1(), ...(name === where ? { blocks } : {}) })
      const [alice, bob] = ['alice', 'bob'].map((name) => internet.addSimPeer({ name, behind: behind(name) })) as [
        SimPeer,
        SimPeer,
      ]
      internet.advance(duration(20_000))
      const dialled = alice.dialPeer(bob)
      internet.advance(duration(DIAL_PATIENCE))
      expect(dialled.ended).toBeDefined()
      expect(dialled.attempts?.map(({ via, state }) => [via, state])).toEqual([
        ['punch', 'failed'],
        ['relay', 'failed'],
      ])
      for (const { why } of dialled.attempts ?? [])
        expect(why).toMatch(/not registered|no answer|nothing was acknowledged/)
    })
  })
})

describe('policies', () => {
  const pair = async (internet: Internet, ours: PathPolicy, theirs: PathPolicy) => {
    await internet.relay()
    const alice = await internet.simPeer({ name: 'alice', behind: nat.T2(), policy: ours })
    const bob = await internet.simPeer({ name: 'bob', behind: nat.T2(), policy: theirs })
    return [alice, bob] as const
  }

  test('a peer of relays alone is reached through the relay, whatever the other end tries', async () => {
    await Internet.run('hidden', {}, async (internet) => {
      const [alice, bob] = await pair(internet, 'auto', 'relay-only')
      const link = await alice.connect(bob, 'auto')
      internet.advance(duration(300_000))
      expect(link.paths.map(({ kind }) => kind)).toEqual(['relay'])
      expect(talks(internet, alice, link, bob)).toBe(true)
      const dialled = alice.dialPeer(bob, 'punch')
      internet.advance(duration(DIAL_PATIENCE))
      expect(dialled.link).toBeUndefined()
    })
  })

  test('a peer of direct paths alone takes nothing from a relay', async () => {
    await Internet.run('open', {}, async (internet) => {
      const [alice, bob] = await pair(internet, 'auto', 'direct-only')
      const relayed = alice.dialPeer(bob, 'relay-only')
      internet.advance(duration(DIAL_PATIENCE))
      expect([relayed.link, relayed.attempts?.[0]?.state]).toEqual([undefined, 'failed'])
      const link = await alice.connect(bob)
      internet.until(() => link.path.kind === 'direct')
      expect(talks(internet, alice, link, bob)).toBe(true)
    })
  })

  test('a connection that may only be direct ends in time when it cannot be', async () => {
    await Internet.run('impossible', {}, async (internet) => {
      await internet.relay()
      const [alice, bob] = [await internet.simPeer({ behind: nat.T4() }), await internet.simPeer({ behind: nat.T4() })]
      const dialled = alice.dialPeer(bob, 'direct-only')
      internet.advance(duration(DIAL_PATIENCE))
      expect(dialled.attempts?.map(({ via, state }) => [via, state])).toEqual([['punch', 'failed']])
    })
  })

  test.each([
    ['direct-only', 'relay-only'],
    ['relay-only', 'direct-only'],
    ['punch', 'relay-only'],
    ['auto', 'relay-only'],
  ] as const)('a dial (%s) ends in time though another one (%s) takes its paths away', async (first, second) => {
    // By chance alone, and at the first probe.
    for (const [here, there] of [
      [nat.T4, nat.T3],
      [nat.T2, nat.T2],
    ] as const)
      for (const after of [0, 30, 100, 1900])
        await Internet.run(`${first} ${second} ${after}`, {}, async (internet) => {
          await internet.relay()
          const endToEnd = nodeEndToEnd()
          const alice = await internet.simPeer({ name: 'alice', behind: here(), endToEnd })
          const bob = await internet.simPeer({ name: 'bob', behind: there(), endToEnd })
          internet.sim.network.filter = ({ bytes }) => !carriesData(bytes)
          const dials = [alice.dialPeer(bob, first), bob.dialPeer(alice, first)]
          internet.advance(duration(after))
          dials.push(alice.dialPeer(bob, second))
          internet.advance(duration(DIAL_PATIENCE))
          for (const { ended, attempts = [] } of dials) {
            expect(ended).toBeDefined()
            for (const { why } of attempts) expect(why).toMatch(/\w/)
          }
        })
  })

  test('a dial for relays alone ends the direct path of the connection that was there', async () => {
    await Internet.run('from now on', {}, async (internet) => {
      const [alice, bob] = await pair(internet, 'auto', 'auto')
      const link = await alice.connect(bob)
      internet.until(() => link.path.kind === 'direct')
      const again = await alice.connect(bob, 'relay-only')
      internet.advance(duration(300_000))
      expect(again.id).toBe(link.id)
      expect(link.path.kind).toBe('relay')
      expect(talks(internet, alice, link, bob)).toBe(true)
    })
  })
})

test('a host with the address that the peer has on its own network is never taken for the peer', async () => {
  await Internet.run('impostor', {}, async (internet) => {
    await internet.relay()
    // One carrier: both ends have one public address, so that host candidates are tried. Both homes
    // use the same numbers.
    const carrier = internet.router({ nat: nat.T2() })
    const [here, there] = [
      internet.router({ nat: nat.T2(), behind: carrier }),
      internet.router({ nat: nat.T2(), behind: carrier }),
    ]
    const impostor = await internet.simPeer({ name: 'impostor', behind: here, port: 4000 })
    const alice = await internet.simPeer({ name: 'alice', behind: here, port: 5000 })
    const bob = await internet.simPeer({ name: 'bob', behind: there, port: 4000 })
    expect(impostor.endpoint).toEqual(bob.endpoint)
    const link = await alice.connect(bob)
    internet.advance(duration(60_000))
    expect(talks(internet, alice, link, bob)).toBe(true)
    expect(talks(internet, bob, other(bob), alice)).toBe(true)
    expect([impostor.links.size, impostor.arrived.length]).toEqual([0, 0])
    const probed = internet.sim.timeline.entries.some(
      (entry) => entry.type === 'packet' && entry.from === 'alice' && entry.to === 'impostor',
    )
    expect(probed).toBe(true)
  })
})

test('the same seed gives the same run, byte for byte; another one another', async () => {
  const run = async (seed: string): Promise<string> => {
    const internet = await Internet.run(seed, { jitter: duration(20), loss: 0.1, duplicate: 0.05 }, async (it) => {
      const relay = await it.relay()
      const peers = []
      for (const behind of [nat.T1(), nat.T2(), nat.T3(), nat.T4()]) peers.push(await it.simPeer({ behind }))
      const [alice, bob, carol, dave] = peers as [SimPeer, SimPeer, SimPeer, SimPeer]
      const links = [await alice.connect(bob), await carol.connect(dave)]
      await relay.restart()
      it.advance(duration(120_000))
      for (const [index, link] of links.entries()) peers[index * 2]?.send(link.id, Uint8Array.of(index))
      it.advance(duration(60_000))
    })
    const bytes = Buffer.from(internet.pcap()).toString('base64')
    return `${internet.timeline()}\n${bytes}`
  }
  const [once, again, another] = [await run('seed one'), await run('seed one'), await run('seed two')]
  expect(again).toBe(once)
  expect(another).not.toBe(once)
})
