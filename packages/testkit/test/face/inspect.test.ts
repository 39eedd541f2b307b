/** `peer.inspect()` says what the world is, and nothing that is secret. */
import { formatEndpoint } from '@showchain/wire'
import { expect, test } from 'vitest'
import { nat } from '../../src/index.ts'
import { bytesOf, connect, type Face, face, streamOf, wait } from './bed.ts'

/** What changes of a NAT, a path or a relay does to it is said by `state` and `use` of each path. */
const pathsOf = ({ alice }: Face): readonly string[] =>
  alice.inspect().connections.flatMap(({ paths }) => paths.map(({ kind, use, state }) => `${kind} ${use} ${state}`))

test('of a peer that does nothing: its relay, its address, its timers', () =>
  face('inspect idle', async ({ internet, alice, relay }) => {
    const found = alice.inspect()
    expect(found).toMatchObject({
      ...{ id: alice.id, at: internet.sim.clock.unixMs(), dials: [], punches: [], connections: [], extraSockets: 0 },
      addresses: alice.addresses.map(formatEndpoint),
      nat: alice.nat,
      counters: alice.counters(),
      socket: { kind: 'simulated' },
    })
    const at = formatEndpoint(relay.endpoint)
    expect(found.relays).toMatchObject([
      {
        ...{ relay: relay.identity.id, at, state: 'registered', suspected: false, draining: false },
        ...{ extensions: true, channelFrames: true },
      },
    ])
    expect(found.timers.pending).toBeGreaterThan(0)
    expect(found.timers.nextIn).toBeGreaterThanOrEqual(0)
    expect(found.timers.nextIn).toBeLessThanOrEqual(15_000)
  }))

test('of a relayed connection: its session at the relay, and the counters of both ends', () =>
  face(
    'inspect relayed',
    async (it) => {
      const connections = await connect(it)
      await streamOf(connections)
      await wait(it, 60_000)
      const { alice, bob, relay } = it
      const [ours] = alice.inspect().connections
      const at = formatEndpoint(relay.endpoint)
      expect(ours).toMatchObject({ remoteId: bob.id, open: true, protected: true })
      expect(ours?.paths.filter(({ use }) => use === 'data')).toEqual([
        { kind: 'relay', at, relay: relay.identity.id, use: 'data', state: 'good', backlog: 0 },
      ])
      const { path: _path, why: _why, ...statistics } = connections[0].statistics ?? { path: 0, why: 0 }
      expect(ours?.statistics).toEqual(statistics)
      expect(ours?.statistics?.streams).toBe(1)
      const observed = alice.inspect().relays[0]?.observed
      const mapped = alice.nat?.mapped
      expect(observed).toBe(mapped && formatEndpoint(mapped))
      await connections[0].close()
      await wait(it, 1000)
      expect(alice.inspect().connections).toEqual([])
    },
    { both: { behind: nat.T4() } },
  ))

test('of a dial for a direct path: each way that it tries, and the candidates of its hole punch', () =>
  face(
    'inspect dial',
    async (it) => {
      const { alice, bob, relay } = it
      // There is none, and nothing else will do.
      const dial = alice.connect(bob.ticket, { timeout: 5000, via: 'direct-only' }).catch((error: unknown) => error)
      await wait(it, 600)
      const { dials, punches, connections } = alice.inspect()
      expect(dials).toMatchObject([{ remoteId: bob.id, policy: 'direct-only' }])
      expect(dials[0]?.ways.map(({ via, state }) => `${via} ${state}`)).toContain('punch trying')
      expect(punches.map(({ remoteId }) => remoteId)).toEqual([bob.id])
      expect(punches[0]?.candidates.length).toBeGreaterThan(0)
      expect(connections.map(({ open }) => open)).toEqual([false])
      expect(alice.inspect().relays[0]?.relay).toBe(relay.identity.id)
      await dial
    },
    { both: { behind: nat.T4() } },
  ))

test('of a direct path that dies: in doubt, then dead, and the relay carries data', () =>
  face(
    'inspect paths',
    async (it) => {
      const { internet, alice, relay } = it
      const [ours] = await connect(it)
      await wait(it, 10_000)
      expect(ours.path.kind).toBe('direct')
      expect(pathsOf(it)).toContain('direct data good')
      // Only what goes to or comes from the relay passes.
      const { ip } = relay.endpoint
      internet.sim.network.filter = ({ source, destination }) => source.ip === ip || destination.ip === ip
      const seen = new Set<string>()
      for (let slice = 0; slice < 100; slice++) {
        void ours.sendDatagram(bytesOf('on')).catch(() => {})
        await wait(it, 100)
        for (const path of pathsOf(it)) seen.add(path)
      }
      expect([...seen]).toEqual(
        expect.arrayContaining(['direct data doubted', 'relay standby good', 'direct former dead', 'relay data good']),
      )
      internet.sim.network.filter = undefined
      expect(alice.inspect().connections.length).toBe(1)
    },
    { both: { behind: nat.T2() } },
  ))

test('of a relay that is away and comes back', () =>
  face('inspect relay', async (it) => {
    const { internet, alice, relay } = it
    internet.sim.network.filter = () => false
    await wait(it, 60_000)
    expect(alice.inspect().relays.map(({ state }) => state)).not.toContain('registered')
    internet.sim.network.filter = undefined
    await wait(it, 60_000)
    expect(alice.inspect().relays.map(({ state, relay: id }) => [state, id])).toEqual([
      ['registered', relay.identity.id],
    ])
  }))

test('it is plain data, a copy of its own, and has no key, cookie, token or session id', () =>
  face('inspect plain', async (it) => {
    const connections = await connect(it)
    await streamOf(connections)
    const found = it.alice.inspect()
    const text = JSON.stringify(found)
    expect(JSON.parse(text)).toEqual(found)
    await wait(it, 30_000)
    expect(JSON.stringify(found)).toBe(text)
    expect(JSON.stringify(it.alice.inspect())).not.toBe(text)
    // The names of all fields, wherever they are.
    const names = new Set<string>()
    JSON.parse(text, (name, value: unknown) => {
      if (name !== '') names.add(name)
      return value
    })
    const counters = new Set(Object.keys(found.counters))
    const secret = [...names].filter(
      (name) => !counters.has(name) && /key|cookie|token|session|secret|spki/i.test(name),
    )
    expect(secret).toEqual([])
    // Binary values have no place in JSON, and a session id is 32 hexadecimal digits or 22 of base64url.
    expect(text.replaceAll(/[\w-]{43}/g, '')).not.toMatch(/"[0-9a-f]{32}"|"[\w-]{22}"/)
  }))
