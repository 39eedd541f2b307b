import { createHash } from 'node:crypto'
import { duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import {
  type Conditions,
  Internet,
  type NatBehaviour,
  nat,
  type PeerPlace,
  type Router,
  type SimConnection,
  type SimPeer,
  type SimRelay,
} from '../../src/index.ts'

/** Bytes of a stream: any place can be told from any other. */
const contents = (length: number, salt: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >>> 9) * 17 + salt) & 0xff)

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Everything that comes in by streams, by link and stream. */
class Reader {
  readonly hashes = new Map<string, ReturnType<typeof createHash>>()
  readonly bytes = new Map<string, number>()
  readonly ended = new Set<string>()
  readonly peer: SimPeer

  constructor(peer: SimPeer) {
    this.peer = peer
    peer.onStream = (event) => {
      if (event.type === 'stream' && event.what === 'readable') this.#read(event.link, event.stream)
    }
  }

  #read(link: number, stream: number): void {
    const key = `${link}/${stream}`
    this.peer.transport(link, (transport) => {
      for (let found = transport.read(stream); found !== undefined; found = transport.read(stream)) {
        if (found.type !== 'data') {
          this.ended.add(key)
          return
        }
        const hash = this.hashes.get(key) ?? createHash('sha256')
        this.hashes.set(key, hash.update(found.bytes))
        this.bytes.set(key, (this.bytes.get(key) ?? 0) + found.bytes.length)
      }
    })
  }
}

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly routers: readonly [Router, Router]
  readonly a: SimPeer
  readonly b: SimPeer
}

interface Setting {
  readonly conditions?: Partial<Conditions>
  readonly behind?: NatBehaviour
  readonly other?: NatBehaviour
  readonly options?: PeerPlace
}

const run = (
  name: string,
  { conditions = {}, behind = nat.T4(), other = behind, options = {} }: Setting,
  scenario: (scene: Scene) => void | Promise<void>,
): Promise<Internet> =>
  Internet.run(name, conditions, async (internet) => {
    const relay = await internet.relay()
    const routers: [Router, Router] = [internet.router({ nat: behind }), internet.router({ nat: other })]
    const place = { endToEnd: opensslEndToEnd, ...options }
    const a = await internet.peer({ name: 'a', behind: routers[0], ...place })
    const b = await internet.peer({ name: 'b', behind: routers[1], ...place })
    await scenario({ internet, relay, routers, a, b })
  })

function incomingOf(peer: SimPeer): SimConnection {
  const [link] = peer.open
  if (link === undefined) throw new Error('no connection came in')
  return link
}

/** Writes a whole stream; what has no room waits in the transport. */
function sendStream(peer: SimPeer, link: number, bytes: Uint8Array): number {
  const stream = peer.transport(link, (transport) => {
    const id = transport.open()
    if (id === undefined) return undefined
    for (let at = 0; at < bytes.length; at += 60_000) transport.write(id, bytes.subarray(at, at + 60_000))
    transport.end(id)
    return id
  })
  if (stream === undefined) throw new Error('no stream')
  return stream
}

/** Whether a stream of these bytes arrives whole. */
function arrives(
  { internet, a, b }: Scene,
  link: SimConnection,
  bytes: Uint8Array,
  meanwhile: () => void = () => {},
): string | undefined {
  internet.until(() => b.open.length === 1)
  const reader = new Reader(b)
  const key = `${incomingOf(b).id}/${sendStream(a, link.id, bytes)}`
  meanwhile()
  internet.until(() => reader.ended.has(key), duration(600_000))
  return reader.hashes.get(key)?.digest('hex')
}

describe('a protected connection', () => {
  test.each([
    ['T1', nat.T1(), 'direct'],
    ['T2', nat.T2(), 'direct'],
    ['T3', nat.T3(), 'direct'],
    ['T4', nat.T4(), 'relay'],
  ] as const)('%s to the same: streams and datagrams, both ways', async (name, behind, kind) => {
    await run(`protected ${name}`, { behind }, async (scene) => {
      const { a, b, internet } = scene
      const link = await a.connect(b)
      const bytes = contents(300_000, 5)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
      internet.advance(duration(20_000))
      expect(link.path.kind).toBe(kind)
      const there = a.send(link.id, Uint8Array.of(1, 2, 3))
      const back = b.send(incomingOf(b).id, Uint8Array.of(4))
      internet.advance(duration(1000))
      expect([there.failure, back.failure, there.ended === undefined]).toEqual([undefined, undefined, false])
      expect([b.arrived, a.arrived].map(([first]) => first && [...first.bytes])).toEqual([[1, 2, 3], [4]])
    })
  })

  test.each([0.05, 0.2])('opens and carries everything when %d of all packets are lost', async (loss) => {
    for (let seed = 0; seed < 10; seed++)
      await run(
        `protected, loss ${loss}, ${seed}`,
        { conditions: { loss }, behind: seed % 2 === 0 ? nat.T3() : nat.T4() },
        async (scene) => {
          const link = await scene.a.connect(scene.b)
          const bytes = contents(100_000, seed)
          expect(arrives(scene, link, bytes)).toBe(digest(bytes))
        },
      )
  })

  test('both dial at once: one connection', async () => {
    await run('protected glare', { behind: nat.T3() }, ({ internet, a, b }) => {
      const dials = [a.dialPeer(b), b.dialPeer(a)]
      internet.until(() => dials.every(({ ended }) => ended !== undefined))
      internet.advance(duration(30_000))
      expect(dials.map(({ link }) => link !== undefined)).toEqual([true, true])
      expect([a.open.length, b.open.length]).toEqual([1, 1])
    })
  })

  test('nothing that a relay or a network sees can be read', async () => {
    const internet = await run('protected from eyes', {}, async (scene) => {
      const link = await scene.a.connect(scene.b)
      const bytes = new Uint8Array(20_000).fill(0x41)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
    })
    expect(Buffer.from(internet.pcap()).includes('AAAAAAAAAAAAAAAA')).toBe(false)
  })

  test('moves from relay to direct under a stream', async () => {
    await run(
      'protected upgrade',
      { behind: nat.T3(), other: nat.T4(), conditions: { loss: 0.02, bandwidth: 4e6 } },
      async (scene) => {
        const link = await scene.a.connect(scene.b)
        const bytes = contents(6_000_000, 1)
        expect(arrives(scene, link, bytes)).toBe(digest(bytes))
        expect(link.paths.map(({ kind }) => kind)).toEqual(['relay', 'direct'])
        expect(incomingOf(scene.b).paths.at(-1)?.kind).toBe('direct')
      },
    )
  })

  test('a NAT gives the sender another port: the stream goes on at once, directly', async () => {
    await run('protected rebinding', { behind: nat.T3() }, async (scene) => {
      const { internet, a, routers } = scene
      const link = await a.connect(scene.b)
      internet.advance(duration(30_000))
      expect(link.path.kind).toBe('direct')
      const bytes = contents(3_000_000, 2)
      expect(
        arrives(scene, link, bytes, () => {
          internet.advance(duration(300))
          routers[0].reboot()
        }),
      ).toBe(digest(bytes))
    })
  })

  test('the relay restarts under a stream', async () => {
    await run('protected relay restart', {}, async (scene) => {
      const { internet, relay } = scene
      const link = await scene.a.connect(scene.b)
      const bytes = contents(3_000_000, 3)
      let restarted: Promise<void> | undefined
      expect(
        arrives(scene, link, bytes, () => {
          internet.advance(duration(200))
          restarted = relay.restart()
        }),
      ).toBe(digest(bytes))
      await restarted
      expect([scene.a.open.length, scene.b.open.length]).toEqual([1, 1])
    })
  })

  test('a peer that has begun anew replaces its connection', async () => {
    await run('protected anew', {}, async ({ internet, a, b }) => {
      const first = await a.connect(b)
      await b.crash()
      const again = await internet.peer({
        name: 'b2',
        identity: b.identity,
        behind: internet.router({ nat: nat.T4() }),
        endToEnd: opensslEndToEnd,
      })
      const dial = again.dialPeer(a)
      internet.until(() => dial.ended !== undefined)
      expect(dial.link).toBeDefined()
      internet.advance(duration(1000))
      expect(first.closed).toBe('the other end began anew')
      expect(a.open.length).toBe(1)
    })
  })

  test('an idle pair that is direct costs as little as without protection', async () => {
    await run('protected idle', { behind: nat.T3() }, async ({ internet, a, b }) => {
      const link = await a.connect(b)
      internet.advance(duration(60_000))
      expect(link.path.kind).toBe('direct')
      const before = internet.sim.timeline.entries.length
      internet.advance(duration(600_000))
      expect(internet.sim.timeline.entries.length - before).toBeLessThan(1000)
    })
  })
})

describe('a peer that cannot be protected', () => {
  test('plaintext and protection do not connect, and both say why', async () => {
    await Internet.run('protected against plaintext', {}, async (internet) => {
      await internet.relay()
      const a = await internet.peer({ name: 'a', behind: nat.T3(), endToEnd: opensslEndToEnd })
      const b = await internet.peer({ name: 'b', behind: nat.T3() })
      await expect(a.connect(b)).rejects.toThrow('does not encrypt')
      internet.advance(duration(60_000))
      expect(a.open.length).toBe(0)
    })
  })
})
