/** A fleet behind one name: nodes and their bus fail, and peers go on at others. */
import { type Connection, Peer } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import { formatTicket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type FleetOfRelays, Internet, nat, type SimRelay } from '../../src/index.ts'
import { take } from '../face/bed.ts'

const SECOND = 1000
/** Nobody notices more of it. */
const SILENCE = 3 * SECOND
/** One way: each turn of a busy host takes as long, and so does what it is asked. */
const SLOW = 400
/** Between two writes. */
const PAUSE = duration(20)

interface Scene {
  readonly internet: Internet
  readonly fleet: FleetOfRelays
  readonly target: Peer
  readonly requester: Peer
  /** At the requester, whose node made their session, and at the target. */
  readonly ours: Connection
  readonly theirs: Connection
}

type Nat = typeof nat.T4

/** What the pair is like: without a NAT and policy it would be direct. */
interface Ways {
  readonly behind?: readonly [Nat | undefined, Nat | undefined] | undefined
  readonly via?: 'relay-only' | undefined
  /** One way, ms. @default 10 */
  readonly latency?: number | undefined
}

/**
 * A target at the first node and a requester at the second one, with a connection that is relayed.
 * @param stranger whether the requester knows the fleet by the target's ticket alone
 */
async function scene(
  seed: string,
  play: (scene: Scene) => Promise<void>,
  stranger = false,
  [targets, requesters] = [0, 1],
  { behind = [nat.T4, nat.T4], via, latency = 10 }: Ways = {},
): Promise<void> {
  await Internet.run(seed, { latency: duration(latency) }, async (internet) => {
    const fleet = internet.fleet(3)
    const open = async (name: string, node: number, kind: Nat | undefined, knows = true): Promise<Peer> => {
      const addresses = fleet.relays.map(({ endpoint }) => endpoint)
      const found = [...addresses.slice(node), ...addresses.slice(0, node)]
      const host = internet.host(name, kind && { behind: internet.router({ nat: kind() }) })
      const address = { host: 'relay.example.org', port: 3478 }
      const peer = await Peer.open({
        identity: internet.sim.identity(name),
        runtime: { ...internet.runtime(host), resolve: async () => found },
        relays: knows ? [formatTicket({ id: fleet.bus.identity.id, relays: [], addresses: [address] })] : [],
      })
      if (knows) await peer.registered()
      return peer
    }
    await internet.wait(duration(SECOND))
    const target = await open('target', targets, behind[0])
    const requester = await open('requester', requesters, behind[1], !stranger)
    expect(bindings(fleet)).toEqual(boundAt(stranger ? [targets] : [targets, requesters]))
    const ours = await requester.connect(target.ticket, via && { via })
    const theirs = await take(target.incoming)
    expect(bindings(fleet)).toEqual(boundAt([targets, requesters]))
    await play({ internet, fleet, target, requester, ours, theirs })
    for (const peer of [target, requester]) await peer.close()
  })
}

/** How many peers each node has; none: it is down. */
const bindings = ({ relays }: FleetOfRelays): readonly number[] =>
  relays.map((relay) => (relay.isUp ? relay.machine.stats().bindings : 0))

/** The same, of peers at these nodes. */
const boundAt = (nodes: readonly number[]): readonly number[] =>
  [0, 1, 2].map((node) => nodes.filter((at) => at === node).length)

/** One end writes a byte each 20 ms: how long the other one waited for one at most, and how many are lost. */
async function talk(
  internet: Internet,
  from: Connection,
  to: Connection,
): Promise<() => Promise<readonly [number, number]>> {
  const { clock } = internet.sim
  const stream = await from.openStream()
  await stream.write(Uint8Array.of(0))
  const incoming = await take(to.streams)
  let [sent, got, silence, last, talks] = [1, 0, 0, clock.now() as number, true]
  const writing = (async () => {
    for (; talks; sent++) {
      await stream.write(Uint8Array.of(sent & 0xff))
      await internet.wait(PAUSE)
    }
    await stream.end()
  })()
  const reading = (async () => {
    for (let bytes = await incoming.read(); bytes !== undefined; bytes = await incoming.read()) {
      for (const byte of bytes) if (byte !== (got++ & 0xff)) throw new Error('A byte is another one.')
      silence = Math.max(silence, clock.now() - last)
      last = clock.now()
    }
  })()
  return async () => {
    talks = false
    await Promise.all([writing, reading])
    return [silence, sent - got]
  }
}

async function both({ internet, ours, theirs }: Scene): Promise<() => Promise<{ silence: number; lost: number }>> {
  const ends = [await talk(internet, ours, theirs), await talk(internet, theirs, ours)]
  return async () => {
    const heard = await Promise.all(ends.map((end) => end()))
    return {
      silence: Math.max(...heard.map(([silence]) => silence)),
      lost: heard.reduce((sum, [, lost]) => sum + lost, 0),
    }
  }
}

describe('a relayed connection between two nodes', () => {
  test.each([
    ['the target', 0],
    ['the requester, which made the session', 1],
  ])('goes on within 3 s when the node of %s dies, and nothing is lost', { tags: ['long'] }, async (_who, node) => {
    await scene(`node ${node} dies`, async (at) => {
      const { internet, fleet, ours } = at
      const end = await both(at)
      await internet.wait(duration(2 * SECOND))
      await fleet.relays[node]?.kill()
      await internet.wait(duration(8 * SECOND))
      const { silence, lost } = await end()
      expect(lost).toBe(0)
      expect(silence).toBeLessThanOrEqual(SILENCE)
      expect(ours.path.kind).toBe('relay')
      expect(bindings(fleet)).toEqual(node === 0 ? [0, 2, 0] : [1, 0, 1])
    })
  })

  test('goes on when the node of a requester dies that has the fleet from a ticket', { tags: ['long'] }, async () => {
    const play = async (at: Scene): Promise<void> => {
      const end = await both(at)
      await at.internet.wait(duration(2 * SECOND))
      await at.fleet.relays[1]?.kill()
      await at.internet.wait(duration(8 * SECOND))
      const { silence, lost } = await end()
      expect(lost).toBe(0)
      expect(silence).toBeLessThanOrEqual(SILENCE)
      expect(bindings(at.fleet)).toEqual([1, 0, 1])
    }
    await scene('ticket alone', play, true)
  })

  test('moves off a node that drains without a gap, and the node ends', { tags: ['long'] }, async () => {
    await scene('drains', async (at) => {
      const { internet, fleet } = at
      const [first] = fleet.relays
      const end = await both(at)
      await internet.wait(duration(2 * SECOND))
      first?.drain()
      await internet.wait(duration(10 * SECOND))
      const { silence, lost } = await end()
      expect(lost).toBe(0)
      expect(silence).toBeLessThanOrEqual(200)
      expect(bindings(fleet)).toEqual([0, 2, 0])
      expect(first?.events.some(({ type }) => type === 'drained')).toBe(true)
    })
  })

  test('moves off the node of a requester that drains, which has the fleet from a ticket', {
    tags: ['long'],
  }, async () => {
    const play = async (at: Scene): Promise<void> => {
      const end = await both(at)
      await at.internet.wait(duration(2 * SECOND))
      at.fleet.relays[1]?.drain()
      await at.internet.wait(duration(10 * SECOND))
      const { silence, lost } = await end()
      expect(lost).toBe(0)
      expect(silence).toBeLessThanOrEqual(200)
      expect(at.fleet.relays[1]?.events.some(({ type }) => type === 'drained')).toBe(true)
      expect(at.fleet.relays[2]?.machine.stats().bindings).toBe(1)
    }
    await scene('ticket alone, drains', play, true)
  })

  test('moves to the node of the target, when that of the requester drains, without a gap', async () => {
    const play = async (at: Scene): Promise<void> => {
      const end = await both(at)
      await at.internet.wait(duration(2 * SECOND))
      at.fleet.relays[0]?.drain()
      await at.internet.wait(duration(10 * SECOND))
      const { silence, lost } = await end()
      expect(lost).toBe(0)
      expect(bindings(at.fleet)).toEqual([0, 2, 0])
      expect(silence).toBeLessThanOrEqual(200)
      expect(at.fleet.relays[0]?.events.some(({ type }) => type === 'drained')).toBe(true)
    }
    await scene('to the node of the target', play, false, [1, 0])
  })

  test.each([
    ['at two nodes', 1],
    ['at one node', 0],
  ])(
    'moves off a node that drains without a gap when everything takes long, with its ends %s',
    async (_where, node) => {
      const play = async (at: Scene): Promise<void> => {
        const { internet, fleet } = at
        const end = await both(at)
        await internet.wait(duration(4 * SECOND))
        fleet.relays[0]?.drain()
        await internet.wait(duration(20 * SECOND))
        const { silence, lost } = await end()
        expect(lost).toBe(0)
        expect(bindings(fleet)).toEqual([0, 2, 0])
        // The first byte is on its way for so long.
        expect(silence).toBeLessThanOrEqual(2 * SLOW + 200)
      }
      await scene('slow drain', play, false, [0, node], { latency: SLOW })
    },
  )

  test('leaves a node that drains for good, also when that is back soon', { tags: ['long'] }, async () => {
    await scene('rolling restart', async (at) => {
      const { internet, fleet } = at
      const end = await both(at)
      for (const relay of fleet.relays) {
        relay.drain()
        await internet.wait(duration(4 * SECOND))
        await relay.kill()
        await internet.wait(duration(SECOND / 2))
        await relay.restart()
        await internet.wait(duration(15 * SECOND))
        expect(relay.machine.stats().bindings).toBe(0)
      }
      const { silence, lost } = await end()
      expect(lost).toBe(0)
      expect(silence).toBeLessThanOrEqual(200)
    })
  })
})

/**
 * The bus is away for so many seconds while both ends write.
 * @param meanwhile happens when it goes away
 */
async function outage(
  seed: string,
  seconds: number,
  ways: Ways = {},
  meanwhile: (at: Scene) => Promise<void> = async () => {},
): Promise<void> {
  const play = async (at: Scene): Promise<void> => {
    const { internet, fleet, ours } = at
    const { clock } = internet.sim
    const end = await both(at)
    await internet.wait(duration(2 * SECOND))
    fleet.bus.down = true
    const back = clock.now() + seconds * SECOND
    await meanwhile(at)
    await internet.wait(duration(back - clock.now()))
    fleet.bus.heal()
    await internet.wait(duration(2 * SILENCE))
    const { silence, lost } = await end()
    expect(lost).toBe(0)
    expect(silence).toBeLessThanOrEqual(seconds * SECOND + SILENCE)
    expect(ours.path.kind).toBe('relay')
  }
  await scene(seed, play, false, [0, 1], ways)
}

describe('a relayed connection between two nodes whose bus is away goes on within 3 s when it is back', () => {
  test.each([2, 12, 20, 40, 90])('after %d s', { tags: ['long'] }, async (seconds) => {
    await outage(`bus dies for ${seconds} s`, seconds)
  })

  test.each<readonly [string, Ways]>([
    ['without NATs', { behind: [undefined, undefined], via: 'relay-only' }],
    ['with one end behind T4', { behind: [nat.T4, undefined], via: 'relay-only' }],
  ])('by a relay alone, %s', { tags: ['long'] }, async (name, ways) => {
    await outage(`bus dies, ${name}`, 20, ways)
  })

  test.each([
    [1, 'the target', 0],
    [1, 'the requester, which made the session', 1],
    [14, 'the requester, which made the session', 1],
    [18, 'the target', 0],
    [18, 'the requester, which made the session', 1],
  ])('where after %d s the node of %s died', { tags: ['long'] }, async (after, _who, node) => {
    await outage(`node ${node} dies after ${after}`, 20, {}, async ({ internet, fleet }) => {
      await internet.wait(duration(after * SECOND))
      await fleet.relays[node]?.kill()
    })
  })

  test.each([3, 20, 32])('when it was idle for the first %d s', { tags: ['long'] }, async (idle) => {
    await scene(`idle for ${idle} s`, async (at) => {
      const { internet, fleet } = at
      const { clock } = internet.sim
      await internet.wait(duration(2 * SECOND))
      fleet.bus.down = true
      const back = later(clock.now(), duration(35 * SECOND))
      clock.schedule(back, () => fleet.bus.heal())
      await internet.wait(duration(idle * SECOND))
      const end = await both(at)
      expect(clock.now() - back).toBeLessThanOrEqual(SILENCE)
      const { silence, lost } = await end()
      expect([lost, silence <= SILENCE]).toEqual([0, true])
    })
  })
})

test('a relayed connection at one node does not notice that the bus is gone', { tags: ['long'] }, async () => {
  await scene('bus dies', async (at) => {
    const { internet, fleet } = at
    await fleet.relays[0]?.kill()
    const end = await both(at)
    await internet.wait(duration(6 * SECOND))
    expect(bindings(fleet)).toEqual([0, 2, 0])
    await end()
    const again = await both(at)
    fleet.bus.down = true
    await internet.wait(duration(20 * SECOND))
    const { silence, lost } = await again()
    expect([lost, silence <= 100]).toEqual([0, true])
    expect(fleet.relays[1]?.machine.counters().fleetLost).toBeGreaterThan(0)
  })
})

test('what one introduction costs on the bus does not grow with the number of peers', { tags: ['long'] }, async () => {
  const costs: number[] = []
  for (const peers of [0, 40]) {
    await Internet.run(`cost ${peers}`, {}, async (internet) => {
      const { bus, relays } = internet.fleet(3)
      internet.advance(duration(SECOND))
      const at = (index: number) => ({ relays: [relays[index % relays.length] as SimRelay] })
      for (let count = 0; count < peers; count++) await internet.simPeer({ ...at(count) })
      const [target, requester] = [await internet.simPeer(at(0)), await internet.simPeer(at(1))]
      const before = { ...bus.carried }
      const dialled = requester.dial(target.id, 'punch', { relays: requester.relays })
      internet.until(() => dialled.ended !== undefined)
      costs.push(bus.carried.published - before.published, bus.carried.received - before.received)
    })
  }
  // One to both others, and one back.
  expect(costs).toEqual([2, 3, 2, 3])
})
