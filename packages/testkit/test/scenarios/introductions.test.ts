/**
 * Introductions that bring keys (docs/protocol.md, Hello), between ends and relays of every kind, and on
 * a network that loses, delays and repeats them. Where each pairing has its test:
 *
 * | pairing | test |
 * |---|---|
 * | seed-only target, requester or relay | here: "where … speaks only the seed"; first-contacts.test.ts; protected.test.ts, "a relay that knows only the seed" |
 * | a target, requester or relay of before hello | here: "where … is of before hello" |
 * | each RSA size | here: "RSA-… introduced to RSA-…"; at an address and with a token: first-contacts.test.ts |
 * | the answer by the second relay first | here: "the answer by the second relay comes first" |
 * | a hello in several requests at once | here: "one hello goes by both relays" |
 * | 0x115 lost, or late | here: "the answer is lost …", "the answer comes …" |
 * | 0x112 replayed, before and after a restart | here: "a recorded introduction …"; with early data: early-data.test.ts |
 * | both dial, in each order | here: "both dial, …"; hello-exchange.test.ts, "when both dial"; with handles: handles.test.ts |
 * | relay-only | relay-only.test.ts |
 */
import { duration, type Instant, later } from '@showchain/client/core'
import { type KeyBits, messagePreimage, nodeEndToEnd } from '@showchain/crypto'
import {
  CHANNEL_BYTE,
  decode,
  encode,
  type Message,
  OP,
  type OpCode,
  RECORD_BYTE,
  type SignedMessage,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, isHandshake } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import type { SimPeer, SimPeerOptions, SimRelay } from '../../src/index.ts'
import { face, stateOf, take, wait } from '../face/bed.ts'
import { flow, isOver } from './exchange.ts'
import { Lab } from './lab.ts'

const SIZES: readonly KeyBits[] = [2048, 3072, 4096]
/** Of a relay that opens the session of an introduction (docs/protocol.md, Capabilities). */
const INTRODUCES = 16
/** By then every fallback has had its turn. */
const SETTLED = 40_000

const protectedBy = (options: SimPeerOptions = {}): SimPeerOptions => ({ endToEnd: nodeEndToEnd(), ...options })

interface Scene {
  readonly lab: Lab
  readonly alice: SimPeer
  readonly bob: SimPeer
  readonly relays: readonly SimRelay[]
}

const introduced = (
  seed: string,
  play: (scene: Scene) => void,
  {
    relays: count = 1,
    alice: ours,
    bob: theirs,
  }: { relays?: number; alice?: SimPeerOptions; bob?: SimPeerOptions } = {},
): Promise<void> =>
  Lab.run(seed, { latency: duration(20) }, (lab) => {
    const relays = Array.from({ length: count }, (_, index) => lab.relay(`relay ${index}`, `5.9.0.${index + 1}`))
    const alice = lab.peer('alice', '81.2.0.1', protectedBy(ours))
    const bob = lab.peer('bob', '93.4.0.1', protectedBy(theirs))
    for (const relay of relays) lab.registered(relay, alice, bob)
    lab.advance(2000)
    play({ lab, alice, bob, relays })
  })

const dial = (from: SimPeer, to: SimPeer, relays: readonly SimRelay[]) => from.dial(to.id, 'auto', { relays })

/** There is one connection, also when everything has settled, and it carries data both ways. */
function expectConnected({ lab, alice, bob }: Omit<Scene, 'relays'>): void {
  lab.until(() => alice.open.length > 0 && bob.open.length > 0)
  const exchange = (): void => {
    const link = (peer: SimPeer) => () => peer.open[0]?.id as number
    const how = { wanted: 3, pause: duration(20) }
    const flows = [flow(lab, alice, bob, link(alice), how), flow(lab, bob, alice, link(bob), how)]
    lab.until(() => flows.every(isOver))
    expect(flows.flatMap(({ deliveries }) => deliveries.filter(({ failure }) => failure !== undefined))).toEqual([])
  }
  exchange()
  lab.advance(SETTLED)
  exchange()
  for (const peer of [alice, bob]) {
    expect(peer.open).toHaveLength(1)
    expect(peer.links.size).toBe(1)
  }
}

/** Whether a handshake was made, beside hellos. */
const shookHands = (lab: Lab): boolean =>
  lab.sim.timeline.entries.some((entry) => {
    if (entry.type !== 'packet') return false
    const { bytes } = entry.packet
    if (bytes[0] === RECORD_BYTE) return isHandshake(bytes)
    if (bytes[0] === CHANNEL_BYTE) return isHandshake(bytes.subarray(CHANNEL_HEADER_BYTES))
    const decoded = decode(bytes)
    return decoded.ok && 'data' in decoded.message && isHandshake(decoded.message.data)
  })

/** Each hello that went in such messages, once. */
const hellosIn = (lab: Lab, ...ops: readonly OpCode[]): readonly string[] => [
  ...new Set(lab.sightings(...ops).flatMap(({ message }) => (message.ext?.hello ? [String(message.ext.hello)] : []))),
]

/** What becomes of a message on the network: gone, or something else in its place. */
function onTheWay(lab: Lab, change: (message: Message) => Message | 'lost' | undefined): void {
  const { network } = lab.sim
  const changed = new WeakSet<Uint8Array>()
  network.filter = (packet, from) => {
    const decoded = decode(packet.bytes)
    if (!decoded.ok || changed.has(packet.bytes)) return true
    const other = change(decoded.message)
    if (other === undefined) return true
    if (other !== 'lost') {
      const bytes = encode(other, 'binary')
      changed.add(bytes)
      network.carry({ ...packet, bytes }, from)
    }
    return false
  }
}

describe('where an end speaks only the seed', () => {
  test.each([
    ['the target', false, true],
    ['the requester', true, false],
    ['each end', true, true],
  ] as const)('where %s speaks only the seed the keys come of a handshake', (_who, ours, theirs) =>
    Lab.run(`seed ${ours} ${theirs}`, { latency: duration(20) }, (lab) => {
      const knownKeys = ['alice', 'bob', 'relay'].map((name) => lab.sim.identity(name).publicKey)
      const relay = lab.relay('relay', '5.9.0.1', { knownKeys })
      const alice = lab.peer('alice', '81.2.0.1', protectedBy({ knownKeys, seedMode: ours }))
      const bob = lab.peer('bob', '93.4.0.1', protectedBy({ knownKeys, seedMode: theirs }))
      lab.registered(relay, alice, bob)
      dial(alice, bob, [relay])
      expectConnected({ lab, alice, bob })
      expect(hellosIn(lab, OP.punchAck)).toEqual([])
      expect(shookHands(lab)).toBe(true)
    }),
  )
})

describe('where somebody is of before hello', () => {
  /** Without what it does not know, signed by its sender all the same. */
  const without = (lab: Lab, signer: SimPeer | SimRelay, message: Message, ext: Message['ext']): Message => {
    const unsigned = { ...message, ext } as SignedMessage
    return { ...unsigned, sign: signer.identity.signNow(messagePreimage(lab.sim.provider, unsigned)) }
  }

  test.each([
    ['the target', OP.punchPassRequest],
    ['the requester', OP.punchRequest],
  ] as const)('where %s is of before hello, the keys come of a handshake', (who, op) =>
    introduced(`before ${who}`, (scene) => {
      const { lab, alice, relays } = scene
      onTheWay(lab, (message) => {
        if (message.op_code !== op || message.ext?.hello === undefined) return undefined
        return without(lab, alice, message, { ...message.ext, hello: undefined })
      })
      dial(alice, scene.bob, relays)
      expectConnected(scene)
      expect(hellosIn(lab, OP.punchAck)).toEqual([])
      expect(shookHands(lab)).toBe(true)
    }),
  )

  test('where the relay is of before hello, it passes hellos on and is asked for a session', () =>
    Lab.run('relay before', { latency: duration(20) }, (lab) => {
      const relay = lab.relay()
      onTheWay(lab, (message) => {
        const caps = message.ext?.caps ?? 0
        if (message.op_code !== OP.directResponse || (caps & INTRODUCES) === 0) return undefined
        return without(lab, relay, message, { ...message.ext, caps: caps & ~INTRODUCES })
      })
      const alice = lab.peer('alice', '81.2.0.1', protectedBy())
      const bob = lab.peer('bob', '93.4.0.1', protectedBy())
      lab.registered(relay, alice, bob)
      dial(alice, bob, [relay])
      expectConnected({ lab, alice, bob })
      expect(lab.sightings(OP.proxyRequest).length).toBeGreaterThan(0)
      expect(hellosIn(lab, OP.punchPassAck)).toHaveLength(1)
    }))
})

describe('each RSA size', () => {
  test.each(SIZES.flatMap((from) => SIZES.map((to) => [from, to] as const)))(
    'RSA-%i introduced to RSA-%i: a hello each way where there is room for it, else a handshake',
    (from, to) =>
      Lab.run(`sizes ${from} ${to}`, { latency: duration(20) }, (lab) => {
        const [relay] = [lab.relay()]
        const keyed = (name: string, bits: KeyBits): SimPeerOptions =>
          protectedBy({ identity: lab.sim.provider.identity(name, bits) })
        const alice = lab.peer('alice', '81.2.0.1', keyed('alice', from))
        const bob = lab.peer('bob', '93.4.0.1', keyed('bob', to))
        lab.registered(relay, alice, bob)
        dial(alice, bob, [relay])
        expectConnected({ lab, alice, bob })
        const fits = from < 4096 && to < 4096
        expect(hellosIn(lab, OP.punchPassAck).length).toBe(fits ? 1 : 0)
        expect(shookHands(lab)).toBe(!fits)
      }),
  )
})

describe('by two relays', () => {
  test('one hello goes by both relays, has one answer, and makes one connection', () =>
    introduced(
      'two relays',
      (scene) => {
        dial(scene.alice, scene.bob, scene.relays)
        expectConnected(scene)
        expect(scene.lab.sightings(OP.punchPassRequest).length).toBeGreaterThanOrEqual(2)
        expect(hellosIn(scene.lab, OP.punchRequest)).toHaveLength(1)
        expect(hellosIn(scene.lab, OP.punchAck)).toHaveLength(1)
        expect(shookHands(scene.lab)).toBe(false)
      },
      { relays: 2 },
    ))

  test('the answer by the second relay comes first: it has the keys, and the first one is another path', () =>
    introduced(
      'second first',
      (scene) => {
        const { lab, alice, bob, relays } = scene
        const { network, clock } = lab.sim
        const [slow, fast] = relays
        const held = new WeakSet<Uint8Array>()
        network.filter = (packet, from) => {
          const decoded = decode(packet.bytes)
          const late =
            decoded.ok && decoded.message.op_code === OP.punchPassAck && packet.source.ip === slow?.endpoint.ip
          if (!late || held.has(packet.bytes)) return true
          const bytes = packet.bytes.slice()
          held.add(bytes)
          clock.schedule(later(clock.now(), duration(500)), () => network.carry({ ...packet, bytes }, from))
          return false
        }
        const dialled = dial(alice, bob, relays)
        lab.until(() => dialled.ended !== undefined)
        expect(alice.open[0]?.paths[0]).toMatchObject({ kind: 'relay', relay: fast?.identity.id })
        expectConnected(scene)
        expect(shookHands(lab)).toBe(false)
      },
      { relays: 2 },
    ))
})

describe('the answer to an introduction', () => {
  test.each([1, 2, 3])('the answer is lost %i times: the request is repeated, and has the same one', (lost) =>
    introduced(`lost ${lost}`, (scene) => {
      let left = lost
      onTheWay(scene.lab, ({ op_code }) => (op_code === OP.punchPassAck && left-- > 0 ? 'lost' : undefined))
      dial(scene.alice, scene.bob, scene.relays)
      expectConnected(scene)
      expect(left).toBeLessThan(0)
      expect(hellosIn(scene.lab, OP.punchAck)).toHaveLength(1)
    }),
  )

  test('the answer is always lost: the keys come of a handshake', () =>
    introduced('always lost', (scene) => {
      onTheWay(scene.lab, ({ op_code }) => (op_code === OP.punchPassAck ? 'lost' : undefined))
      dial(scene.alice, scene.bob, scene.relays)
      expectConnected(scene)
      expect(shookHands(scene.lab)).toBe(true)
    }))

  test.each([100, 900, 1050, 1100, 1150, 1200, 1500, 3000, 20_000])(
    'the answer comes %i ms late: one connection',
    (late) =>
      introduced(`late ${late}`, (scene) => {
        const { network, clock } = scene.lab.sim
        const held = new WeakSet<Uint8Array>()
        network.filter = (packet, from) => {
          const decoded = decode(packet.bytes)
          if (!decoded.ok || decoded.message.op_code !== OP.punchPassAck || held.has(packet.bytes)) return true
          const bytes = packet.bytes.slice()
          held.add(bytes)
          clock.schedule(later(clock.now(), duration(late)), () => network.carry({ ...packet, bytes }, from))
          return false
        }
        dial(scene.alice, scene.bob, scene.relays)
        expectConnected(scene)
      }),
  )
})

describe('a recorded introduction', () => {
  test.each(['within the minute', 'later', 'after a restart'])(
    'played again %s opens nothing, and has no other answer than before',
    (when) =>
      face(`replay ${when}`, async (scene) => {
        const { internet, alice } = scene
        const { network, timeline } = internet.sim
        const replays: (() => void)[] = []
        network.filter = (packet, station) => {
          const decoded = decode(packet.bytes)
          const copy = { ...packet, bytes: packet.bytes.slice() }
          if (decoded.ok && decoded.message.op_code === OP.punchPassRequest)
            replays.push(() => network.carry(copy, station))
          return true
        }
        let { bob } = scene
        const ours = await alice.connect(bob.ticket.replace(/&addr=[^&]*/g, ''))
        await take(bob.incoming)
        await wait(scene, 2000)
        network.filter = () => true
        await ours.close()
        await wait(scene, when === 'later' ? 400_000 : 2000)
        if (when === 'after a restart') {
          await bob.close()
          bob = await internet.peer({ name: 'bob' })
          await wait(scene, 2000)
        }
        const [since, received] = [timeline.entries.length, bob.counters().received]
        const more = bob.incoming.next()
        for (const replay of replays) replay()
        await wait(scene, SETTLED)
        expect(replays.length).toBeGreaterThan(0)
        expect(bob.counters().received).toBeGreaterThan(received)
        expect(await stateOf(more)).toBe('pending')
        const answers = timeline.entries.map((entry) => {
          const decoded = entry.type === 'packet' ? decode(entry.packet.bytes) : undefined
          return decoded?.ok === true && decoded.message.op_code === OP.punchAck
            ? String(decoded.message.sign)
            : undefined
        })
        const again = answers.slice(since).filter((each) => each !== undefined)
        // A repetition of a request that was just answered is one to which the answer was lost.
        if (when === 'within the minute') expect(answers.slice(0, since)).toEqual(expect.arrayContaining(again))
        else expect(again).toEqual([])
        await bob.close()
        await more
      }),
  )
})

describe('both dial', () => {
  // One trip on the network takes 20 ms, an introduction four.
  const DELAYS = [0, 10, 30, 50, 70, 90, 110]
  test.each(DELAYS.flatMap((delay) => ['alice', 'bob'].map((first) => [first, delay] as const)))(
    'both dial, %s first, the other one %i ms later: one connection, and no handshake',
    (first, delay) =>
      introduced(`glare ${first} ${delay}`, (scene) => {
        const { lab, alice, bob, relays } = scene
        const { clock } = lab.sim
        const start: Instant = clock.now()
        const [one, two] = first === 'alice' ? [alice, bob] : [bob, alice]
        const dials = [dial(one, two, relays)]
        if (delay === 0) dials.push(dial(two, one, relays))
        else clock.schedule(later(start, duration(delay)), () => dials.push(dial(two, one, relays)))
        lab.until(() => dials.length === 2 && dials.every(({ ended }) => ended !== undefined))
        expect(dials.every(({ link }) => link !== undefined)).toBe(true)
        expectConnected(scene)
        expect(shookHands(lab)).toBe(false)
      }),
  )
})
