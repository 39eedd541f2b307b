import { createHash } from 'node:crypto'
import { Cubic, duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { CHANNEL_BYTE, decode, type Endpoint, OP, RECORD_BYTE } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, isHandshake } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import {
  type Conditions,
  type Forgery,
  Internet,
  type NatBehaviour,
  nat,
  type Router,
  type SimConnection,
  type SimPeer,
  type SimPeerPlace,
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
      if (event.type === 'stream' && event.what === 'readable') this.#read(event.connection, event.stream)
    }
  }

  #read(link: number, stream: number): void {
    const key = `${link}/${stream}`
    this.peer.command((machine, now) => {
      const read = () => machine.readStream(link, stream, now)
      for (let found = read(); found !== undefined; found = read()) {
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
  readonly options?: SimPeerPlace
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
    const a = await internet.simPeer({ name: 'a', behind: routers[0], ...place })
    const b = await internet.simPeer({ name: 'b', behind: routers[1], ...place })
    await scenario({ internet, relay, routers, a, b })
  })

function incomingOf(peer: SimPeer): SimConnection {
  const [link] = peer.open
  if (link === undefined) throw new Error('no connection came in')
  return link
}

/** Writes a whole stream; what exceeds the send buffer waits in the transport. */
function sendStream(peer: SimPeer, link: number, bytes: Uint8Array): number {
  const stream = peer.command((machine, now) => {
    const id = machine.openStream(link, { priority: 0 }, now)
    if (typeof id !== 'number') return undefined
    for (let at = 0; at < bytes.length; at += 60_000)
      machine.writeStream(link, id, bytes.subarray(at, at + 60_000), now)
    machine.endStream(link, id, now)
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

  test.each([
    ['direct', 1500, 1452],
    ['direct', 1460, 1352],
    ['direct', 1300, 1232],
    ['relay', 1500, 1435],
    ['relay', 1400, 1335],
    ['relay', 1240, 1183],
  ] as const)('finds how much a path takes: %s, IP packets of %d bytes', async (kind, mtu, largest) => {
    const behind = kind === 'direct' ? nat.T2() : nat.T4()
    await run(`mtu ${kind} ${mtu}`, { behind, conditions: { mtu } }, async (scene) => {
      const link = await scene.a.connect(scene.b)
      scene.internet.advance(duration(20_000))
      const bytes = contents(300_000, 5)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
      expect(link.path.kind).toBe(kind)
      expect(scene.a.machine.statistics(link.id)?.mtu).toBe(largest)
      const largestDatagram = new Uint8Array(scene.a.machine.maxDatagramSize(link.id)).fill(9)
      scene.a.send(link.id, largestDatagram)
      scene.internet.advance(duration(1000))
      expect(scene.b.arrived.map((each) => each.bytes.length)).toEqual([largestDatagram.length])
    })
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
    const setting: Setting = { behind: nat.T2({ allocation: 'random' }), conditions: { bandwidth: 40e6 } }
    await run('protected rebinding', setting, async (scene) => {
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
      const { paths } = incomingOf(scene.b)
      const direct = paths.slice(paths.findIndex(({ kind }) => kind === 'direct'))
      expect([...new Set(direct.map(({ kind }) => kind))]).toEqual(['direct'])
      expect(new Set(direct.map(({ remote }) => remote.port)).size).toBe(2)
    })
  })

  // Two seeds: in one the sender has the smaller id, in the other the receiver.
  test.each([0, 3])('a NAT gives the receiver another port: the path is not suspected, seed %d', async (seed) => {
    const setting: Setting = {
      behind: nat.T2(),
      other: nat.T3({ allocation: 'random' }),
      conditions: { bandwidth: 100e6 },
      options: { congestion: (packet) => new Cubic(packet) },
    }
    await run(`protected receiver rebinding ${seed}`, setting, async ({ internet, a, b, routers }) => {
      const link = await a.connect(b)
      internet.advance(duration(30_000))
      const reader = new Reader(b)
      const key = `${incomingOf(b).id}/${sendStream(a, link.id, contents(15_000_000, 2))}`
      internet.advance(duration(600))
      const [before, port] = [reader.bytes.get(key) ?? 0, link.path.remote.port]
      routers[1].reboot()
      b.send(incomingOf(b).id, Uint8Array.of(1))
      const { entries } = internet.sim.timeline
      const from = entries.length
      internet.advance(duration(500))
      expect([link.path.kind, link.path.remote.port === port]).toEqual(['direct', false])
      // A path that was suspected would be asked by a 0x100.
      const keepAlives = entries.slice(from).filter((entry) => {
        const decoded = entry.type === 'packet' && entry.from === 'a' ? decode(entry.packet.bytes) : undefined
        return decoded?.ok === true && decoded.message.op_code === OP.keepAlive
      })
      expect(keepAlives).toEqual([])
      const megabits = (((reader.bytes.get(key) ?? 0) - before) * 8) / 500 / 1000
      expect(megabits).toBeGreaterThan(32)
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
      const again = await internet.simPeer({
        name: 'b2',
        identity: b.identity,
        behind: internet.router({ nat: nat.T4() }),
        endToEnd: opensslEndToEnd,
      })
      const dial = again.dialPeer(a)
      internet.until(() => dial.ended !== undefined)
      expect(dial.link).toBeDefined()
      internet.advance(duration(1000))
      expect(first.closed).toBe('the remote peer restarted')
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
      const a = await internet.simPeer({ name: 'a', behind: nat.T3(), endToEnd: opensslEndToEnd })
      const b = await internet.simPeer({ name: 'b', behind: nat.T3() })
      await expect(a.connect(b)).rejects.toThrow('does not encrypt')
      internet.advance(duration(60_000))
      expect(a.open.length).toBe(0)
    })
  })
})

/** What a relay does with every third channel frame that it should forward as it is. */
const DISHONESTY: Readonly<Record<string, (to: Endpoint, bytes: Uint8Array, memory: Forgery[]) => readonly Forgery[]>> =
  {
    alters: (to, bytes, memory) => {
      const forged = bytes.slice()
      const bit = (memory.length * 7919) % (bytes.length * 8)
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7))
      return [{ to, bytes: forged }]
    },
    drops: () => [],
    repeats: (to, bytes) => [1, 2, 3].map(() => ({ to, bytes })),
    reorders: (_to, _bytes, memory) => (memory.length % 5 === 0 ? memory.slice(-5).reverse() : []),
    'replays old ones': (to, bytes, memory) => [{ to, bytes }, memory[(memory.length * 31) % memory.length] as Forgery],
    reflects: (to, bytes, memory) => {
      const back = memory.find((each) => each.to.port !== to.port || each.to.ip !== to.ip)
      return [{ to, bytes }, ...(back === undefined ? [] : [{ to: back.to, bytes }])]
    },
    'cuts short': (to, bytes) => [{ to, bytes: bytes.subarray(0, bytes.length - 1) }],
  }

describe('a dishonest relay', () => {
  test.each(Object.keys(DISHONESTY))('that %s makes nobody accept anything wrong', async (name) => {
    const dishonest = DISHONESTY[name] as (typeof DISHONESTY)[string]
    let frames = 0
    const memory: Forgery[] = []
    await Internet.run(`dishonest: ${name}`, {}, async (internet) => {
      const relay = await internet.relay({
        tampers: (to, bytes) => {
          if (bytes[0] !== CHANNEL_BYTE) return [{ to, bytes }]
          memory.push({ to, bytes })
          return ++frames % 3 === 0 ? dishonest(to, bytes, memory) : [{ to, bytes }]
        },
      })
      const routers: [Router, Router] = [internet.router({ nat: nat.T4() }), internet.router({ nat: nat.T4() })]
      const [a, b] = [
        await internet.simPeer({ name: 'a', behind: routers[0], endToEnd: opensslEndToEnd }),
        await internet.simPeer({ name: 'b', behind: routers[1], endToEnd: opensslEndToEnd }),
      ]
      const scene = { internet, relay, routers, a, b }
      const link = await a.connect(b)
      const bytes = contents(200_000, 4)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
      for (let index = 0; index < 50; index++) a.send(link.id, Uint8Array.of(0xdd, index))
      internet.advance(duration(5000))
      const seen = b.arrived.map(({ bytes: [mark, index] }) => [mark, index].join())
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen.every((each) => /^221,\d+$/.test(each))).toBe(true)
      expect(frames).toBeGreaterThan(100)
      expect([a.open.length, b.open.length]).toEqual([1, 1])
    })
  })
})

describe('a stranger', () => {
  test('who saw everything can neither read, nor inject, nor reset, and gets no answer', async () => {
    await run('protected stranger', { behind: nat.T1() }, async (scene) => {
      const { internet, a, b, routers } = scene
      const link = await a.connect(b)
      const bytes = contents(50_000, 6)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
      internet.advance(duration(30_000))
      const stranger = internet.host('stranger')
      const socket = stranger.socket(6666)
      const heard: Uint8Array[] = []
      socket.onDatagrams((batch) => heard.push(...batch.map(({ bytes }) => bytes)))
      const records = internet.sim.timeline.entries.flatMap((entry) =>
        entry.type === 'packet' && entry.from === 'a' && entry.packet.bytes[0] === RECORD_BYTE
          ? [entry.packet.bytes]
          : [],
      )
      expect(records.length).toBeGreaterThan(30)
      const to = { ip: routers[1].external(4) as string, port: 49_152 }
      const before = b.machine.counters().recordRefused
      for (const [index, record] of records.entries()) {
        // As it was, with a number that never was, and with its end altered: what a close or a
        // reset would take.
        const future = record.slice()
        future[13] = 0x7f
        const altered = record.slice()
        altered[altered.length - 1 - (index % 16)] = (altered.at(-1 - (index % 16)) as number) ^ 0x40
        for (const each of [record, future, altered]) socket.send(to, each)
      }
      internet.advance(duration(10_000))
      expect(b.machine.counters().recordRefused - before).toBe(3 * records.length)
      expect(heard).toEqual([])
      expect([a.open.length, b.open.length, incomingOf(b).path.remote.port]).toEqual([1, 1, 49_152])
      await socket.close()
    })
  })

  test('who repeats parts of a handshake makes nobody compute', async () => {
    await run('protected handshake', { behind: nat.T1() }, async ({ internet, a, b, routers }) => {
      // Without an introduction there is no hello.
      internet.sim.network.filter = ({ bytes }) => {
        const decoded = decode(bytes)
        return !decoded.ok || decoded.message.op_code !== OP.punchPassRequest
      }
      await a.connect(b, 'relay-only')
      internet.sim.network.filter = undefined
      internet.advance(duration(30_000))
      const socket = internet.host('stranger').socket(6666)
      const to = { ip: routers[1].external(4) as string, port: 49_152 }
      // By the session that they were in, as they were and in a channel frame.
      const frames = internet.sim.timeline.entries.flatMap((entry) =>
        entry.type === 'packet' && entry.from === 'a' && entry.packet.bytes[0] === CHANNEL_BYTE
          ? [entry.packet.bytes]
          : [],
      )
      const handshakes = frames.filter((frame) => isHandshake(frame.subarray(CHANNEL_HEADER_BYTES)))
      expect(handshakes.length).toBeGreaterThan(0)
      const refused = b.machine.counters().handshakeRefused
      for (const frame of handshakes)
        for (const each of [frame, frame.slice(CHANNEL_HEADER_BYTES)]) socket.send(to, each)
      internet.advance(duration(10_000))
      expect(b.machine.counters().handshakeRefused - refused).toBe(2 * handshakes.length)
      await socket.close()
    })
  })
})

describe('somebody on the path', () => {
  test('who holds records back and sends them from elsewhere moves nothing, and gets no more than was sent', async () => {
    await run('protected held back', { behind: nat.T1() }, async (scene) => {
      const { internet, a, b, routers } = scene
      const { network } = internet.sim
      const link = await a.connect(b)
      const bytes = contents(20_000, 6)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
      internet.advance(duration(30_000))
      const to = { ip: routers[1].external(4) as string, port: 49_152 }
      const stranger = internet.host('stranger')
      const socket = stranger.socket(6666)
      const heard: Uint8Array[] = []
      socket.onDatagrams((batch) => heard.push(...batch.map(({ bytes }) => bytes)))
      /** Holds back the records that `a` sends because of this, in order. */
      const held = (because: () => void): readonly Uint8Array[] => {
        const records: Uint8Array[] = []
        network.filter = ({ destination, bytes: [first], bytes: record }, { name }) => {
          if (destination.ip !== to.ip || first !== RECORD_BYTE || name === 'stranger') return true
          records.push(record)
          return false
        }
        because()
        internet.advance(duration(10))
        network.filter = undefined
        return records
      }
      const say = (): void => void a.send(link.id, new Uint8Array(300))
      const give = (records: readonly Uint8Array[]): void => {
        for (const record of records) socket.send(to, record)
        internet.advance(duration(500))
      }
      const before = incomingOf(b).path.remote

      // Too short for a challenge that is no longer.
      const [short] = held(() => void a.send(link.id, Uint8Array.of(1)))
      expect(short?.length).toBeLessThan(42)
      give([short as Uint8Array])
      expect(heard).toEqual([])

      // Genuine, but older than what came meanwhile.
      const old = held(() => {
        say()
        say()
      })
      say()
      internet.advance(duration(500))
      give(old)
      expect([old.length, heard.length]).toEqual([2, 0])

      // The newest: it is asked once, and answers with nothing that it could make.
      const newest = held(() => {
        say()
        say()
        say()
      })
      give(newest)
      expect([newest.length, heard.length]).toEqual([3, 1])
      expect(heard[0]?.length).toBeLessThanOrEqual(newest[0]?.length as number)
      give(heard)
      internet.advance(duration(10_000))
      expect(incomingOf(b).path.remote).toEqual(before)
      expect(heard).toHaveLength(1)
      const arrived = b.arrived.length
      say()
      internet.advance(duration(500))
      expect(b.arrived.length).toBe(arrived + 1)
      await socket.close()
    })
  })
})

describe('a relay that knows only the seed', () => {
  test('carries the same records in its own words', async () => {
    await Internet.run('protected seed mode', {}, async (internet) => {
      const keys = ['a', 'b'].map((name) => internet.sim.identity(name).publicKey)
      const relay = await internet.relay({ knownKeys: keys })
      const knownKeys = [...keys, relay.identity.publicKey]
      const place = { endToEnd: opensslEndToEnd, seedMode: true, knownKeys }
      const a = await internet.simPeer({ name: 'a', ...place })
      const b = await internet.simPeer({ name: 'b', ...place })
      const link = await a.connect(b, 'relay-only')
      const scene = { internet, relay, a, b, routers: [] as unknown as [Router, Router] }
      const bytes = contents(60_000, 8)
      expect(arrives(scene, link, bytes)).toBe(digest(bytes))
      expect(link.path.kind).toBe('relay')
      expect(relay.machine.counters().channelForwarded).toBe(0)
      expect(Buffer.from(internet.pcap()).includes(Buffer.from(bytes.subarray(0, 32)))).toBe(false)
    })
  })
})
