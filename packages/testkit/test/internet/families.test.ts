/** Peers of IPv4, of IPv6 and of both, with a relay of both: who meets whom, over what, and at what cost. */
import { duration } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import { isStun, type PeerId } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, nat, PAIRINGS, play, type SimPeer, type SimRelay } from '../../src/index.ts'

const RELAY = ['5.9.0.1', '2a01:4f9::1'] as const
const FAMILIES = PAIRINGS.filter(({ ipv6 }) => ipv6 === true)
const isSix = (ip: string): boolean => ip.includes(':')

/** What the relay knows of a peer's place at last. */
const boundAt = (relay: SimRelay, id: PeerId): string | undefined =>
  relay.bound.findLast((event) => event.id === id)?.at.ip

const both = (internet: Internet, name: string, ipv4: keyof typeof nat = 'T3'): Promise<SimPeer> =>
  internet.simPeer({ name, behind: internet.router({ nat: nat[ipv4](), ipv6: true }), endToEnd: nodeEndToEnd() })

describe('a pair', () => {
  test.each(FAMILIES.map((pairing) => [pairing.requester, pairing.target, pairing] as const))(
    '%s → %s connects, over IPv6 where both ends have it',
    async (requester, target, pairing) => {
      const { connected, path, family } = await play(pairing, 'families')
      const six = ![requester, target].includes('IPv4 alone')
      expect([connected, path]).toEqual([true, pairing.best])
      // The requester's own way to the relay where that carries the data.
      expect(family).toBe(pairing.best === 'relay' ? (requester === 'IPv4 alone' ? 4 : 6) : six ? 6 : 4)
    },
  )
})

test('what the other family is becomes known though all first questions were lost, and makes a connection direct at once', () =>
  Internet.run('lost questions', { latency: duration(10) }, async (internet) => {
    await internet.relay({ ips: RELAY, stun: 'plain' })
    const router = internet.router({ nat: nat.T3(), ipv6: true })
    router.inside.filter = ({ destination, bytes }) => !isStun(bytes) || destination.ip !== RELAY[0]
    const bob = await internet.simPeer({ name: 'bob', behind: router, endToEnd: nodeEndToEnd() })
    const alice = await internet.simPeer({ name: 'alice', behind: nat.T3(), endToEnd: nodeEndToEnd() })
    const connection = await alice.connect(bob)
    internet.advance(duration(9300))
    router.inside.filter = undefined
    expect(connection.path.kind).toBe('relay')
    // The next round is 10 s later; then 0x111 to 0x115, a probe, its answer and that to the question in it.
    internet.advance(duration(10_000 + 200))
    expect([connection.path.kind, bob.open[0]?.path.kind]).toEqual(['direct', 'direct'])
  }))

describe('two ends of both families, their IPv4 behind T3 and T4, between which IPv6 does not lead', () => {
  /** After birthday probing has met, or ended. */
  const AFTER = duration(40_000)
  /** What goes to an address that was announced, and its answers: of one attempt, and of one that tries again. */
  const PROBES = 2 * 8

  /** One relay has IPv4 alone, the other one both: both ends are registered at each. */
  async function meet(by: 'IPv4' | 'both' | 'IPv6', types: readonly ['T3' | 'T4', 'T3' | 'T4']): Promise<SimPeer> {
    let met: SimPeer | undefined
    await Internet.run(`birthday ${by} ${types.join()}`, { latency: duration(10) }, async (internet) => {
      const four = await internet.relay()
      const two = await internet.relay({ ips: RELAY })
      const [alice, bob] = [await both(internet, 'alice', types[0]), await both(internet, 'bob', types[1])]
      const ends = [...alice.host.ips, ...bob.host.ips].filter(isSix)
      const lost = new Map<string, number>()
      internet.sim.network.filter = ({ source, destination }) => {
        const passes = !(ends.includes(source.ip) && ends.includes(destination.ip))
        if (!passes) lost.set(source.ip, (lost.get(source.ip) ?? 0) + 1)
        return passes
      }
      const relays = by === 'IPv4' ? [four] : by === 'IPv6' ? [two] : [four, two]
      const dialled = alice.dial(bob.id, 'auto', { relays })
      internet.until(() => dialled.ended !== undefined)
      internet.advance(AFTER)
      expect(Math.max(...lost.values())).toBeLessThanOrEqual(PROBES)
      met = alice
      expect(alice.open[0]?.path.kind).toBe(bob.open[0]?.path.kind)
    })
    return met as SimPeer
  }

  const ENDS = [
    ['T3', 'T4'],
    ['T4', 'T3'],
  ] as const
  test.each(ENDS)('meet by birthday over IPv4, beside the address in `also`: %s → %s', async (...types) => {
    for (const by of ['IPv4', 'both'] as const) {
      const path = (await meet(by, types)).links.values().next().value?.path
      expect([path?.kind, isSix(path?.remote.ip ?? '')], by).toEqual(['direct', false])
    }
  })

  test.each(ENDS)(
    'stay on a relay that sees both over IPv6: the address in `also` may be that of a victim: %s → %s',
    async (...types) => {
      expect((await meet('IPv6', types)).links.values().next().value?.path.kind).toBe('relay')
    },
  )
})

test('what relays of two families see of a peer says nothing of its NAT', () =>
  Internet.run('two families', { latency: duration(10) }, async (internet) => {
    await internet.relay({ stun: 'plain' })
    await internet.relay({ ips: RELAY, stun: 'plain' })
    const alice = await both(internet, 'alice')
    // Discovery is repeated with the second relay.
    internet.advance(duration(20_000))
    expect([alice.nat?.mapping, isSix(alice.nat?.mapped?.ip ?? '')]).toEqual([0, false])
  }))

test('a peer has one binding: what it says of its other family moves nothing', () =>
  Internet.run('one binding', {}, async (internet) => {
    const relay = await internet.relay({ ips: RELAY, stun: 'plain' })
    const alice = await both(internet, 'alice')
    internet.advance(duration(600_000))
    expect(relay.bound.map(({ at }) => isSix(at.ip))).toEqual([true])
    expect(boundAt(relay, alice.id)).toBe(alice.host.ips.find(isSix))
  }))

describe('in ten minutes without anything to do, a peer', () => {
  /** Packets that come in and go out of its host. */
  async function idle(
    name: string,
    place: (internet: Internet) => Promise<SimPeer>,
  ): Promise<readonly [number, number]> {
    let [all, stun] = [0, 0]
    await Internet.run(name, {}, async (internet) => {
      await internet.relay({ ips: RELAY, stun: 'plain' })
      const peer = await place(internet)
      internet.advance(duration(60_000))
      internet.sim.network.filter = ({ bytes }) => {
        all++
        if (isStun(bytes)) stun++
        return true
      }
      internet.advance(duration(600_000))
      internet.sim.network.filter = undefined
      await peer.close()
    })
    return [all, stun]
  }

  test.each([
    ['of IPv4 alone', 80, 0, (internet: Internet) => internet.simPeer({ behind: nat.T3() })],
    ['of both families, its IPv4 behind a NAT', 128, 48, (internet: Internet) => both(internet, 'alice')],
    [
      'of both families without a NAT',
      80,
      0,
      (internet: Internet) => internet.simPeer({ ips: ['81.2.9.9', '2a01:4f8::9'] }),
    ],
  ] as const)('%s has %d packets, of which %d keep the other family', async (name, packets, stun, place) => {
    expect(await idle(name, place)).toEqual([packets, stun])
  })
})
