/** A peer of both IP families at a relay of both: which it takes, and what happens when one is gone. */
import { type Connection, Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { decode, ipFamily, isStun, OP, parseTicket, type Ticket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat, type Router, type SimRelay } from '../../src/index.ts'
import { take } from './bed.ts'

const SECOND = 1000
/** Whether the host says so, or nothing comes through that is sent. */
const SILENCE = 2 * SECOND
const RELAY = ['5.9.0.1', '2a01:4f9::1'] as const

/** What the relay prints: an address of each family, IPv4 first. */
const ticketOf = ({ identity, endpoint: { port } }: SimRelay): Ticket => ({
  id: identity.id,
  relays: [],
  addresses: RELAY.map((host) => ({ host, port })),
})

const families = (relay: SimRelay, { id }: Peer): readonly (4 | 6)[] =>
  relay.bound.filter((event) => event.id === id).map(({ at }) => ipFamily(at.ip) as 4 | 6)

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  /** Opens a peer behind a T3 router with an IPv6 firewall, and closes it in the end. */
  open(name: string, which?: 'both' | 4 | 6, ticket?: Ticket | 'none'): Promise<[Peer, Host, Router]>
}

const scene = (seed: string, play: (scene: Scene) => Promise<void>, latency = 10): Promise<void> =>
  Internet.run(seed, { latency: duration(latency) }, async (internet) => {
    const relay = await internet.relay({ ips: RELAY, stun: 'plain' })
    const peers: Peer[] = []
    await play({
      ...{ internet, relay },
      open: async (name, which = 'both', ticket = ticketOf(relay)) => {
        const router = internet.router({ nat: nat.T3(), ipv6: true })
        const host = internet.host(name, { behind: router })
        if (which !== 'both') host.moveTo(...host.ips.filter((ip) => ipFamily(ip) === which))
        const relays = ticket === 'none' ? [] : [ticket]
        const runtime = internet.runtime(host)
        const peer = await Peer.open({ identity: internet.sim.identity(name), runtime, relays })
        peers.push(peer)
        if (ticket !== 'none') await peer.registered()
        return [peer, host, router]
      },
    })
    for (const peer of peers) await peer.close()
  }).then(() => {})

describe('a relay whose ticket has an address of each family', () => {
  test.each([
    ['both', [6]],
    [4, [4]],
    [6, [6]],
  ] as const)('registers a host of %s at once, over IPv6 where it can', (which, over) =>
    scene(`host of ${which}`, async ({ internet, relay, open }) => {
      const [peer] = await open('alice', which)
      expect(internet.sim.clock.now()).toBeLessThan(100)
      await internet.wait(duration(SECOND))
      expect(families(relay, peer)).toEqual(over)
    }),
  )

  test('is tried over IPv4 250 ms later where nothing answers over IPv6', () =>
    scene('eyeballs', async ({ internet, relay, open }) => {
      internet.sim.network.filter = ({ destination }) => destination.ip !== RELAY[1]
      const [peer] = await open('alice')
      expect(internet.sim.clock.now()).toBeGreaterThanOrEqual(250)
      expect(internet.sim.clock.now()).toBeLessThan(350)
      expect(families(relay, peer)).toEqual([4])
    }))

  test('is in the ticket of its peers with both, so that a host of either family finds it', () =>
    scene('ticket', async ({ relay, open }) => {
      const [bob] = await open('bob', 6)
      const { id, endpoint } = { id: relay.identity.id, endpoint: relay.endpoint }
      expect(parseTicket(bob.ticket).relays).toEqual(
        RELAY.map((host) => ({ id, address: { host, port: endpoint.port } })),
      )
      const [alice] = await open('alice', 4, 'none')
      expect((await alice.connect(bob.ticket)).path.kind).toBe('relay')
    }))

  test('has one binding where it is so far that both addresses are asked before one answers', () =>
    scene(
      'very far',
      async ({ internet, relay, open }) => {
        const [peer] = await open('alice')
        await internet.wait(duration(5 * SECOND))
        expect(families(relay, peer)).toEqual([6])
      },
      400,
    ))

  test.each([100, 140])('is asked for one introduction, at one of its addresses, %d ms away', (latency) =>
    scene(
      `far ${latency}`,
      async ({ internet, relay, open }) => {
        const [bob] = await open('bob')
        const [alice] = await open('alice', 'both', 'none')
        const asked = new Set<number>()
        internet.sim.network.filter = ({ destination: { ip }, bytes }) => {
          const decoded = isStun(bytes) ? undefined : decode(bytes)
          if (RELAY.includes(ip as never) && decoded?.ok === true && decoded.message.op_code === OP.punchRequest)
            asked.add(decoded.message.seq)
          return true
        }
        await alice.connect(bob.ticket)
        await internet.wait(duration(5 * SECOND))
        expect(families(relay, alice)).toEqual([6])
        expect(asked.size).toBe(1)
      },
      latency,
    ),
  )
})

/** Both ends write a byte each 20 ms: the longest time without one at either of them. */
async function talk(internet: Internet, ends: readonly [Connection, Connection]): Promise<() => Promise<number>> {
  const { clock } = internet.sim
  let [silence, talks] = [0, true]
  const one = async (from: Connection, to: Connection): Promise<void> => {
    const stream = await from.openStream()
    await stream.write(Uint8Array.of(0))
    const incoming = await take(to.streams)
    const writing = (async () => {
      while (talks) {
        await stream.write(Uint8Array.of(0))
        await internet.wait(duration(20))
      }
      await stream.end()
    })()
    let last = clock.now()
    for (let bytes = await incoming.read(); bytes !== undefined; bytes = await incoming.read()) {
      silence = Math.max(silence, clock.now() - last)
      last = clock.now()
    }
    await writing
  }
  const [here, there] = ends
  const over = Promise.all([one(here, there), one(there, here)])
  return async () => {
    talks = false
    await over
    return silence
  }
}

describe('an end that loses a family while it is connected', () => {
  const LOSSES: readonly (readonly [string, 4 | 6, 'both' | 4 | 6])[] = [
    ['IPv6, over which it is direct', 6, 'both'],
    ['IPv6, over which its relay carries the data', 6, 4],
    ['IPv4, over which it is direct', 4, 4],
  ]
  const HOW = ['its addresses', 'what goes out'] as const
  const TICKETS = ['a relay', 'no relay but that of the ticket'] as const
  const CASES = LOSSES.flatMap((loss) => HOW.flatMap((how) => TICKETS.map((ticket) => [...loss, how, ticket] as const)))
  test.each(CASES)(
    '(%s; IPv%d, the other end has %s: %s; it has %s) goes on within 2 s',
    async (what, family, others, how, ticket) => {
      let silence = Number.POSITIVE_INFINITY
      await scene(`loses ${what} ${how} ${ticket}`, async ({ internet, open }) => {
        const [bob] = await open('bob', others)
        const [alice, host, router] = await open('alice', 'both', ticket === 'a relay' ? undefined : 'none')
        const relayed = what.includes('relay')
        const ours = await alice.connect(bob.ticket, relayed ? { via: 'relay-only' } : {})
        const theirs = await take(bob.incoming)
        await internet.wait(duration(2 * SECOND))
        expect([ours.path.kind, ipFamily(ours.path.remote.ip)]).toEqual([relayed ? 'relay' : 'direct', family])
        const end = await talk(internet, [ours, theirs])
        await internet.wait(duration(SECOND))
        if (how === 'its addresses') host.moveTo(...host.ips.filter((ip) => ipFamily(ip) !== family))
        else router.inside.filter = ({ destination }) => ipFamily(destination.ip) !== family
        await internet.wait(duration(10 * SECOND))
        router.inside.filter = undefined
        silence = await end()
      })
      expect(silence).toBeLessThanOrEqual(SILENCE)
    },
  )
})
