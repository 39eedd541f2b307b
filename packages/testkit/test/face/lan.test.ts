/** Peers that find each other on one network by an id alone: no relay, no ticket, no way out. */
import type { Connection, Peer } from '@showchain/client'
import { dayOf, duration, instanceOf, type LanAnswer, MDNS_GROUP } from '@showchain/client/core'
import { nodeLan } from '@showchain/client/runtime'
import { generateIdentity, openssl } from '@showchain/crypto'
import { decode, fromUtf8, OP, type PeerId } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat, type PeerPlace, type Router } from '../../src/index.ts'
import { bytesOf, codeOf, failureOf, stateOf, take } from './bed.ts'

const LOSSY_RUNS = 40

const codec = await nodeLan.codec()

interface Scene {
  readonly internet: Internet
  readonly router: Router
  readonly alice: Peer
  readonly bob: Peer
}

/** Two peers of one network that leads nowhere. */
function home(
  seed: string,
  scenario: (scene: Scene) => Promise<void>,
  { alice = {}, bob = {} }: { readonly alice?: PeerPlace; readonly bob?: PeerPlace } = {},
): Promise<unknown> {
  return Internet.run(seed, { latency: duration(10) }, async (internet) => {
    const router = internet.router({ nat: nat.T3(), blocks: 'all' })
    const common = { behind: router, lanDiscovery: true }
    const bobby = await internet.peer({ name: 'bob', ...common, ...bob })
    const ally = await internet.peer({ name: 'alice', ...common, ...alice })
    await scenario({ internet, router, alice: ally, bob: bobby })
  })
}

/** Packets so far that these hosts sent, or all. */
const packets = ({ internet }: Pick<Scene, 'internet'>, ...from: readonly string[]) =>
  internet.sim.timeline.entries.flatMap((entry) =>
    entry.type === 'packet' && (from.length === 0 || from.includes(entry.from)) ? [entry] : [],
  )

const multicasts = (scene: Pick<Scene, 'internet'>, ...from: readonly string[]) =>
  packets(scene, ...from).filter(({ packet }) => packet.destination.ip === MDNS_GROUP.ip)

const nameOf = ({ internet }: Pick<Scene, 'internet'>, id: PeerId): string =>
  instanceOf(openssl, id, dayOf(internet.sim.clock.unixMs()))

/** A host of the network that says by mDNS what it likes. */
function liar({ internet, router }: Pick<Scene, 'internet' | 'router'>) {
  const host: Host = internet.host('liar', { behind: router })
  const socket = host.multicast(MDNS_GROUP.port)
  return {
    host,
    /** It hears itself, too. */
    asked: (listener: () => void) =>
      socket.onDatagrams((batch) => {
        for (const { bytes } of batch) if ((codec.read(bytes)?.asked.length ?? 0) > 0) listener()
      }),
    heard: (listener: (bytes: Uint8Array) => void) =>
      socket.onDatagrams((batch) => {
        for (const { bytes } of batch) listener(bytes)
      }),
    ask: (instance: string) => socket.send(MDNS_GROUP, codec.query(instance)),
    answer: (answer: LanAnswer) => socket.send(MDNS_GROUP, codec.answer(answer)),
    close: () => socket.close(),
  }
}

describe('two peers of one network, without relay, ticket and a way out', () => {
  test('connect within a second by the id alone, and data flows', async () => {
    await home('by id', async (scene) => {
      const { internet, alice, bob } = scene
      const start = internet.sim.clock.now()
      const connection = await alice.connect(bob.id)
      expect(internet.sim.clock.now() - start).toBeLessThan(50)
      expect(connection.path).toMatchObject({ kind: 'direct', remote: { ip: '192.168.1.10' } })
      const theirs = await take(bob.incoming)
      const stream = await connection.openStream()
      await stream.write(bytesOf('hello'))
      expect(fromUtf8((await (await take(theirs.streams)).read()) as Uint8Array)).toBe('hello')
      // A query and an answer, each to both hosts, and nothing that names either peer.
      expect(multicasts(scene, 'alice')).toHaveLength(2)
      expect(multicasts(scene, 'bob')).toHaveLength(2)
      for (const { packet } of multicasts(scene)) {
        const text = Buffer.from(packet.bytes).toString('latin1')
        for (const { id } of [alice, bob]) expect(text).not.toContain(id.slice(0, 8))
      }
    })
  })

  test('also where the ticket names a relay that nobody reaches', async () => {
    await home('beside a ticket', async ({ alice, bob }) => {
      const id = (await generateIdentity()).id
      const relays = [{ id, address: { host: '81.2.0.99', port: 4400 } }]
      const connection = await alice.connect({ id: bob.id, relays, addresses: [] })
      expect(connection.path.kind).toBe('direct')
    })
  })

  test('find each other on a network that loses one packet in ten', async () => {
    let found = 0
    for (let seed = 0; seed < LOSSY_RUNS; seed++)
      await home(`lossy ${seed}`, async ({ router, alice, bob }) => {
        router.inside.conditions = { loss: 0.1 }
        found += await alice.connect(bob.id).then(
          () => 1,
          () => 0,
        )
      })
    // A question or its answer is lost in 0.19 of all tries, and there are three.
    expect(found).toBeGreaterThanOrEqual(0.95 * LOSSY_RUNS)
  })

  test('say nothing while nobody looks for anybody: no packet in ten minutes', async () => {
    await home('idle', async (scene) => {
      await scene.internet.wait(duration(600_000))
      expect(packets(scene)).toEqual([])
    })
  })

  test('where nobody answers: three queries, and the dial fails after four seconds', async () => {
    await home('nobody', async (scene) => {
      const { internet, alice } = scene
      const start = internet.sim.clock.now()
      const { code, message } = await failureOf(alice.connect(internet.sim.identity('nobody').id))
      expect([code, message]).toEqual([
        'ERR_CONNECT_FAILED',
        expect.stringContaining('direct by this network: no host says that it is the peer'),
      ])
      expect(internet.sim.clock.now() - start).toBe(4000)
      // Each is heard by two hosts.
      expect(packets(scene)).toHaveLength(6)
      expect(alice.inspect().lan?.counters?.queries).toBe(3)
    })
  })

  test('a host that comes to the network is found, and asks again itself: a dial that began elsewhere succeeds', async () => {
    await home('moves', async ({ internet, router, alice, bob }) => {
      const away = (name: string): Host =>
        internet.host(name, { behind: internet.router({ nat: nat.T3(), lan: '192.168.7' }) })
      const [host, other] = [away('carol'), away('dave')]
      const carol = await internet.peer({ name: 'carol', host, lanDiscovery: true })
      const dave = await internet.peer({ name: 'dave', host: other, lanDiscovery: true })
      const relays = [{ id: internet.sim.identity('relay').id, address: { host: '81.2.0.99', port: 4400 } }]
      const connecting = carol.connect({ id: bob.id, relays, addresses: [] }, { timeout: 60_000 })
      await internet.wait(duration(4000))
      for (const each of [host, other]) internet.move(each, router)
      await internet.wait(duration(2000))
      expect(await stateOf(connecting)).toBe('done')
      expect((await connecting).path).toMatchObject({ kind: 'direct', remote: { ip: '192.168.1.10' } })
      expect((await alice.connect(dave.id)).path.kind).toBe('direct')
    })
  })
})

describe('a connection that a relay carries, when one end comes to the network of the other', () => {
  interface Away extends Scene {
    readonly traveller: Host
    /** How many introductions were asked for. */
    introductions(): number
  }

  /** Both behind NATs that no punching opens, at two places; then carol comes home, where bob is. */
  const comesHome = (
    seed: string,
    arrived: (scene: Away, connection: Connection) => Promise<void>,
    { bob = {}, via }: { readonly bob?: PeerPlace; readonly via?: 'relay-only' } = {},
  ): Promise<unknown> =>
    Internet.run(seed, { latency: duration(10) }, async (internet) => {
      const relay = await internet.relay()
      const router = internet.router({ nat: nat.T4() })
      const traveller = internet.host('carol', { behind: internet.router({ nat: nat.T4(), lan: '192.168.7' }) })
      const common = { lanDiscovery: true, relays: [relay] }
      const bobby = await internet.peer({ name: 'bob', behind: router, ...common, ...bob })
      const alice = await internet.peer({ name: 'carol', host: traveller, ...common })
      await Promise.all([bobby.registered(), alice.registered()])
      const connection = await alice.connect(bobby.ticket, { via })
      expect(connection.path.kind).toBe('relay')
      // Long after the last probe, and before the next try.
      await internet.wait(duration(45_000))
      expect(connection.path.kind).toBe('relay')
      const introductions = (): number =>
        packets({ internet }).filter(({ packet }) => {
          const decoded = decode(packet.bytes)
          return decoded.ok && decoded.message.op_code === OP.punchRequest
        }).length
      await arrived({ internet, router, alice, bob: bobby, traveller, introductions }, connection)
    })

  test('is direct when that is noticed, over the network alone: no relay is asked for anything', async () => {
    await comesHome('comes home', async ({ internet, router, bob, traveller, introductions }, connection) => {
      const before = introductions()
      internet.move(traveller, router)
      const start = internet.sim.clock.now()
      const moved = new Promise<number>((resolve) => connection.on('path', () => resolve(internet.sim.clock.now())))
      expect((await internet.settle(moved)) - start).toBeLessThan(1100)
      expect([connection.path, introductions() - before]).toMatchObject([
        { kind: 'direct', remote: { ip: '192.168.1.10' } },
        0,
      ])
      const theirs = await take(bob.incoming)
      const stream = await connection.openStream()
      await stream.write(bytesOf('home'))
      expect(fromUtf8((await (await take(theirs.streams)).read()) as Uint8Array)).toBe('home')
      expect(theirs.path.kind).toBe('direct')
      await internet.wait(duration(10_000))
      expect(introductions() - before).toBe(0)
    })
  })

  test('stays with the relay where it is to hide an address', async () => {
    await comesHome(
      'hidden',
      async ({ internet, router, traveller }, connection) => {
        internet.move(traveller, router)
        await internet.wait(duration(20_000))
        expect(connection.path.kind).toBe('relay')
        const between = packets({ internet }, 'carol').filter(({ packet }) => packet.destination.ip === '192.168.1.10')
        expect(between).toEqual([])
      },
      { via: 'relay-only' },
    )
  })

  test('forged answers have it send a few packets to a few hosts of the network, and it stays with the relay', async () => {
    await comesHome(
      'forged',
      async (scene, connection) => {
        const { internet, router, bob, traveller } = scene
        const mallory = liar({ internet, router })
        const instance = nameOf(scene, bob.id)
        mallory.asked(() => {
          for (let host = 100; host < 150; host++) mallory.answer({ instance, port: 53, ips: [`192.168.1.${host}`] })
        })
        internet.move(traveller, router)
        await internet.wait(duration(1500))
        const aimed = packets({ internet }, 'carol').filter(({ packet }) =>
          /^192\.168\.1\.1\d\d$/.test(packet.destination.ip),
        )
        const hosts = new Set(aimed.map(({ packet }) => packet.destination.ip))
        expect(hosts.size).toBeGreaterThan(0)
        expect(hosts.size).toBeLessThanOrEqual(8)
        expect(aimed.length).toBeLessThanOrEqual(8 * hosts.size)
        for (const { packet } of aimed) expect(packet.bytes.length).toBeLessThanOrEqual(51)
        expect(connection.path.kind).toBe('relay')
        await mallory.close()
      },
      { bob: { lanDiscovery: false } },
    )
  })
})

describe('nobody is found who does not want to be', () => {
  test.each([
    ['LAN discovery is off, as by default', { lanDiscovery: undefined }],
    ['it lets nobody connect', { accept: 'nobody' }],
    ['it hides its address', { policy: 'relay-only' }],
  ] as const)('%s', async (_why, bob) => {
    await home(
      'unwilling',
      async (scene) => {
        expect(codeOf(await failureOf(scene.alice.connect(scene.bob.id)))).toBe('ERR_CONNECT_FAILED')
        expect(packets(scene, 'bob')).toEqual([])
      },
      { bob },
    )
  })

  test('who has it off, or hides, does not ask either', async () => {
    for (const alice of [{ lanDiscovery: false }, { policy: 'relay-only' }] as const)
      await home(
        'silent',
        async (scene) => {
          expect(codeOf(await failureOf(scene.alice.connect(scene.bob.id)))).toBe('ERR_NO_PATH')
          expect(packets(scene)).toEqual([])
        },
        { alice },
      )
  })

  test('a host with a public address takes no part', async () => {
    await Internet.run('public', { latency: duration(10) }, async (internet) => {
      const peer = await internet.peer({ name: 'public', lanDiscovery: true })
      expect(peer.inspect().lan).toMatchObject({ links: [] })
      expect(codeOf(await failureOf(peer.connect(internet.sim.identity('other').id)))).toBe('ERR_CONNECT_FAILED')
      expect(packets({ internet })).toEqual([])
    })
  })
})

describe('hosts that lie', () => {
  test('one that says it is the peer gets a request and no connection; the peer itself is found beside it', async () => {
    await home('spoofed', async (scene) => {
      const { alice, bob } = scene
      const other = await scene.internet.peer({ name: 'mallory', behind: scene.router })
      const port = other.addresses[0]?.port as number
      const mallory = liar(scene)
      const instance = nameOf(scene, bob.id)
      const answer = (): void => mallory.answer({ instance, port, ips: ['192.168.1.12'] })
      mallory.asked(answer)
      const connection = await alice.connect(bob.id)
      expect([connection.remoteId, connection.path]).toMatchObject([bob.id, { remote: { ip: '192.168.1.10' } }])
      expect(packets(scene, 'alice').some(({ packet }) => packet.destination.ip === '192.168.1.12')).toBe(true)
      await mallory.close()
    })
  })

  test('none has a dial send to another network, to all hosts, or to many', async () => {
    await home('aimed', async (scene) => {
      const { internet, alice, bob } = scene
      const mallory = liar(scene)
      const instance = nameOf(scene, bob.id)
      const aims = ['81.2.0.7', '10.0.0.1', '127.0.0.1', '192.168.1.255', '192.168.1.0', '224.0.0.1', '169.254.1.1']
      mallory.asked(() => {
        for (const ip of aims) mallory.answer({ instance, port: 53, ips: [ip] })
        for (let host = 100; host < 150; host++) mallory.answer({ instance, port: 53, ips: [`192.168.1.${host}`] })
      })
      await alice.connect(bob.id)
      await internet.wait(duration(5000))
      const to = new Set(packets(scene, 'alice').map(({ packet }) => packet.destination.ip))
      expect(aims.filter((ip) => to.has(ip))).toEqual([])
      expect([...to].filter((ip) => ip !== MDNS_GROUP.ip).length).toBeLessThanOrEqual(8)
      await mallory.close()
    })
  })

  test('a flood of questions has one answer a second, to the network and to nobody else', async () => {
    await home('flood', async (scene) => {
      const { internet, bob } = scene
      const mallory = liar(scene)
      const instance = nameOf(scene, bob.id)
      for (let count = 0; count < 200; count++) {
        mallory.ask(instance)
        await internet.wait(duration(50))
      }
      const answers = packets(scene, 'bob')
      // Ten seconds; each is heard by three hosts.
      expect(answers.length / 3).toBeGreaterThanOrEqual(9)
      expect(answers.length / 3).toBeLessThanOrEqual(10)
      expect(new Set(answers.map(({ packet }) => packet.destination.ip))).toEqual(new Set([MDNS_GROUP.ip]))
      await mallory.close()
    })
  })

  test('who knows no id is told nothing', async () => {
    await home('browsing', async (scene) => {
      const mallory = liar(scene)
      for (const instance of ['0000000000000000', nameOf(scene, scene.internet.sim.identity('other').id)])
        mallory.ask(instance)
      await scene.internet.wait(duration(5000))
      expect(packets(scene, 'alice', 'bob')).toEqual([])
      await mallory.close()
    })
  })
})

test('a name is good for a day, and the days around it, since clocks differ', async () => {
  await home('days', async (scene) => {
    const { internet, bob } = scene
    const today = dayOf(internet.sim.clock.unixMs())
    const names = [-2, -1, 0, 1, 2].map((day) => instanceOf(openssl, bob.id, today + day))
    expect(new Set(names).size).toBe(5)
    const mallory = liar(scene)
    const answered: string[] = []
    mallory.heard((bytes) => answered.push(...(codec.read(bytes)?.answers ?? []).map(({ instance }) => instance)))
    for (const name of names) mallory.ask(name)
    await internet.wait(duration(1000))
    expect(answered).toEqual(names.slice(1, 4))
    await mallory.close()
  })
})
