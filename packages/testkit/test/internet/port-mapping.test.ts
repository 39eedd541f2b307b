/** Routers that map a port for the peer behind them: what is used, what is not, and why. */
import { Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { parseTicket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, type MappingServerOptions, nat, type Router } from '../../src/index.ts'
import { take } from '../face/bed.ts'

/** The first host behind a router. */
const LOCAL = '192.168.1.10'

interface Scene {
  readonly internet: Internet
  /** That may map. */
  readonly router: Router
  readonly alice: Peer
  readonly bob: Peer
}

interface Maps {
  readonly maps: MappingServerOptions | undefined
  /** A carrier's router in front of that one. @default none */
  readonly carrier?: boolean
  readonly portMapping?: boolean
  readonly policy?: 'relay-only'
}

/** Two peers behind symmetric NATs, of which the first may map ports. */
function play(seed: string, how: Maps, scenario: (scene: Scene) => Promise<void>): Promise<unknown> {
  const { maps, carrier = false, ...options } = how
  return Internet.run(seed, { latency: duration(10) }, async (internet) => {
    await internet.relay()
    const behind = carrier ? internet.router({ nat: nat.T4(), lan: '10.0.0' }) : undefined
    const router = internet.router({ nat: nat.T4(), behind, maps })
    const alice = await internet.peer({ name: 'alice', behind: router, ...options })
    const bob = await internet.peer({ name: 'bob', behind: nat.T4() })
    await internet.wait(duration(12_000))
    await scenario({ internet, router, alice, bob })
  })
}

/** The path that a connection has in the end, of a ticket that names relays alone. */
async function pathOf({ internet }: Scene, from: Peer, to: Peer): Promise<string> {
  const connection = await from.connect({ ...parseTicket(to.ticket), addresses: [] })
  await take(to.incoming)
  await internet.wait(duration(5000))
  return connection.path.kind
}

/** What a ticket names beside the address at which the peer listens. */
const mappedIn = ({ ticket }: Peer): readonly string[] =>
  parseTicket(ticket)
    .addresses.map(({ host }) => host)
    .filter((host) => host !== LOCAL)
const whyOf = ({ portMapping }: Peer): string => (portMapping.state === 'none' ? portMapping.why : portMapping.state)

describe.each(['PCP', 'NAT-PMP', 'UPnP'] as const)('a router that maps by %s', (protocol) => {
  const maps = { speaks: [protocol] }

  test('makes a pair behind two symmetric NATs direct, whoever dials', async () => {
    for (const caller of ['alice', 'bob'] as const)
      await play(`mapped ${protocol} ${caller}`, { maps }, async (scene) => {
        const { alice, bob, router } = scene
        expect(alice.portMapping).toMatchObject({ state: 'mapped', protocol, external: { ip: router.external(4) } })
        const [from, to] = caller === 'alice' ? [alice, bob] : [bob, alice]
        expect(await pathOf(scene, from, to)).toBe('direct')
      })
  })

  test('is named in the ticket, by which a peer is called without an introduction, and not after the peer is closed', async () => {
    await play(`ticket ${protocol}`, { maps }, async ({ alice, bob, router }) => {
      expect(mappedIn(alice)).toEqual([router.external(4)])
      expect(router.portMaps).toBe(1)
      const connection = await bob.connect({ ...parseTicket(alice.ticket), relays: [] })
      expect(connection.path).toMatchObject({ kind: 'direct', remote: { ip: router.external(4) } })
      await alice.close()
      expect(router.portMaps).toBe(0)
    })
  })

  test('gets no more than one request in ten minutes, and the mapping outlives its first lifetime', async () => {
    await play(`idle ${protocol}`, { maps }, async ({ internet, alice, router }) => {
      const before = alice.inspect().portMapping.requests
      await internet.wait(duration(600_000))
      expect(alice.inspect().portMapping.requests - before).toBe(0)
      await internet.wait(duration(7_200_000))
      const renewed = alice.inspect().portMapping.requests - before
      expect(renewed).toBe(protocol === 'NAT-PMP' ? 4 : 2)
      expect(router.portMaps).toBe(1)
    })
  })
})

describe('a mapping that comes when a connection is there', () => {
  /** One way from an end to the relay, and one on a network inside. */
  const [TRIP, INSIDE] = [10, 1]
  /** 0x111, 0x112, 0x114, 0x115, a probe, its answer and the question to the other end with it, and the answer to that. */
  const TRIPS = 7

  interface Late {
    readonly protocol: 'PCP' | 'UPnP'
    readonly caller: 'alice' | 'bob'
    /** How long bob takes to let alice in, or alice bob. @default at once */
    readonly decides?: number
  }

  /** Milliseconds from the mapping, or from when the connection was open, until both ends are direct. */
  async function untilDirect({ protocol, caller, decides = 0 }: Late): Promise<number> {
    let took = Number.POSITIVE_INFINITY
    await Internet.run(`late ${protocol} ${caller}`, { latency: duration(TRIP) }, async (internet) => {
      await internet.relay()
      const { clock } = internet.sim
      const accept = async (): Promise<boolean> => internet.wait(duration(decides)).then(() => true)
      const bob = await internet.peer({ name: 'bob', behind: nat.T4(), accept })
      await internet.wait(duration(5000))
      const router = internet.router({ nat: nat.T4(), maps: { speaks: [protocol] } })
      const alice = await internet.peer({ name: 'alice', behind: router, accept })
      let since = clock.now()
      alice.on('portMapping', ({ state }) => {
        if (state === 'mapped') since = clock.now()
      })
      const [from, to] = caller === 'alice' ? [alice, bob] : [bob, alice]
      const ours = await from.connect({ ...parseTicket(to.ticket), addresses: [] })
      since = clock.now()
      const theirs = await take(to.incoming)
      const direct = async (): Promise<void> => {
        while ([ours, theirs].some(({ path }) => path.kind !== 'direct')) await internet.wait(duration(1))
        took = clock.now() - since
      }
      await internet.settle(direct(), duration(60_000))
      expect(alice.portMapping).toMatchObject({ state: 'mapped', protocol })
    })
    return took
  }

  const MOST = TRIPS * (TRIP + INSIDE) + TRIP
  /** What opens may be about to be direct by itself. */
  const PATIENCE = 1000

  test.each([
    ['at once, seconds later, where the mapped end dialled', MOST, { protocol: 'UPnP', caller: 'alice' }],
    ['at once, seconds later, where the other end dialled', MOST, { protocol: 'UPnP', caller: 'bob' }],
    ['a second later, while it opens', PATIENCE + MOST, { protocol: 'PCP', caller: 'alice' }],
    [
      'a second later, before the other end has let it in',
      PATIENCE + MOST,
      { protocol: 'UPnP', caller: 'alice', decides: 8200 },
    ],
  ] as const)('makes it direct %s', async (_, most, how) => {
    expect(await untilDirect(how)).toBeLessThanOrEqual(most)
  })
})

test('without a mapping the same pair is relayed', async () => {
  await play('unmapped', { maps: undefined }, async (scene) => {
    expect(await pathOf(scene, scene.alice, scene.bob)).toBe('relay')
    expect(whyOf(scene.alice)).toBe('the router of this network is not known')
  })
})

test('a router that is silent is asked ten times and by UPnP, and never again', async () => {
  await play('silent', { maps: { speaks: [] } }, async ({ internet, alice }) => {
    expect(whyOf(alice)).toBe('the router answers neither PCP, NAT-PMP nor UPnP')
    expect(alice.inspect().portMapping.requests).toBe(11)
    await internet.wait(duration(600_000))
    expect(alice.inspect().portMapping.requests).toBe(11)
  })
})

test('a router behind another NAT is of no use, and says so by its address', async () => {
  await play('double NAT', { maps: { speaks: ['PCP'] }, carrier: true }, async (scene) => {
    const { alice, bob, router } = scene
    expect(whyOf(alice)).toContain('there is another NAT between it and the internet')
    expect(mappedIn(alice)).toEqual([])
    expect(await pathOf(scene, alice, bob)).toBe('relay')
    expect(router.portMaps).toBe(0)
  })
})

test.each(['PCP', 'UPnP'] as const)(
  'a router that names an address of somebody else by %s has nobody sent there',
  async (protocol) => {
    const claims = '81.9.9.9'
    await play(`liar ${protocol}`, { maps: { speaks: [protocol], claims } }, async (scene) => {
      const { alice, bob, internet, router } = scene
      expect(whyOf(alice)).toContain(`says that its outside address is ${claims}, and relays see this host at`)
      expect(mappedIn(alice)).toEqual([])
      expect(await pathOf(scene, bob, alice)).toBe('relay')
      expect(internet.timeline()).not.toContain(`${claims}:`)
      expect(router.portMaps).toBe(0)
    })
  },
)

test('a router that refuses says why, by the name that the RFC gives it', async () => {
  await play('refused', { maps: { speaks: ['PCP'], refuses: 2 } }, async ({ alice }) => {
    expect(whyOf(alice)).toBe('the router refuses it by PCP: not authorized')
  })
})

test('a peer that does not want it, or hides its address, asks no router', async () => {
  const maps = { speaks: ['PCP' as const] }
  await play('off', { maps, portMapping: false }, async ({ alice, router }) => {
    expect(whyOf(alice)).toBe('it is switched off')
    expect([alice.inspect().portMapping.requests, router.portMaps]).toEqual([0, 0])
  })
  await play('hidden', { maps, policy: 'relay-only' }, async ({ alice, router }) => {
    expect(whyOf(alice)).toBe('this peer shows nobody its address')
    expect([alice.inspect().portMapping.requests, router.portMaps]).toEqual([0, 0])
  })
})

test('a peer that is registered over IPv6 has its port of IPv4 mapped', () =>
  Internet.run('dual stack', { latency: duration(10) }, async (internet) => {
    const ips = ['2a01:4f8:1::1', '81.2.8.1']
    const { id, addresses } = parseTicket((await internet.relay({ ips })).ticket)
    const port = addresses[0]?.port ?? 0
    const router = internet.router({ nat: nat.T4(), ipv6: true, maps: { speaks: ['PCP'] } })
    const runtime = internet.runtime(internet.host('laptop', { behind: router }))
    const peer = await Peer.open({
      identity: internet.sim.identity('laptop'),
      relays: [{ id, relays: [], addresses: [{ host: 'relay.example', port }] }],
      runtime: { ...runtime, resolve: async () => ips.map((ip) => ({ ip, port })) },
    })
    await peer.registered()
    await internet.wait(duration(3000))
    expect(peer.inspect().relays[0]?.observed).toMatch(/^\[/)
    expect(peer.portMapping).toMatchObject({ state: 'mapped', external: { ip: router.external(4) } })
    await peer.close()
  }))

test.each([
  ['at loopback alone', '127.0.0.1'],
  ['at an address of another network alone', '10.9.9.9'],
])('a peer that listens %s asks no router', async (_, ip) => {
  await Internet.run(`bound to ${ip}`, { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    const router = internet.router({ nat: nat.T4(), maps: { speaks: ['PCP'] } })
    const runtime = internet.runtime(internet.host('laptop', { behind: router }))
    const peer = await Peer.open({
      identity: internet.sim.identity('laptop'),
      relays: [relay.ticket],
      runtime: {
        ...runtime,
        openSocket: async (options) =>
          Object.defineProperty(await runtime.openSocket(options), 'localEndpoints', { value: [{ ip, port: 4500 }] }),
      },
    })
    await peer.registered()
    await internet.wait(duration(1000))
    expect(whyOf(peer)).toBe('this peer does not listen on the network of the router')
    expect([peer.inspect().portMapping.requests, router.portMaps]).toEqual([0, 0])
    await peer.close()
  })
})

test('a router that loses its mappings is asked again when relays see another port', async () => {
  await play('reboot', { maps: { speaks: ['PCP'] } }, async (scene) => {
    const { internet, router, alice, bob } = scene
    router.reboot()
    expect(router.portMaps).toBe(0)
    await internet.wait(duration(60_000))
    expect(router.portMaps).toBe(1)
    expect(await pathOf(scene, bob, alice)).toBe('direct')
  })
})

test('on another network the router there is asked', async () => {
  await play('moved', { maps: { speaks: ['PCP'] } }, async ({ internet, alice }) => {
    const other = internet.router({ nat: nat.T4(), maps: { speaks: ['NAT-PMP'] }, lan: '192.168.7' })
    const host = internet.host('phone', { behind: internet.router({ nat: nat.T4(), maps: { speaks: ['PCP'] } }) })
    const phone = await internet.peer({ name: 'phone', host })
    await internet.wait(duration(1000))
    expect(phone.portMapping).toMatchObject({ state: 'mapped', protocol: 'PCP' })
    internet.move(host, other)
    await internet.wait(duration(30_000))
    expect(phone.portMapping).toMatchObject({ protocol: 'NAT-PMP', external: { ip: other.external(4) } })
    expect(alice.portMapping.state).toBe('mapped')
  })
})
