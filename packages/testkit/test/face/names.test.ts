/** Host names of relays, STUN servers and tickets, in every way in which one can fail. */
import { Peer, type PeerOptions } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { type Address, type Endpoint, formatTicket, isStun, ShowchainError, type Ticket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimRelay } from '../../src/index.ts'
import { failureOf, stateOf, take } from './bed.ts'

type Answer = readonly string[] | 'refuses' | 'never' | { readonly after: number; readonly ips: readonly string[] }

/** A resolver whose answers are the test's. */
class Resolver {
  readonly answers = new Map<string, Answer>()
  readonly asked: { readonly name: string; readonly at: number }[] = []
  readonly #internet: Internet

  constructor(internet: Internet) {
    this.#internet = internet
  }

  readonly resolve = async ({ host, port }: Address): Promise<readonly Endpoint[]> => {
    this.asked.push({ name: host, at: this.#internet.sim.clock.now() })
    const answer = this.answers.get(host) ?? 'refuses'
    if (answer === 'refuses')
      throw new ShowchainError('ERR_CANNOT_RESOLVE', undefined, { cause: new Error('ENOTFOUND') })
    if (answer === 'never') return new Promise(() => {})
    if (!('after' in answer)) return answer.map((ip) => ({ ip, port }))
    await this.#internet.wait(duration(answer.after))
    return answer.ips.map((ip) => ({ ip, port }))
  }
}

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly resolver: Resolver
  /** Opens a peer whose host has both families unless told otherwise, and closes it in the end. */
  open(name: string, options: Partial<PeerOptions>, ips?: readonly string[]): Promise<Peer>
}

/** Where nobody is. */
const [DEAD, DEAD6, HERE] = ['81.2.255.1', '2a01:4f8::dead', '2a01:4f8::1']

function scene(seed: string, play: (scene: Scene) => Promise<void>): Promise<void> {
  const played = Internet.run(seed, { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    // Where something is sent, though nobody answers.
    internet.host('nobody', { ips: [DEAD, DEAD6, '127.0.0.1', '10.0.0.1'] })
    const resolver = new Resolver(internet)
    const peers: Peer[] = []
    await play({
      ...{ internet, relay, resolver },
      open: async (name, options, ips = [`81.2.9.${peers.length + 1}`, `${HERE}${peers.length}`]) => {
        const host = internet.host(name, { ips })
        const runtime = { ...internet.runtime(host), resolve: resolver.resolve }
        const peer = await Peer.open({ identity: internet.sim.identity(name), runtime, ...options })
        peers.push(peer)
        return peer
      },
    })
    for (const peer of peers) await peer.close()
    // The late answers of the resolver.
    await internet.wait(duration(20_000))
  })
  return played.then(() => {})
}

/** The relay's ticket, by a name. */
const named = ({ identity, endpoint: { port } }: SimRelay, host: string): Ticket => ({
  id: identity.id,
  relays: [],
  addresses: [{ host, port }],
})

/** Every way in which a name fails, and whether it ever gets an answer. */
const FAILURES: readonly (readonly [string, Answer])[] = [
  ['never answers', 'never'],
  ['is refused', 'refuses'],
  ['answers late', { after: 15_000, ips: [DEAD] }],
  ['gives addresses where nobody is', [DEAD6, DEAD]],
  ['gives no address at all', []],
]

describe('the name of a relay', () => {
  test.each(FAILURES)('that %s keeps nobody from another relay', (kind, answer) =>
    scene(`relay ${kind}`, async ({ internet, relay, resolver, open }) => {
      resolver.answers.set('bad.example', answer)
      const other = await internet.relay({ name: 'other' })
      const peer = await open('alice', { relays: [named(other, 'bad.example'), relay.ticket] })
      await peer.registered()
      expect(internet.sim.clock.now()).toBeLessThan(200)
    }),
  )

  test.each(FAILURES)('that %s at start is looked up again: the peer is registered when it is right', (kind, answer) =>
    scene(`start ${kind}`, async ({ internet, relay, resolver, open }) => {
      resolver.answers.set('relay.example', answer)
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      expect(internet.sim.clock.now()).toBe(0)
      await internet.wait(duration(30_000))
      resolver.answers.set('relay.example', [relay.endpoint.ip])
      await internet.wait(duration(100_000))
      // A resolver that never answers is not asked again before it does.
      expect(await stateOf(peer.registered())).toBe(answer === 'never' ? 'pending' : 'done')
      expect(resolver.asked.length > 1).toBe(answer !== 'never')
    }),
  )

  test('is not resolved: registered() says which, and why', () =>
    scene('words', async ({ relay, open }) => {
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      const told: unknown[] = []
      peer.on('relay', ({ at, state, reason }) => told.push([at, state, reason]))
      const { code, message } = await failureOf(peer.registered())
      expect(code).toBe('ERR_CONNECT_FAILED')
      expect(message).toContain(`relay ${relay.identity.id}: relay.example is not resolved: ENOTFOUND`)
      expect(told).toEqual([[undefined, 'failed', 'relay.example is not resolved: ENOTFOUND']])
    }))

  test('is looked up with a back-off, and no more after close()', () =>
    scene('back-off', async ({ internet, relay, resolver, open }) => {
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      await internet.wait(duration(600_000))
      const pauses = resolver.asked.map(({ at }, index) => at - (resolver.asked[index - 1]?.at ?? 0)).slice(1)
      expect(pauses[0]).toBeLessThanOrEqual(1500)
      expect(Math.max(...pauses)).toBeLessThanOrEqual(90_000)
      expect(pauses.length).toBeGreaterThan(9)
      expect(pauses.length).toBeLessThan(25)
      await peer.close()
      const { length } = resolver.asked
      await internet.wait(duration(600_000))
      expect(resolver.asked).toHaveLength(length)
    }))

  test.each([
    ['IPv6', DEAD6],
    ['IPv4', DEAD],
  ])('whose first address is an %s one where nobody is: the next one is tried 250 ms later', (_, dead) =>
    scene('happy eyeballs', async ({ internet, relay, resolver, open }) => {
      resolver.answers.set('relay.example', [dead, relay.endpoint.ip])
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      await peer.registered()
      expect(internet.sim.clock.now()).toBeGreaterThanOrEqual(250)
      expect(internet.sim.clock.now()).toBeLessThan(450)
      const sent: string[] = []
      internet.sim.network.filter = ({ destination, bytes }) => isStun(bytes) || sent.push(destination.ip) > 0
      await internet.wait(duration(120_000))
      // The dead one is left: no 0x101 goes there any more.
      expect([sent.includes(dead), sent.includes(relay.endpoint.ip)]).toEqual([false, true])
      expect(peer.ticket).toContain('relay.example')
    }),
  )

  test('that works by its first address is asked at no other', () =>
    scene('first works', async ({ internet, relay, resolver, open }) => {
      resolver.answers.set('relay.example', [relay.endpoint.ip, DEAD6, DEAD])
      const sent = new Set<string>()
      // STUN asks the first one of the other family what this peer's address is there.
      internet.sim.network.filter = ({ destination, bytes }) => isStun(bytes) || sent.add(destination.ip).size > 0
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      await peer.registered()
      await internet.wait(duration(10_000))
      expect([sent.has(DEAD), sent.has(DEAD6)]).toEqual([false, false])
    }))

  test('that leads elsewhere later: the peer follows within seconds of the loss, and leaves the former address', () =>
    scene('moved', async ({ internet, relay, resolver, open }) => {
      resolver.answers.set('relay.example', [relay.endpoint.ip])
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      await peer.registered()
      await internet.wait(duration(60_000))
      const [former, states] = [relay.endpoint.ip, [] as string[]]
      peer.on('relay', ({ state, at }) => states.push(`${state} ${at?.ip}`))
      await relay.kill()
      relay.host.moveTo('81.2.77.7')
      internet.host('another', { ips: [former] })
      relay.start()
      resolver.answers.set('relay.example', ['81.2.77.7'])
      const lost = new Promise((resolve) => peer.on('relay', ({ state }) => state === 'lost' && resolve(state)))
      const back = new Promise((resolve) => peer.on('relay', ({ state }) => state === 'registered' && resolve(state)))
      await lost
      const at = internet.sim.clock.now()
      await back
      expect(states.at(-1)).toBe('registered 81.2.77.7')
      expect(internet.sim.clock.now() - at).toBeLessThan(5000)
      const sent: string[] = []
      internet.sim.network.filter = ({ destination }) => sent.push(destination.ip) > 0
      await internet.wait(duration(120_000))
      expect(sent.includes(former)).toBe(false)
    }))

  test('whose relay restarts where it was: the same registration comes back', () =>
    scene('same place', async ({ internet, relay, resolver, open }) => {
      resolver.answers.set('relay.example', [relay.endpoint.ip])
      const peer = await open('alice', { relays: [named(relay, 'relay.example')] })
      await peer.registered()
      await relay.kill()
      await internet.wait(duration(120_000))
      relay.start()
      await internet.wait(duration(120_000))
      expect(await stateOf(peer.registered())).toBe('done')
    }))
})

describe('names in a ticket', () => {
  /** Bob, and what a ticket of his says by names. */
  const callee = async ({ internet, relay, open }: Scene) => {
    const bob = await open('bob', { relays: [relay.ticket] })
    await bob.registered()
    const [{ ip, port }] = bob.addresses.filter(({ ip }) => ip.startsWith('81')) as [Endpoint]
    const alice = await open('alice', {})
    const at = internet.sim.clock.now()
    return { bob, alice, ip, port, relay: relay.identity.id, since: () => internet.sim.clock.now() - at }
  }
  const relayNamed = (it: SimRelay, host: string) => ({ id: it.identity.id, address: { host, port: it.endpoint.port } })

  test.each(FAILURES)('one that %s keeps nobody from another way', (kind, answer) =>
    scene(`ticket ${kind}`, async (it) => {
      const { bob, alice, ip, port, since } = await callee(it)
      it.resolver.answers.set('bad.example', answer)
      const bad = { host: 'bad.example', port }
      const ways: readonly Partial<Ticket>[] = [
        { addresses: [bad, { host: ip, port }] },
        { relays: [relayNamed(it.relay, 'bad.example')], addresses: [{ host: ip, port }] },
        { addresses: [bad], relays: [relayNamed(it.relay, it.relay.endpoint.ip)] },
      ]
      for (const way of ways) {
        const before = since()
        const connection = await alice.connect(formatTicket({ id: bob.id, relays: [], addresses: [], ...way }))
        expect(since() - before).toBeLessThan(200)
        await connection.close()
        await it.internet.wait(duration(30_000))
      }
    }),
  )

  test.each([
    ['never', 'ERR_CANNOT_RESOLVE', 10_000, 'bad.example is not resolved: no answer'],
    ['refuses', 'ERR_CANNOT_RESOLVE', 0, 'bad.example is not resolved: ENOTFOUND'],
    [[], 'ERR_NO_PATH', 0, 'The ticket has 0 addresses and 0 relays'],
    [['127.0.0.1'], 'ERR_NO_PATH', 0, 'The address policy forbids 127.0.0.1'],
  ] as const)('alone, with the answer %j: the error is %s', (answer, code, after, words) =>
    scene(`alone ${String(answer)}`, async (it) => {
      const { bob, alice, port, since } = await callee(it)
      it.resolver.answers.set('bad.example', answer)
      for (const ticket of [
        { addresses: [{ host: 'bad.example', port }], relays: [] },
        { addresses: [], relays: [relayNamed(it.relay, 'bad.example')] },
      ]) {
        const before = since()
        const failure = await failureOf(alice.connect({ id: bob.id, ...ticket }))
        expect([failure.code, since() - before]).toEqual([code, after])
        expect(failure.message).toContain(words)
      }
    }),
  )

  test('of the IP family that this host does not have: the error says which one that is', () =>
    scene('family', async (it) => {
      const { bob, port } = await callee(it)
      it.resolver.answers.set('bad.example', [DEAD6, `${HERE}77`])
      const carol = await it.open('carol', {}, ['81.2.9.77'])
      for (const ticket of [
        { addresses: [{ host: 'bad.example', port }], relays: [] },
        { addresses: [], relays: [relayNamed(it.relay, 'bad.example')] },
      ]) {
        const { code, message } = await failureOf(carol.connect({ id: bob.id, ...ticket }))
        expect(code).toBe('ERR_NO_PATH')
        expect(message).toContain(
          ' What the ticket names has IPv6 addresses only, and this host uses IPv4 only; via is "auto".',
        )
      }
      const dave = await it.open('dave', { relays: [named(it.relay, 'bad.example')] }, ['81.2.9.78'])
      const { message } = await failureOf(dave.registered())
      expect(message).toContain('bad.example has IPv6 addresses only, and this host uses IPv4 only')
    }))

  test('one that is late connects when it is there', () =>
    scene('late', async (it) => {
      const { bob, alice, ip, port, since } = await callee(it)
      it.resolver.answers.set('late.example', { after: 5000, ips: [ip] })
      await alice.connect({ id: bob.id, relays: [], addresses: [{ host: 'late.example', port }] })
      expect(since()).toBeGreaterThanOrEqual(5000)
      expect(since()).toBeLessThan(5200)
    }))

  test('one that leads to a forbidden address makes nobody send there, and a way beside it connects', () =>
    scene('forbidden', async (it) => {
      const { bob, alice, ip, port } = await callee(it)
      it.resolver.answers.set('bad.example', ['127.0.0.1', '10.0.0.1', ip])
      const sent = new Set<string>()
      it.internet.sim.network.filter = ({ destination }) => sent.add(destination.ip) !== undefined
      await alice.connect({ id: bob.id, relays: [], addresses: [{ host: 'bad.example', port }] })
      await it.internet.wait(duration(5000))
      expect([sent.has('127.0.0.1'), sent.has('10.0.0.1'), sent.has(ip)]).toEqual([false, false, true])
    }))

  test('of a relay with a dead first address: the next one is tried 250 ms later, and not where the first works', () =>
    scene('relay of a ticket', async (it) => {
      const { bob, alice, since } = await callee(it)
      it.resolver.answers.set('relay.example', [DEAD6, it.relay.endpoint.ip])
      const ticket = { id: bob.id, addresses: [], relays: [relayNamed(it.relay, 'relay.example')] }
      await (await alice.connect(ticket)).close()
      expect(since()).toBeGreaterThanOrEqual(250)
      expect(since()).toBeLessThan(500)
      await it.internet.wait(duration(60_000))
      it.resolver.answers.set('relay.example', [it.relay.endpoint.ip, DEAD])
      const sent = new Set<string>()
      it.internet.sim.network.filter = ({ destination }) => sent.add(destination.ip) !== undefined
      await alice.connect(ticket)
      await it.internet.wait(duration(5000))
      expect(sent.has(DEAD)).toBe(false)
    }))

  test('of a relay that this peer is registered with: no other address of the name is asked', () =>
    scene('own relay', async (it) => {
      const { bob } = await callee(it)
      it.resolver.answers.set('relay.example', [DEAD, it.relay.endpoint.ip])
      const carol = await it.open('carol', { relays: [it.relay.ticket] })
      await carol.registered()
      const sent = new Set<string>()
      it.internet.sim.network.filter = ({ destination }) => sent.add(destination.ip) !== undefined
      await carol.connect({ id: bob.id, addresses: [], relays: [relayNamed(it.relay, 'relay.example')] })
      await it.internet.wait(duration(1000))
      expect(sent.has(DEAD)).toBe(false)
    }))

  test('one that never answers: a deadline, a signal and close() end the wait', () =>
    scene('given up', async (it) => {
      const { bob, alice, port, since } = await callee(it)
      it.resolver.answers.set('never.example', 'never')
      const ticket = { id: bob.id, relays: [], addresses: [{ host: 'never.example', port }] }
      const timedOut = await failureOf(alice.connect(ticket, { timeout: 300 }))
      expect([timedOut.code, since()]).toEqual(['ERR_CANNOT_RESOLVE', 300])
      const aborting = new AbortController()
      const aborted = failureOf(alice.connect(ticket, { signal: aborting.signal }))
      await it.internet.wait(duration(100))
      aborting.abort()
      expect([(await aborted).code, since()]).toEqual(['ERR_ABORTED', 400])
      const closed = failureOf(alice.connect(ticket))
      await it.internet.wait(duration(100))
      await alice.close()
      expect([(await closed).code, since()]).toEqual(['ERR_CLOSED', 500])
      // It is asked once for all three.
      expect(it.resolver.asked.filter(({ name }) => name === 'never.example')).toHaveLength(1)
    }))

  test('one that answers after another way connected is not called any more', () =>
    scene('too late', async (it) => {
      const { bob, alice, ip, port } = await callee(it)
      it.resolver.answers.set('late.example', { after: 3000, ips: [DEAD] })
      const sent = new Set<string>()
      it.internet.sim.network.filter = ({ destination }) => sent.add(destination.ip) !== undefined
      const addresses = [
        { host: 'late.example', port },
        { host: ip, port },
      ]
      const connection = await alice.connect({ id: bob.id, relays: [], addresses })
      await it.internet.wait(duration(10_000))
      expect([sent.has(DEAD), connection.end, (await take(bob.incoming)).end]).toEqual([false, undefined, undefined])
    }))
})

describe('the name of a STUN server', () => {
  test.each(FAILURES)('that %s stops nothing, and is asked when it is there', async (kind, answer) => {
    await Internet.run(`stun ${kind}`, { latency: duration(10) }, async (internet) => {
      const server = await internet.relay()
      const resolver = new Resolver(internet)
      const warnings: string[] = []
      resolver.answers.set('stun.example', answer === 'never' ? { after: 20_000, ips: [server.endpoint.ip] } : answer)
      const host = internet.host('alice', { behind: internet.router({ nat: nat.T3() }) })
      const peer = await Peer.open({
        identity: internet.sim.identity('alice'),
        runtime: { ...internet.runtime(host), resolve: resolver.resolve },
        stunServers: [{ host: 'stun.example', port: server.endpoint.port }],
        onWarning: (sentence) => warnings.push(sentence),
      })
      await internet.wait(duration(12_000))
      expect(peer.nat?.mapped).toBeUndefined()
      if (answer !== 'never') resolver.answers.set('stun.example', [server.endpoint.ip])
      await internet.wait(duration(120_000))
      expect([peer.nat?.natted, warnings.some((each) => each.startsWith('STUN server: stun.example'))]).toEqual([
        true,
        !Array.isArray(answer),
      ])
      const asked = resolver.asked.length
      await internet.wait(duration(600_000))
      expect(resolver.asked).toHaveLength(asked)
      await peer.close()
    })
  })
})
