/** A relay as a node of a fleet, and everything that may come over a bus. */

import { TokenMint } from '@showchain/crypto/core'
import {
  type Endpoint,
  encode,
  OP,
  type PeerId,
  type SessionId,
  sessionIdFromBytes,
  sessionIdToBytes,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, writeChannelHeader } from '@showchain/wire/end-to-end'
import { type FleetItem, type FleetStatus, fleetTag, sessionNode, writeSessionNode } from '@showchain/wire/fleet'
import { describe, expect, test } from 'vitest'
import { hmacSha256, hmacSha256Of, messageTo, open, SECRET } from './fleet-messages.ts'
import { Bed, data, identityOf, only, openSession, ops, provider, type TestPeer } from './relay-bed.ts'

const [OWN, OTHER, THIRD] = [3, 4, 5]
const STATUS: FleetStatus = { kind: 'status', bindings: 0, sessions: 0, draining: false, addresses: [] }
const fromOther = (bed: Bed, items: readonly FleetItem[], how: Parameters<typeof messageTo>[2] = {}): Uint8Array =>
  messageTo(bed.unixMs, items, { from: OTHER, to: OWN, ...how })

const noRandom = { bytes: (length: number) => new Uint8Array(length), uint32: () => 0, uniform: () => 0 }

/** A node that knows one other. */
function node(limits: ConstructorParameters<typeof Bed>[0] = {}): Bed {
  const bed = new Bed({ fleet: { node: OWN, secret: SECRET }, ...limits })
  bed.hears(fromOther(bed, [STATUS], { to: 'all' }))
  bed.said.splice(0)
  return bed
}

/** Without what its bans look like, which goes with its status. */
const said = (bed: Bed): readonly { to: unknown; item: FleetItem }[] =>
  saidAll(bed).filter(({ item }) => item.kind !== 'bans')

const saidAll = (bed: Bed): readonly { to: unknown; item: FleetItem }[] =>
  bed.said.splice(0).flatMap(({ to, bytes }) => open(bytes).map((item) => ({ to, item })))

/** A peer that is registered at the other node. */
const remote = (number = 9): { identity: ReturnType<typeof identityOf>; at: Endpoint; id: PeerId } => {
  const identity = identityOf(number)
  return { identity, id: identity.id, at: { ip: '203.0.113.9', port: 999 } }
}

/** As `hears`, where what it sends is no message. */
function hearsFrames(bed: Bed, message: Uint8Array): readonly { to: Endpoint; bytes: Uint8Array }[] {
  bed.machine.fleetReceived(message, bed.now)
  const sent: { to: Endpoint; bytes: Uint8Array }[] = []
  for (let output = bed.machine.poll(); output !== undefined; output = bed.machine.poll())
    if (output.type === 'transmit') sent.push({ to: output.to, bytes: output.bytes })
  return sent
}

/** A session of a node. */
function sessionOf(number: number): SessionId {
  const session = new Uint8Array(16).fill(0xcc)
  writeSessionNode(session, number)
  return sessionIdFromBytes(session)
}

/** A frame for a session of a node. */
function frameFor(number: number, length = 40): Uint8Array {
  const frame = new Uint8Array(CHANNEL_HEADER_BYTES + length).fill(7)
  writeChannelHeader(frame, sessionIdToBytes(sessionOf(number)))
  return frame
}

describe('the ids of sessions', () => {
  test('end with the number of the node', () => {
    const bed = node()
    const [requester, target] = [bed.registered(), bed.registered()]
    const sessions = [1, 2, 3].map(() => sessionIdToBytes(openSession(bed, requester, target)))
    expect(sessions.map((id) => sessionNode(id, 0))).toEqual([OWN, OWN, OWN])
  })

  test('of a relay without a fleet say nothing', () => {
    const bed = new Bed()
    const [requester, target] = [bed.registered(), bed.registered()]
    expect(sessionNode(sessionIdToBytes(openSession(bed, requester, target)), 0)).toBe(0)
    expect(bed.said).toEqual([])
    expect(bed.machine.deadline).toBeLessThan(bed.now + 2000)
  })
})

describe('a relay of a fleet', () => {
  test('says how it is at once, each second until it hears others, then each 5 s, and to whoever is new', () => {
    const bed = new Bed({ fleet: { node: OWN, secret: SECRET, addresses: [{ ip: '192.0.2.1', port: 3478 }] } })
    bed.pass(0)
    const first = said(bed)
    expect(first).toEqual([{ to: 'all', item: { ...STATUS, addresses: [{ ip: '192.0.2.1', port: 3478 }] } }])
    bed.pass(3000)
    expect(said(bed)).toHaveLength(3)
    bed.hears(fromOther(bed, [STATUS], { to: 'all' }))
    expect(said(bed)).toMatchObject([{ to: OTHER, item: { kind: 'status' } }])
    bed.pass(11_000)
    expect(said(bed)).toHaveLength(3)
    bed.hears(fromOther(bed, [STATUS], { to: 'all' }))
    expect(said(bed)).toEqual([])
    expect(bed.events.at(-1)).toEqual({ type: 'fleetNode', node: OTHER, state: 'joined' })
    expect(bed.machine.fleetNodes).toMatchObject([{ node: OTHER, bindings: 0 }])
  })

  test('forgets a node that is silent for 16 s', () => {
    const bed = node()
    bed.pass(15_000)
    expect(bed.machine.stats().fleetNodes).toBe(1)
    bed.pass(6_000)
    expect(bed.machine.stats().fleetNodes).toBe(0)
    expect(bed.events.at(-1)).toEqual({ type: 'fleetNode', node: OTHER, state: 'lost' })
  })

  test('asks all nodes for a peer that it does not have, and then the one that answered', () => {
    const bed = node()
    const [requester, target] = [bed.registered(), remote()]
    said(bed)
    bed.send(requester, { op_code: OP.punchRequest, target: target.id, id: requester.id })
    const [asked] = said(bed)
    expect(asked).toMatchObject({ to: 'all', item: { kind: 'deliver', peer: target.id } })
    const session = openSession(bed, requester, target as unknown as TestPeer)
    const frame = new Uint8Array(60).fill(1)
    writeChannelHeader(frame, sessionIdToBytes(session))
    const arrived = {
      kind: 'arrived',
      peer: target.id,
      from: target.at,
      key: new Uint8Array(0),
      datagram: frame,
    } as const
    expect(hearsFrames(bed, fromOther(bed, [arrived]))).toEqual([{ to: requester.source, bytes: frame }])
    said(bed)
    bed.sendBytes(requester.source, frame)
    expect(said(bed)).toEqual([{ to: OTHER, item: { kind: 'deliver', peer: target.id, datagram: frame } }])
  })
})

describe('the budget of a target that has not answered', () => {
  /** Of a requester at this node: how many of six messages are passed on to a target at the other node, or here. */
  const passed = (bed: Bed, requester: TestPeer, target: { readonly id: PeerId }): number => {
    const session = openSession(bed, requester, target as unknown as TestPeer)
    said(bed)
    return [1, 2, 3, 4, 5, 6].filter(() => {
      const sent = bed.send(requester, data(requester, target as unknown as TestPeer, session))
      return sent.length + said(bed).length > 0
    }).length
  }
  const hears = (bed: Bed): void => void bed.hears(fromOther(bed, [STATUS], { to: 'all' }))

  test('is whole again when the nodes were silent for 11 s, as what they were sent reached nobody', () => {
    const bed = node()
    const requester = bed.registered()
    bed.pass(1)
    expect([passed(bed, requester, remote()), passed(bed, requester, remote())]).toEqual([4, 0])
    bed.pass(10_999)
    expect(passed(bed, requester, remote())).toBe(0)
    hears(bed)
    expect([passed(bed, requester, remote()), passed(bed, requester, remote())]).toEqual([4, 0])
  })

  test.each([
    ['of one at the other node after a shorter silence', 10_998, false],
    ['of one at this node', 10_999, true],
  ] as const)('is not, %s', (_which, silence, isHere) => {
    const bed = node()
    const requester = bed.registered()
    const target = isHere ? bed.registered() : remote()
    bed.pass(1)
    expect(passed(bed, requester, target)).toBe(4)
    bed.pass(silence)
    hears(bed)
    expect(passed(bed, requester, target)).toBe(0)
  })
})

describe('what names a session of another node', () => {
  test('goes there from the address that its sender is bound to, with that address', () => {
    const bed = node()
    const peer = bed.registered()
    said(bed)
    bed.sendBytes(peer.source, frameFor(OTHER))
    const { ip, port } = peer.source
    const passed = { kind: 'arrived', peer: peer.id, from: { ip, port }, key: new Uint8Array(0) }
    expect(said(bed)).toEqual([{ to: OTHER, item: { ...passed, datagram: frameFor(OTHER) } }])
  })

  test('goes nowhere from another address, which is told', () => {
    const bed = node()
    const peer = bed.registered()
    said(bed)
    const sent = bed.sendBytes({ ...peer.source, port: 77 }, frameFor(OTHER))
    expect(ops(sent)).toEqual([OP.error])
    expect(said(bed)).toEqual([])
    expect(bed.count('unbound')).toBe(1)
  })

  test('costs the rate of its sender', () => {
    const bed = node({ limits: { framesPerSecondPerId: 1, frameBurstPerId: 2 } })
    const peer = bed.registered()
    said(bed)
    for (let count = 0; count < 5; count++) bed.sendBytes(peer.source, frameFor(OTHER))
    expect(said(bed)).toHaveLength(2)
    expect(bed.count('rateLimited')).toBe(3)
  })

  test('costs the rate of its sender, as a message', () => {
    const bed = node({ limits: { dataPerSecondPerId: 1, dataBurstPerId: 2 } })
    const peer = bed.registered()
    said(bed)
    const ack = { op_code: OP.proxyDataAck, session: sessionOf(OTHER), seq: 1, ts: 2 } as const
    for (let count = 0; count < 5; count++) bed.send(peer, ack)
    expect(said(bed)).toHaveLength(2)
    expect(bed.count('rateLimited')).toBe(3)
  })

  test('of a node that is not there is what nobody has', () => {
    const bed = node()
    const peer = bed.registered()
    said(bed)
    bed.sendBytes(peer.source, frameFor(THIRD))
    expect(said(bed)).toEqual([])
    expect(bed.count('noSession')).toBe(1)
  })

  test('gets an error where other nodes are heard, and nothing where none is: the bus may be away', () => {
    const bed = node()
    const peer = bed.registered()
    const nobodys = data(peer, remote() as unknown as TestPeer, sessionOf(THIRD))
    expect(ops(bed.send(peer, nobodys))).toEqual([OP.error])
    bed.pass(21_000)
    expect(ops(bed.send(peer, nobodys))).toEqual([])
    expect(ops(bed.send(peer, data(peer, remote() as unknown as TestPeer, sessionOf(OWN))))).toEqual([OP.error])
  })

  test('has the key of its sender where a signature is verified', () => {
    const bed = node()
    const peer = bed.registered()
    said(bed)
    const other = remote() as unknown as TestPeer
    bed.send(peer, data(peer, other, sessionOf(OTHER)))
    expect(said(bed)).toMatchObject([{ to: OTHER, item: { kind: 'arrived', key: peer.key.spki } }])
  })
})

describe('a message of another node', () => {
  const nobody = (bed: Bed): FleetItem => ({ kind: 'deliver', peer: bed.peer().id, datagram: frameFor(OTHER) })

  test('counts by the secret of the fleet alone', () => {
    const bed = node()
    const message = fromOther(bed, [nobody(bed)])
    bed.hears(message)
    expect(said(bed)).toMatchObject([{ to: OTHER, item: { kind: 'gone' } }])
    const flips = Array.from({ length: message.length * 8 }, (_, bit) => bit)
    for (const bit of flips) {
      const changed = message.slice()
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      bed.hears(changed)
    }
    bed.hears(fromOther(bed, [nobody(bed)], { secret: new Uint8Array(32).fill(1) }))
    bed.hears(new Uint8Array(0))
    bed.hears(new Uint8Array(70_000))
    expect(said(bed)).toEqual([])
    expect(bed.count('fleetRefused')).toBe(flips.length + 3)
  })

  test('makes it write to no node that it does not know', () => {
    const bed = node()
    for (let from = THIRD; from < 200; from++) bed.hears(fromOther(bed, [nobody(bed)], { from }))
    expect(said(bed)).toEqual([])
  })

  test('is for this node or for all', () => {
    const bed = node()
    bed.hears(fromOther(bed, [nobody(bed)], { to: THIRD }))
    expect(said(bed)).toEqual([])
    expect(bed.count('fleetRefused')).toBe(1)
  })

  test.each([-31_000, 31_000])('does not count %d ms later', (ms) => {
    const bed = node()
    bed.hears(messageTo(bed.unixMs + ms, [nobody(bed)], { from: OTHER, to: OWN }))
    expect(said(bed)).toEqual([])
    expect(bed.count('fleetStale')).toBe(1)
  })

  test('of a node with this number does not count, and is reported once in a minute', () => {
    const bed = node()
    for (let count = 0; count < 10; count++) bed.hears(fromOther(bed, [nobody(bed)], { from: OWN, life: 77 }))
    expect(said(bed)).toEqual([])
    expect(bed.count('fleetTwin')).toBe(10)
    const reports = bed.events.filter((event) => event.type === 'fleetNode' && event.state === 'duplicate')
    expect(reports).toHaveLength(1)
  })

  test('that is its own comes back without being counted', () => {
    const bed = node()
    bed.pass(5000)
    const [own] = bed.said.splice(0)
    bed.hears(own?.bytes as Uint8Array)
    expect(bed.count('fleetTwin')).toBe(0)
    expect(bed.count('fleetRefused')).toBe(0)
  })

  test('has an end that is within the message', () => {
    const bed = node()
    const message = fromOther(bed, [nobody(bed)])
    message[18] = 0xff
    fleetTag(message).set(hmacSha256(message.subarray(0, -16)).subarray(0, 16))
    bed.hears(message)
    expect(bed.count('fleetRefused')).toBe(1)
  })
})

describe('deliver', () => {
  const passed = (to: TestPeer, from: TestPeer) =>
    encode(
      {
        ...{ op_code: OP.punchPassRequest, target: to.id, id: from.id, seq: 1, ts: 2, ...from.source },
        session: Buffer.from(new Uint8Array(16)).toString('base64url') as never,
        sign: new Uint8Array(256),
        ext: { key: from.key.spki, caps: 4, local: [{ ip: '10.0.0.1', port: 1 }] },
      },
      'binary',
    )

  test('sends to the peer in its encoding, and only what is for it', () => {
    const bed = node({ knownKeys: [identityOf(1).publicKey] })
    const seed = bed.registered({ seedMode: true, encoding: 'json' })
    const near = bed.registered({ source: { ip: '203.0.113.5', port: 5 } })
    const other = bed.peer({ source: { ip: '203.0.113.5', port: 6 } })
    const toSeed = bed.hears(fromOther(bed, [{ kind: 'deliver', peer: seed.id, datagram: passed(seed, other) }]))
    expect(toSeed.map(({ encoding, to }) => [encoding, to])).toEqual([['json', seed.source]])
    expect(only(toSeed, OP.punchPassRequest).ext).toEqual({ caps: 4 })
    const toNear = bed.hears(fromOther(bed, [{ kind: 'deliver', peer: near.id, datagram: passed(near, other) }]))
    expect(only(toNear, OP.punchPassRequest).ext).toMatchObject({ key: other.key.spki, local: [{ port: 1 }] })
    const far = bed.registered()
    const toFar = bed.hears(fromOther(bed, [{ kind: 'deliver', peer: far.id, datagram: passed(far, other) }]))
    expect(Object.keys(only(toFar, OP.punchPassRequest).ext ?? {}).sort()).toEqual(['caps', 'key'])
  })

  test.each([
    ['a registration', (peer: TestPeer) => encode({ op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }, 'binary')],
    ['no message', () => Uint8Array.of(0xb1, 1, 2)],
    ['the header of a frame', () => frameFor(OTHER, 0)],
    ['STUN', () => new Uint8Array(20)],
  ])('sends no %s', (_what, datagram) => {
    const bed = node()
    const peer = bed.registered()
    expect(bed.hears(fromOther(bed, [{ kind: 'deliver', peer: peer.id, datagram: datagram(peer) }]))).toEqual([])
    expect(bed.count('fleetRefused')).toBe(1)
  })
})

describe('bound', () => {
  test('is said of a peer that is new here, or moves', () => {
    const bed = node()
    const peer = bed.registered()
    expect(said(bed)).toEqual([{ to: 'all', item: { kind: 'bound', peer: peer.id, at: bed.unixMs } }])
    bed.register(peer)
    expect(said(bed)).toEqual([])
    peer.source = { ...peer.source, port: 9999 }
    bed.register(peer)
    expect(said(bed)).toMatchObject([{ item: { kind: 'bound', peer: peer.id } }])
  })

  test('elsewhere ends the older binding, and no newer one', () => {
    const bed = node()
    const peer = bed.registered()
    const heard = bed.unixMs
    bed.hears(fromOther(bed, [{ kind: 'bound', peer: peer.id, at: heard - 1 }]))
    expect(bed.machine.stats().bindings).toBe(1)
    bed.pass(1000)
    bed.hears(fromOther(bed, [{ kind: 'bound', peer: peer.id, at: heard + 1 }]))
    expect(bed.machine.stats().bindings).toBe(0)
    expect(bed.count('fleetMoved')).toBe(1)
    expect(bed.events.at(-1)).toMatchObject({ type: 'unbound', id: peer.id, why: 'elsewhere' })
  })

  test('elsewhere says where what its sessions have for the peer goes from now on', () => {
    const bed = node()
    const [requester, target] = [bed.registered(), bed.registered()]
    const session = openSession(bed, requester, target)
    const frame = new Uint8Array(60).fill(1)
    writeChannelHeader(frame, sessionIdToBytes(session))
    bed.sendBytes(target.source, frame)
    bed.pass(1000)
    bed.hears(fromOther(bed, [{ kind: 'bound', peer: requester.id, at: bed.unixMs }]))
    said(bed)
    bed.sendBytes(target.source, frame)
    expect(said(bed)).toEqual([{ to: OTHER, item: { kind: 'deliver', peer: requester.id, datagram: frame } }])
  })
})

describe('arrived', () => {
  test('counts only for the peer that it came from, whoever it says it is of', () => {
    const bed = node()
    const [requester, target, stranger] = [bed.registered(), remote(9), remote(10)]
    const at = { identity: target.identity, source: target.at }
    const session = openSession(bed, requester, bed.peer(at))
    const datagram = bed.bytesOf(bed.peer(at), data(bed.peer(at), requester, session))
    const from = (peer: PeerId): FleetItem => ({
      ...{ kind: 'arrived', peer, from: target.at, key: target.identity.publicKey.spki, datagram },
    })
    expect(bed.hears(fromOther(bed, [from(stranger.id)]))).toEqual([])
    expect(bed.count('unbound')).toBe(1)
    expect(ops(bed.hears(fromOther(bed, [from(target.id)])))).toEqual([OP.proxyPassData])
  })

  test('for a session of this node counts only for an end of it', () => {
    const bed = node()
    const [requester, target, stranger] = [bed.registered(), remote(9), remote(10)]
    const session = openSession(bed, requester, target as unknown as TestPeer)
    const frame = new Uint8Array(60).fill(1)
    writeChannelHeader(frame, sessionIdToBytes(session))
    const from = (peer: PeerId): FleetItem => ({
      ...{ kind: 'arrived', peer, from: target.at, key: new Uint8Array(0), datagram: frame },
    })
    const passed = (): number => bed.count('channelForwarded')
    hearsFrames(bed, fromOther(bed, [from(stranger.id)]))
    expect(passed()).toBe(0)
    // The requester's are not passed on before the target has answered.
    hearsFrames(bed, fromOther(bed, [from(requester.id)]))
    expect([passed(), bed.count('consentExhausted')]).toEqual([0, 1])
    hearsFrames(bed, fromOther(bed, [from(target.id)]))
    expect(passed()).toBe(1)
  })

  test.each([
    ['a 0x101', (peer: TestPeer) => encode({ op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }, 'binary')],
    ['no message', () => Uint8Array.of(0xb1, 1, 2)],
  ])('with %s is refused', (_what, datagram) => {
    const bed = node()
    const peer = bed.peer()
    const key = new Uint8Array(0)
    bed.hears(fromOther(bed, [{ kind: 'arrived', peer: peer.id, from: peer.source, key, datagram: datagram(peer) }]))
    expect(bed.count('fleetRefused')).toBe(1)
  })
})

test('all nodes are asked for one peer not more often than 20 times at once', () => {
  const bed = node()
  const target = remote()
  for (let peers = 0; peers < 5; peers++) {
    const requester = bed.registered()
    for (let count = 0; count < 10; count++)
      bed.send(requester, { op_code: OP.punchRequest, target: target.id, id: requester.id })
  }
  expect([bed.count('fleetAsked'), bed.count('fleetNotAsked')]).toEqual([20, 30])
})

describe('an address that only a token stands for', () => {
  function byToken(): { bed: Bed; peer: TestPeer } {
    const bed = node()
    const peer = bed.registered()
    const token = new TokenMint(provider, noRandom, {
      secret: hmacSha256Of(SECRET, 'SHOWCHAIN-P2P-v1 fleet tokens'),
      unixMs: () => bed.unixMs,
    })
    // Bound there no more, and known to this node by the token of another.
    bed.pass(61_000)
    bed.hears(fromOther(bed, [STATUS], { to: 'all' }))
    said(bed)
    peer.source = { ...peer.source, port: 8888 }
    const ext = { key: peer.key.spki, token: token.issue(0, peer.source.ip, peer.id), pad: 500 }
    bed.send(peer, { op_code: OP.directRequest, id: peer.id, target: bed.id, ext })
    return { bed, peer }
  }

  test('is bound by the token of another node, and told to nobody', () => {
    const { bed } = byToken()
    expect(bed.machine.stats().bindings).toBe(1)
    expect(said(bed)).toEqual([])
  })

  test('speaks to no other node before it has proved itself, and then does', () => {
    const { bed, peer } = byToken()
    bed.sendBytes(peer.source, frameFor(OTHER))
    expect(said(bed)).toEqual([])
    bed.register(peer)
    expect(said(bed)).toMatchObject([{ to: 'all', item: { kind: 'bound', peer: peer.id } }])
    bed.sendBytes(peer.source, frameFor(OTHER))
    expect(said(bed)).toMatchObject([{ to: OTHER, item: { kind: 'arrived' } }])
  })
})
