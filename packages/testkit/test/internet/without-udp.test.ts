/** Peers whose network lets no UDP through, and what becomes of them when it does. */
import { type Connection, diagnose, type Path, type Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat } from '../../src/index.ts'
import { connected, overOf, streams } from './over-relays.ts'

interface Scene {
  readonly internet: Internet
  /** Its UDP is blocked. */
  readonly host: Host
  readonly blocked: Peer
  readonly other: Peer
  /** The host of the other one. */
  readonly otherHost: Host
}

/** @param both whether the other end is without UDP, too */
function play(seed: string, both: boolean, scenario: (scene: Scene) => Promise<void>): Promise<unknown> {
  return Internet.run(seed, { latency: duration(10) }, async (internet) => {
    await internet.relay({ websocket: true })
    const behind = (name: string): Host => internet.host(name, { behind: internet.router({ nat: nat.T3() }) })
    const [host, otherHost] = [behind('blocked'), behind('other')]
    host.blocksUdp = true
    otherHost.blocksUdp = both
    const blocked = await internet.peer({ name: 'blocked', host })
    const other = await internet.peer({ name: 'other', host: otherHost })
    await scenario({ internet, host, blocked, other, otherHost })
  })
}

/** When the connection is on such a path, in virtual time. */
const onPath = ({ internet }: Scene, connection: Connection, wanted: Path['kind']): Promise<number> =>
  new Promise((resolve) => {
    connection.on('path', ({ kind }) => kind === wanted && resolve(internet.sim.clock.now()))
  })

describe('a peer without UDP', () => {
  test.each([
    ['of one', false],
    ['of both', true],
  ])('is reached by the relay, and nobody probes: that %s', async (_what, both) => {
    await play(`blocked ${both}`, both, async (scene) => {
      const { internet, blocked, other } = scene
      expect([overOf(blocked), overOf(other)]).toEqual(['websocket', both ? 'websocket' : 'udp'])
      const [ours, theirs] = await connected(other, blocked)
      await streams(ours, theirs, async () => {})
      const relayed = (over: string) => ({ kind: 'relay', over })
      expect(theirs.path).toMatchObject(relayed('websocket'))
      expect(ours.path).toMatchObject(relayed(both ? 'websocket' : 'udp'))
      expect(theirs.timeline.some(({ what }) => /^now relay .* by WebSocket: /.test(what))).toBe(true)
      expect((await ours.ping()).path).toMatchObject(ours.path)
      await internet.wait(duration(20_000))
      // The other end sends to the relay alone.
      const relay = internet.relays[0]?.ips ?? []
      const sent = internet.sim.timeline.entries.flatMap((entry) =>
        entry.type === 'packet' && entry.from === 'other' ? [entry.packet.destination.ip] : [],
      )
      expect(sent.filter((ip) => !relay.includes(ip))).toEqual([])
    })
  })

  test('is back on UDP within 5 s of its being let through, and direct soon after; no byte is lost', async () => {
    await play('let through', false, async (scene) => {
      const { internet, host, blocked, other } = scene
      const [ours, theirs] = await connected(other, blocked)
      await internet.wait(duration(30_000))
      expect(theirs.path).toMatchObject({ kind: 'relay', over: 'websocket' })
      await streams(ours, theirs, async () => {
        const direct = onPath(scene, ours, 'direct')
        const moves: Path[] = []
        theirs.on('path', (path) => moves.push(path))
        const start = internet.sim.clock.now()
        host.blocksUdp = false
        await internet.wait(duration(5000))
        expect(overOf(blocked)).toBe('udp')
        expect((await direct) - start).toBeLessThan(7000)
        expect(moves).toMatchObject([{ kind: 'relay', over: 'udp' }, { kind: 'direct' }])
      })
      expect(internet.sim.websockets.values().next().value?.size).toBe(0)
    })
  })

  test('goes on by WebSocket when UDP is blocked while it is connected; no byte is lost', async () => {
    await play('blocked later', true, async (scene) => {
      const { internet, host, otherHost, blocked, other } = scene
      otherHost.blocksUdp = false
      host.blocksUdp = false
      await internet.wait(duration(10_000))
      expect([overOf(blocked), overOf(other)]).toEqual(['udp', 'udp'])
      const [ours, theirs] = await connected(other, blocked)
      await internet.wait(duration(5000))
      expect(ours.path.kind).toBe('direct')
      await streams(ours, theirs, async () => {
        host.blocksUdp = true
        await internet.wait(duration(30_000))
      })
      expect([overOf(blocked), ours.path.kind]).toEqual(['websocket', 'relay'])
    })
  })

  test('costs 80 messages and 10 datagrams in ten idle minutes, and is back at once on another network', async () => {
    await play('idle', false, async ({ internet, host, blocked }) => {
      const asked = (): number =>
        internet.sim.timeline.entries.filter((entry) => entry.type === 'packet' && entry.from === 'blocked').length
      // What leaves is seen, and lost outside.
      host.blocksUdp = false
      internet.sim.network.filter = (_packet, { name }) => name !== 'router1'
      await internet.wait(duration(120_000))
      const [relay] = internet.sim.websockets.values()
      const before = asked()
      const carried = relay?.messages ?? 0
      await internet.wait(duration(600_000))
      expect(overOf(blocked)).toBe('websocket')
      // docs/protocol.md, Datagrams over WebSocket: what an idle peer costs in ten minutes.
      expect(asked() - before).toBe(10)
      expect((relay?.messages ?? 0) - carried).toBe(80)
      internet.sim.network.filter = undefined
      internet.move(host)
      await internet.wait(duration(2000))
      expect(overOf(blocked)).toBe('udp')
    })
  })

  test('is told so by diagnose: UDP is bad, and the relay is good, by WebSocket', async () => {
    await play('diagnosed', false, async ({ internet, host }) => {
      const relays = internet.relays.map(({ ticket }) => ticket)
      const identity = internet.sim.identity('doctor')
      const found = await internet.settle(diagnose({ identity, relays, runtime: internet.runtime(host) }))
      const of = (check: string) => found.find((each) => each.check === check)
      expect(of('udp')).toMatchObject({ verdict: 'bad', advice: expect.stringContaining('by WebSocket') })
      expect(of('relay')).toMatchObject({ verdict: 'good', found: expect.stringContaining('by WebSocket') })
    })
  })
})
