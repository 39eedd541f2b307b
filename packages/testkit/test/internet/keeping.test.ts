import { duration, later } from '@showchain/client/core'
import type { Scheduled } from '@showchain/client/runtime'
import { describe, expect, test } from 'vitest'
import {
  Internet,
  type NatBehaviour,
  nat,
  type Router,
  type SimConnection,
  type SimPeer,
  type SimRelay,
} from '../../src/index.ts'

const CALM = 30_000

interface Pair {
  readonly internet: Internet
  readonly relays: readonly SimRelay[]
  readonly alice: SimPeer
  readonly bob: SimPeer
  readonly routers: readonly [Router, Router]
  readonly ours: SimConnection
  readonly theirs: SimConnection
}

interface Setting {
  readonly relays?: number
  readonly behind?: readonly [NatBehaviour, NatBehaviour]
  readonly idle?: boolean
}

/** Two peers behind routers of their own, connected for a while. */
async function connected(
  name: string,
  { relays = 1, behind = [nat.T3(), nat.T3()], idle = false }: Setting,
  scenario: (pair: Pair, talk: Talk) => void | Promise<void>,
): Promise<void> {
  await Internet.run(name, {}, async (internet) => {
    const all: SimRelay[] = []
    for (let index = 0; index < relays; index++) all.push(await internet.relay())
    const routers: [Router, Router] = [internet.router({ nat: behind[0] }), internet.router({ nat: behind[1] })]
    const alice = await internet.simPeer({ name: 'alice', behind: routers[0] })
    const bob = await internet.simPeer({ name: 'bob', behind: routers[1] })
    const ours = await alice.connect(bob)
    internet.advance(duration(CALM))
    const theirs = bob.open[0] as SimConnection
    const talk = new Talk(internet, [alice, ours], [bob, theirs])
    if (!idle) talk.start()
    internet.advance(duration(CALM))
    await scenario({ internet, relays: all, alice, bob, routers, ours, theirs }, talk)
  })
}

/** A message each second, both ways. */
class Talk {
  readonly #internet: Internet
  readonly #ends: readonly (readonly [SimPeer, SimConnection])[]
  failed = 0
  #next: Scheduled | undefined

  constructor(internet: Internet, ...ends: readonly (readonly [SimPeer, SimConnection])[]) {
    this.#internet = internet
    this.#ends = ends
  }

  start(): void {
    this.stop()
    this.#say()
  }

  stop(): void {
    this.#next?.cancel()
  }

  #say(): void {
    for (const [peer, link] of this.#ends) if (link.closed === undefined) peer.send(link.id, Uint8Array.of(7))
    const { clock } = this.#internet.sim
    this.#next = clock.schedule(later(clock.now(), duration(1000)), () => this.#say())
  }

  /** The longest time without a message at either end since then, in seconds. */
  silence(since: number): number {
    const now = this.#internet.sim.clock.now()
    return (
      Math.max(
        ...this.#ends.map(([peer]) => {
          const times = [since, ...peer.arrived.map(({ at }) => at).filter((at) => at >= since), now]
          return Math.max(...times.map((at, index) => at - (times[index - 1] ?? since)))
        }),
      ) / 1000
    )
  }
}

/** Everything between the two ends by itself, as a firewall that someone turns on does. */
function blockDirect({ internet, routers }: Pair): void {
  const own = (ip: string): boolean => routers.some(({ ips }) => ips.includes(ip))
  internet.sim.network.filter = ({ source, destination }) => !(own(source.ip) && own(destination.ip))
}

const PAIRS = [
  ['T3', 'T3', 'direct'],
  ['T2', 'T4', 'direct'],
  ['T4', 'T4', 'relay'],
] as const

interface Fault {
  readonly name: string
  readonly relays?: number
  /** Where it is not the path from before. */
  readonly path?: 'relay'
  play(pair: Pair): void | Promise<void>
}

const FAULTS: readonly Fault[] = [
  { name: 'nothing', play: () => {} },
  { name: 'one router reboots', play: ({ routers }) => routers[0].reboot() },
  {
    name: 'both routers reboot',
    play: ({ routers }) => {
      for (const router of routers) router.reboot()
    },
  },
  { name: 'the provider gives another address', play: ({ routers }) => routers[0].renumber('81.3.0.9') },
  { name: 'the relay restarts', play: ({ relays }) => relays[0]?.restart() },
  { name: 'the relay dies, and a second one is left', relays: 2, play: ({ relays }) => relays[0]?.kill() },
  { name: 'the direct path is blocked', path: 'relay', play: blockDirect },
  {
    name: 'the laptop sleeps for half a minute',
    play: ({ alice, internet }) => {
      alice.sleep(duration(30_000))
      internet.advance(duration(30_000))
    },
  },
  {
    name: 'the laptop goes to another network',
    play: ({ alice, internet }) => internet.move(alice.host, internet.router({ nat: nat.T3() })),
  },
]

/**
 * With its third transmission (1.5 s) a message puts its path in doubt; what is asked within 5 s of
 * an answer does not count (KEEP_ALIVE_ECHO_GAP); three unanswered questions and the wait after
 * them take 15 s; then a session at another relay.
 */
const BUSY_SILENCE = 25
/**
 * Nobody notices while nobody speaks: three keep-alives and the wait after them (60 s), and time to
 * meet again.
 */
const IDLE_PAUSE = 90_000
/** The first message after that arrives at once, or with its first retransmission. */
const IDLE_SILENCE = 2
const AFTER = 180_000

describe.each([
  ['talks', false],
  ['is idle', true],
] as const)('a connection that %s', (_how, idle) => {
  describe.each(PAIRS)('between %s and %s', (a, b, path) => {
    test.each(FAULTS)('goes on when $name', async (fault) => {
      const name = `${fault.name} ${a} ${b} ${idle}`
      await connected(name, { relays: fault.relays ?? 1, behind: [nat[a](), nat[b]()], idle }, async (pair, talk) => {
        const { internet, alice, bob, ours, theirs } = pair
        expect([ours.path.kind, theirs.path.kind]).toEqual([path, path])
        const { clock } = internet.sim
        const before = clock.now()
        await fault.play(pair)
        if (idle) internet.advance(duration(IDLE_PAUSE))
        const from = idle ? clock.now() : before
        talk.start()
        internet.advance(duration(AFTER))
        talk.stop()
        const sleep = fault.name.includes('sleeps') && !idle ? 30 : 0
        expect(talk.silence(from)).toBeLessThanOrEqual((idle ? IDLE_SILENCE : BUSY_SILENCE) + sleep)
        for (const [peer, link] of [
          [alice, ours],
          [bob, theirs],
        ] as const) {
          expect(peer.open).toEqual([link])
          // A laptop that is behind a NAT of type T3 now meets T4 by birthday, which may take
          // longer than this test.
          if (!fault.name.includes('another network')) expect(link.path.kind).toBe(fault.path ?? path)
        }
      })
    })
  })
})

test('a laptop that slept for an hour goes on; the other end says why its connection ended, and has a new one', async () => {
  await connected('an hour', {}, ({ internet, alice, bob, ours, theirs }, talk) => {
    alice.sleep(duration(3_600_000))
    internet.advance(duration(3_600_000))
    expect(theirs.closed).toMatch(/does not acknowledge|dead/)
    internet.advance(duration(30_000))
    const at = internet.sim.clock.now()
    internet.advance(duration(60_000))
    talk.stop()
    expect(alice.open).toEqual([ours])
    expect(bob.open).toHaveLength(1)
    expect(bob.arrived.filter((message) => message.at >= at).length).toBeGreaterThan(50)
  })
})

test('mappings that end sooner than keep-alives come: the connection lives, and talks', async () => {
  const behind: [NatBehaviour, NatBehaviour] = [
    nat.T3({ lifetime: duration(10_000) }),
    nat.T3({ lifetime: duration(10_000) }),
  ]
  await connected('short mappings', { behind, idle: true }, ({ internet, alice, bob, ours, theirs }, talk) => {
    talk.start()
    internet.advance(duration(120_000))
    talk.stop()
    expect([ours.closed, theirs.closed]).toEqual([undefined, undefined])
    for (const peer of [alice, bob]) expect(peer.arrived.length).toBeGreaterThan(100)
  })
})

test('a path with relays alone never shows an address to the other end', async () => {
  await Internet.run('relay only', {}, async (internet) => {
    await internet.relay()
    const alice = await internet.simPeer({ name: 'alice', behind: nat.T1() })
    const bob = await internet.simPeer({ name: 'bob', behind: nat.T1() })
    const ours = await alice.connect(bob, 'relay-only')
    internet.advance(duration(600_000))
    expect(ours.paths.map(({ kind }) => kind)).toEqual(['relay'])
    const routers = internet.sim.timeline.entries.flatMap((entry) => (entry.type === 'router' ? [entry.packet] : []))
    const relays = internet.relays.flatMap(({ ips }) => ips)
    for (const { source, destination } of routers)
      expect([source.ip, destination.ip].filter((ip) => relays.includes(ip))).toHaveLength(1)
  })
})

test('an idle direct pair costs 2 packets of each end in 15 s on its path, and 1 to the relay and back', async () => {
  await connected('idle', { idle: true }, ({ internet, ours, theirs }) => {
    expect([ours.path.kind, theirs.path.kind]).toEqual(['direct', 'direct'])
    const hosts = ['alice', 'bob', 'relay1']
    const sent = (): number =>
      internet.sim.timeline.entries.filter((entry) => entry.type === 'packet' && hosts.includes(entry.from)).length
    const before = sent()
    internet.advance(duration(600_000))
    const packets = sent() - before
    console.info(`An idle direct pair sends ${packets} packets in ten minutes.`)
    // 40 intervals: a keep-alive and its answer to the relay from each end (4), one and its answer
    // between the two (2, or 4 when they cross).
    expect(packets).toBeLessThanOrEqual(40 * 8)
    expect(packets).toBeGreaterThanOrEqual(40 * 6)
  })
})
