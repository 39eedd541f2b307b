/** Nodes that share a port: frames of peers that are bound at another one of them. */
import { FIRST_CONNECTION } from '@showchain/client/endpoint'
import { TokenMint } from '@showchain/crypto/core'
import { type Endpoint, OP, type PeerId, type SessionId, sessionIdFromBytes, sessionIdToBytes } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, isChannelFrame, writeChannelHeader } from '@showchain/wire/end-to-end'
import { type FleetItem, writeSessionNode } from '@showchain/wire/fleet'
import { describe, expect, test } from 'vitest'
import { hmacSha256Of, messageTo, open, SECRET } from './fleet-messages.ts'
import {
  Bed,
  type BedOptions,
  countingRandom,
  identityOf,
  openSession,
  permitsOf,
  provider,
  type TestPeer,
} from './relay-bed.ts'

const STRANGER: Endpoint = { ip: '203.0.113.77', port: 7777 }

function frameOf(session: SessionId, mark = 0, bytes = CHANNEL_HEADER_BYTES + 60): Uint8Array {
  const frame = new Uint8Array(bytes).fill(mark)
  writeChannelHeader(frame, sessionIdToBytes(session))
  return frame
}

interface Sent {
  /** The number of the node whose socket it left. */
  readonly by: number
  readonly to: Endpoint
  readonly bytes: Uint8Array
}

/** Nodes on one port, numbered from 0, and a bus between them that takes no time. */
class Port {
  readonly beds: readonly Bed[]
  /** Kinds of items that were said, and by which node. */
  readonly said: (readonly [by: number, kind: FleetItem['kind']])[] = []
  /** Nobody hears anybody. */
  down = false
  #sent: Sent[] = []

  constructor(nodes = 2, options: BedOptions = {}) {
    const all = Array.from({ length: nodes }, (_, node) => node)
    this.beds = all.map(
      (node) => new Bed({ ...options, fleet: { node, secret: SECRET, beside: all.filter((other) => other !== node) } }),
    )
    this.pass(0)
  }

  bed(node: number): Bed {
    return this.beds[node] as Bed
  }

  /** A peer that is registered at a node. */
  registered(node: number, number: number, source = { ip: `198.51.100.${number}`, port: 4000 }): TestPeer {
    const peer = this.bed(node).registered({ identity: identityOf(number), source })
    this.#carry()
    return peer
  }

  registers(node: number, peer: TestPeer): void {
    this.bed(node).register(peer)
    this.#carry()
  }

  /** A datagram comes to the socket of a node. @returns what leaves, errors and all */
  receives(node: number, source: Endpoint, bytes: Uint8Array): readonly Sent[] {
    return this.does(node, ({ machine, now }) => machine.receive({ bytes, source }, now))
  }

  /** Says something in the name of a node. */
  hears(node: number, from: number, item: FleetItem): readonly Sent[] {
    const message = messageTo(this.bed(node).unixMs, [item], { from, to: node })
    return this.does(node, ({ machine, now }) => machine.fleetReceived(message, now))
  }

  does(node: number, act: (bed: Bed) => void): readonly Sent[] {
    this.#sent = []
    act(this.bed(node))
    this.#poll(node)
    this.#carry()
    return this.#sent
  }

  pass(ms: number): void {
    for (const bed of this.beds) bed.pass(ms)
    this.#carry()
  }

  #poll(node: number): void {
    const { machine, said, events } = this.bed(node)
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      if (output.type === 'transmit') this.#sent.push({ by: node, to: output.to, bytes: output.bytes.slice() })
      else if (output.type !== 'event') continue
      else if (output.event.type === 'fleet') said.push(output.event)
      else events.push(output.event)
    }
  }

  #carry(): void {
    for (let node = this.beds.findIndex(({ said }) => said.length > 0); node !== -1; ) {
      for (const { to, bytes } of this.bed(node).said.splice(0)) {
        for (const { kind } of open(bytes)) if (kind !== 'status') this.said.push([node, kind])
        for (const [other, { machine, now }] of this.beds.entries()) {
          if (this.down || other === node || (to !== 'all' && to !== other)) continue
          machine.fleetReceived(bytes.slice(), now)
          this.#poll(other)
        }
      }
      node = this.beds.findIndex(({ said }) => said.length > 0)
    }
  }
}

/** R is bound at node 0 and has a session to T, which is bound at node 1 and has said something in it. */
function joined(port = new Port()) {
  const [requester, target] = [port.registered(0, 1), port.registered(1, 2)]
  const session = openSession(port.bed(0), requester, target)
  port.receives(0, target.source, frameOf(session))
  port.said.splice(0)
  return {
    ...{ port, requester, target, session },
    fromTarget: (source = target.source, mark = 1) => port.receives(0, source, frameOf(session, mark)),
    toTarget: (mark = 2) => port.receives(0, requester.source, frameOf(session, mark)),
  }
}

const places = (sent: readonly Sent[]) => sent.map(({ by, to: { ip, port } }) => ({ by, ip, port }))
const frames = (sent: readonly Sent[]) => places(sent.filter(({ bytes }) => isChannelFrame(bytes)))

/** The session of a node, which has one like it. */
function ofNode(session: SessionId, node: number): SessionId {
  const id = sessionIdToBytes(session)
  writeSessionNode(id, node)
  return sessionIdFromBytes(id)
}

describe('a peer that is bound at another node of the port', () => {
  test('is passed on by its own node once, and by the node of the session from then on', () => {
    const port = new Port()
    const [requester, target] = [port.registered(0, 1), port.registered(1, 2)]
    const session = openSession(port.bed(0), requester, target)
    port.said.splice(0)
    expect(places(port.receives(0, target.source, frameOf(session)))).toEqual([{ by: 0, ...requester.source }])
    expect(port.said).toEqual([
      [0, 'handed'],
      [1, 'arrived'],
      [0, 'share'],
      [1, 'shared'],
    ])
    port.said.splice(0)
    expect(places(port.receives(0, target.source, frameOf(session)))).toEqual([{ by: 0, ...requester.source }])
    expect(places(port.receives(0, requester.source, frameOf(session)))).toEqual([{ by: 0, ...target.source }])
    expect(port.said).toEqual([])
    expect(port.bed(0).count('fleetShared')).toBe(2)
  })

  test('stays registered by frames that its node does not see, and by nothing else', () => {
    const { port, requester, target, fromTarget, toTarget } = joined()
    for (let second = 0; second < 100; second++) {
      port.pass(1000)
      port.registers(0, requester)
      expect(frames(fromTarget())).toHaveLength(1)
    }
    // What goes to it shows nothing of it.
    for (let second = 0; second < 62; second++) {
      port.pass(1000)
      port.registers(0, requester)
      toTarget()
    }
    expect(port.bed(1).machine.sourceOf(target.id, port.bed(1).now)).toBeUndefined()
    expect(frames(toTarget())).toEqual([])
  })

  test('is nobody at another address', () => {
    const { port, fromTarget } = joined()
    const sent = fromTarget(STRANGER)
    expect(frames(sent)).toEqual([])
    expect(places(sent)).toEqual([{ by: 1, ...STRANGER }])
    expect(port.bed(1).count('unboundSent')).toBe(1)
  })

  test('that moves gets nothing at its old address, and is nobody there', () => {
    const { port, requester, target, fromTarget, toTarget } = joined()
    const old = target.source
    target.source = { ...old, port: 5001 }
    port.registers(1, target)
    expect(frames(toTarget())).toEqual([{ by: 1, ...target.source }])
    expect(frames(fromTarget(old))).toEqual([])
    expect(frames(fromTarget(target.source))).toEqual([{ by: 0, ...requester.source }])
    port.said.splice(0)
    expect(frames(toTarget())).toEqual([{ by: 0, ...target.source }])
    expect(port.said).toEqual([])
  })

  test('that registers at the node of the session is bound there', () => {
    const { port, target, toTarget } = joined()
    target.source = { ...target.source, port: 5001 }
    port.registers(0, target)
    expect(frames(toTarget())).toEqual([{ by: 0, ...target.source }])
  })

  test('that registers at a third node is bound there', () => {
    const { port, target, fromTarget, toTarget } = joined(new Port(3))
    const old = target.source
    target.source = { ...old, port: 5001 }
    port.registers(2, target)
    expect(frames(toTarget())).toEqual([{ by: 2, ...target.source }])
    expect(frames(fromTarget(old))).toEqual([])
  })

  test('that a third node says is bound there gets nothing at its old address, whatever its own node says', () => {
    const { port, target, toTarget } = joined(new Port(3))
    port.pass(1)
    port.hears(0, 2, { kind: 'bound', peer: target.id, at: port.bed(2).unixMs })
    expect(frames(toTarget())).toEqual([])
  })

  test('that is kicked gets nothing from that moment on', () => {
    const { port, target, toTarget } = joined()
    port.does(1, ({ machine, now }) => void machine.access.kick(target.id, now))
    expect(frames(toTarget())).toEqual([])
  })

  test.each([
    ['is kicked', ({ machine, now }: Bed, id: PeerId) => machine.access.kick(id, now)],
    ['is banned', ({ machine }: Bed, id: PeerId) => machine.access.ban({ who: id, until: undefined } as never)],
  ])('that %s gets nothing, and is nobody', (_what, act) => {
    const { port, target, fromTarget, toTarget } = joined()
    port.does(1, (bed) => void act(bed, target.id))
    for (let second = 0; second < 10; second++) {
      port.pass(1000)
      fromTarget()
    }
    expect(frames(toTarget())).toEqual([])
    expect(frames(fromTarget())).toEqual([])
  })

  test('goes by its own node again when that does not answer for 3 s', () => {
    const { port, target, toTarget } = joined()
    port.down = true
    for (const ms of [1000, 1000, 900]) {
      port.pass(ms)
      expect(frames(toTarget())).toEqual([{ by: 0, ...target.source }])
    }
    port.pass(100)
    expect(toTarget()).toEqual([])
  })

  test('has the rate of a peer', () => {
    const { port, fromTarget } = joined(new Port(2, { limits: { framesPerSecondPerId: 1, frameBurstPerId: 3 } }))
    const passed = Array.from({ length: 5 }, () => frames(fromTarget()).length)
    expect(passed).toEqual([1, 1, 1, 0, 0])
    expect(port.bed(0).count('rateLimited')).toBe(2)
  })

  test('by a connection is passed on by its own node', () => {
    const port = new Port()
    const [requester, target] = [port.registered(0, 1), port.registered(1, 2)]
    target.source = { ...target.source, socket: FIRST_CONNECTION } as Endpoint
    port.registers(1, target)
    const session = openSession(port.bed(0), requester, target)
    for (let count = 0; count < 2; count++)
      expect(frames(port.receives(1, target.source, frameOf(session)))).toEqual([{ by: 0, ...requester.source }])
    expect(frames(port.receives(0, { ...target.source, socket: 0 } as Endpoint, frameOf(session)))).toEqual([])
    expect(port.bed(0).count('fleetShared')).toBe(0)
  })
})

describe('a peer whose bytes are counted', () => {
  const BYTES = 1000
  const SECOND = 1000
  const DAY = 86_400_000

  /** As `joined`. */
  function counted(options: BedOptions) {
    const there = joined(new Port(2, options))
    const { port, session, target } = there
    const frame = frameOf(session, 1, BYTES)
    /** Frames of the target that got through, of so many. */
    const sends = (count: number): number => {
      let passed = 0
      for (let sent = 0; sent < count; sent++) passed += frames(port.receives(0, target.source, frame)).length
      return passed
    }
    return { ...there, sends }
  }

  test('is passed on by the node of the session all the same, by what its own node lends', () => {
    const { port, sends } = counted({ quotas: { id: { day: 1e9 } } })
    port.said.splice(0)
    expect(sends(2000)).toBe(2000)
    expect(port.bed(0).count('fleetShared')).toBeGreaterThanOrEqual(1990)
    expect(port.said.filter(([, kind]) => kind === 'handed').length).toBeLessThan(10)
    // Each loan is twice the one before, up to 1 MiB: 64, 128, 256, 512, 1024, 1024 KiB.
    expect(port.said.filter(([, kind]) => kind === 'share').length).toBeLessThan(8)
  })

  test.each([
    ['an id', { id: { day: 100 * BYTES } }],
    ['a source', { source: { month: 100 * BYTES } }],
    ['all', { total: { day: 100 * BYTES } }],
  ])('has the quota of %s, and no byte more', (_what, quotas) => {
    const { port, sends } = counted({ quotas })
    const passed = sends(300)
    expect(passed).toBeLessThan(100)
    // Less than a frame is left at either node.
    expect(passed).toBeGreaterThanOrEqual(97)
    expect(port.bed(0).count('fleetShared')).toBeGreaterThan(0)
    expect(port.bed(1).count('overQuota')).toBe(300 - passed)
  })

  test('has the bytes of its permit and no byte more, and is bound no longer then', () => {
    const port = new Port(2, { takesPermits: true, limits: { accessSeconds: 3600 } })
    const issued = (bytes?: number): Uint8Array =>
      permitsOf(identityOf(0)).issue(countingRandom(), { untilMs: port.bed(0).unixMs + DAY, bytes })
    const registers = (node: number, peer: TestPeer, permit: Uint8Array): void => {
      port.does(node, (bed) => void bed.register(peer, { key: peer.key.spki, permit }))
    }
    const peers = [1, 2].map((number) =>
      port.bed(0).peer({ identity: identityOf(number), source: { ip: `198.51.100.${number}`, port: 4000 } }),
    )
    const [requester, target] = peers as [TestPeer, TestPeer]
    registers(0, requester, issued())
    registers(1, target, issued(200 * BYTES))
    const session = openSession(port.bed(0), requester, target)
    const frame = frameOf(session, 1, BYTES)
    const passed = Array.from({ length: 400 }, () => frames(port.receives(0, target.source, frame)).length)
    const sum = passed.reduce((total, each) => total + each, 0)
    expect(sum).toBeLessThanOrEqual(200)
    expect(sum).toBeGreaterThanOrEqual(197)
    expect(port.bed(0).count('fleetShared')).toBeGreaterThan(0)
    expect(port.bed(1).count('permitUsedUp')).toBe(1)
    expect(port.bed(1).machine.stats().bindings).toBe(0)
  })

  test('is counted by what it sent: what was lent and not needed comes back', () => {
    const { port, target, session, sends } = counted({ quotas: { id: { day: 1e9 } } })
    expect(sends(500)).toBe(500)
    // What is shared ends after 3 s, which is looked at each 5 s; what was taken in advance, with the binding.
    port.pass(9 * SECOND)
    port.does(1, ({ machine, now }) => void machine.access.kick(target.id, now))
    port.pass(2 * SECOND)
    const first = frameOf(session).length
    expect(port.bed(1).usage.get(`id:${target.id}`)?.monthBytes).toBe(first + 500 * BYTES)
    expect(port.said.filter(([, kind]) => kind === 'repaid')).toEqual([[0, 'repaid']])
  })

  test('is lent a sixteenth of what is left, and no more', () => {
    const { port, target, sends } = counted({ quotas: { id: { day: 160 * BYTES } } })
    expect(sends(20)).toBe(20)
    port.pass(1500)
    // What it sent, what each node has at hand, and one more loan.
    expect(port.bed(1).usage.get(`id:${target.id}`)?.dayBytes).toBeLessThanOrEqual(50 * BYTES)
  })

  test('is repaid at once what is lent of it and not needed any more', () => {
    const port = new Port(2, { quotas: { id: { day: 1e9 } } })
    const target = port.registered(1, 2)
    port.said.splice(0)
    port.hears(0, 1, { kind: 'shared', peer: target.id, at: target.source, lent: 5000 })
    expect(port.said).toEqual([[0, 'repaid']])
  })

  test('that moves at its own node repays what it was lent, and has its quota there', () => {
    const { port, target, sends } = counted({ quotas: { id: { day: 200 * BYTES } } })
    const first = sends(100)
    target.source = { ...target.source, port: 5001 }
    port.registers(1, target)
    expect(port.said.filter(([, kind]) => kind === 'repaid')).toHaveLength(1)
    const all = first + sends(300)
    expect(all).toBeLessThanOrEqual(200)
    expect(all).toBeGreaterThanOrEqual(197)
  })

  test('is handed to its own node when that does not answer, and nothing is passed on that it has not counted', () => {
    const { port, sends } = counted({ quotas: { id: { day: 1e9 } } })
    port.down = true
    const passed = sends(1000)
    expect(passed).toBeLessThan(100)
    port.pass(2 * SECOND)
    expect(sends(1000)).toBe(0)
  })

  test('beyond a rate is lent nothing, and asked for again 20 times a second at most', () => {
    const { port, sends } = counted({ quotas: { bytesPerSecond: 100_000 } })
    port.said.splice(0)
    let passed = 0
    for (let tick = 0; tick < 100; tick++) {
      passed += sends(10)
      port.pass(10)
    }
    expect(passed).toBeLessThan(160)
    expect(port.said.filter(([, kind]) => kind === 'share').length).toBeLessThanOrEqual(60)
  })
})

test('a peer that only a token stands for is not said to be anywhere', () => {
  const { port, target, toTarget } = joined()
  const token = new TokenMint(provider, countingRandom(), {
    secret: hmacSha256Of(SECRET, 'SHOWCHAIN-P2P-v1 fleet tokens'),
    unixMs: () => port.bed(1).unixMs,
  })
  port.pass(61_000)
  target.source = { ...target.source, port: 8888 }
  const ext = { key: target.key.spki, token: token.issue(0, target.source.ip, target.id), pad: 500 }
  const { id } = port.bed(1)
  port.does(1, (bed) => void bed.send(target, { op_code: OP.directRequest, id: target.id, target: id, ext }))
  expect(port.bed(1).machine.stats().bindings).toBe(1)
  port.said.splice(0)
  port.hears(1, 0, { kind: 'share', peer: target.id, heard: false, wants: 0 })
  expect(port.bed(1).count('fleetVouched')).toBe(1)
  expect(port.said).toEqual([[1, 'shared']])
  expect(frames(toTarget())).toEqual([])
})

describe('a frame', () => {
  test('that came with those of another session goes to the node that has its own', () => {
    const { port, requester, target, session } = joined()
    const back = openSession(port.bed(1), target, requester)
    expect(frames(port.receives(0, target.source, frameOf(back)))).toEqual([])
    // The requester has answered.
    port.receives(1, requester.source, frameOf(back))
    expect(frames(port.receives(0, target.source, frameOf(back)))).toEqual([{ by: 1, ...requester.source }])
    expect(frames(port.receives(1, target.source, frameOf(session)))).toEqual([{ by: 0, ...requester.source }])
  })

  test('whose sender one node alone may know is refused by that one', () => {
    const { port, session } = joined()
    expect(places(port.receives(1, STRANGER, frameOf(session)))).toEqual([{ by: 1, ...STRANGER }])
    expect(port.said.filter(([, kind]) => kind === 'handed')).toHaveLength(2)
  })

  test('whose sender any of several nodes may know is refused by none', () => {
    const port = new Port(3)
    const requester = port.registered(0, 1)
    const session = openSession(port.bed(0), requester, port.bed(1).peer({ identity: identityOf(2) }))
    expect(port.receives(0, STRANGER, frameOf(session))).toEqual([])
    expect(port.beds.map((bed) => bed.count('unboundSent'))).toEqual([0, 0, 0])
  })

  test('of a session with both ends here is asked about nowhere', () => {
    const port = new Port()
    const [requester, target] = [port.registered(0, 1), port.registered(0, 2)]
    const session = openSession(port.bed(0), requester, target)
    port.said.splice(0)
    expect(places(port.receives(0, STRANGER, frameOf(session)))).toEqual([{ by: 0, ...STRANGER }])
    expect(port.said).toEqual([])
  })

  test('is handed over not more often than one peer may send', () => {
    const { port, session } = joined(new Port(2, { limits: { framesPerSecondPerId: 1, frameBurstPerId: 3 } }))
    for (let count = 0; count < 10; count++) port.receives(0, { ...STRANGER, port: 100 + count }, frameOf(session))
    expect(port.said.filter(([, kind]) => kind === 'handed')).toHaveLength(3)
  })
})

describe('what nodes of one port say', () => {
  const says = (target: TestPeer, session: SessionId): readonly FleetItem[] => [
    { kind: 'shared', peer: target.id, at: STRANGER, lent: 1 },
    { kind: 'share', peer: target.id, heard: true, wants: 1 },
    { kind: 'repaid', peer: target.id, bytes: 1 },
    { kind: 'handed', alone: true, from: target.source, datagram: frameOf(session) },
  ]

  test('counts from these nodes alone', () => {
    const { port, session, target, toTarget } = joined()
    for (const item of says(target, session)) expect(port.hears(0, 9, item)).toEqual([])
    expect(port.bed(0).count('fleetRefused')).toBe(4)
    expect(frames(toTarget())).toEqual([{ by: 0, ...target.source }])
  })

  test('means nothing to a node that has its port alone', () => {
    const bed = new Bed({ fleet: { node: 0, secret: SECRET } })
    const [requester, target] = [bed.registered(), bed.registered()]
    const session = openSession(bed, requester, target)
    for (const item of says(target, session)) bed.hears(messageTo(bed.unixMs, [item], { from: 1, to: 0 }))
    expect(bed.count('fleetRefused')).toBe(4)
  })

  test('of where a peer is counts when it was asked, and from the node of the peer', () => {
    const port = new Port(3)
    const [requester, target] = [port.registered(0, 1), port.registered(1, 2)]
    const session = openSession(port.bed(0), requester, target)
    const at = { kind: 'shared', peer: target.id, at: STRANGER, lent: 0 } as const
    port.hears(0, 1, at)
    expect(frames(port.receives(0, STRANGER, frameOf(session)))).toEqual([])
    port.receives(0, target.source, frameOf(session))
    port.hears(0, 2, at)
    expect(frames(port.receives(0, requester.source, frameOf(session)))).toEqual([{ by: 0, ...target.source }])
  })

  test('of a session that nobody has is dropped', () => {
    const { port, target, session } = joined()
    const unknown = ofNode(session, 1)
    expect(port.receives(1, target.source, frameOf(unknown))).toEqual([])
    expect(port.receives(0, target.source, frameOf(unknown))).toEqual([])
    expect(port.bed(1).count('noSession')).toBe(2)
  })
})
