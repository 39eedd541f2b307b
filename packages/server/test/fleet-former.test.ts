/** Frames of a peer that registered at another node of the fleet, and sends by the address that it had here. */
import { TokenMint } from '@showchain/crypto/core'
import { type Endpoint, OP, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { type FleetItem, type FleetStatus, writeSessionNode } from '@showchain/wire/fleet'
import { describe, expect, test } from 'vitest'
import { hmacSha256Of, messageTo, open, SECRET } from './fleet-messages.ts'
import { Bed, type BedOptions, channelFrame, openSession, provider, type TestPeer } from './relay-bed.ts'

const [OWN, OTHER, THIRD] = [3, 4, 5]
const STATUS: FleetStatus = { kind: 'status', bindings: 0, sessions: 0, draining: false, addresses: [] }
const SECOND = 1000
const BYTES = 1000

/** A node that knows two others. */
function node(options: BedOptions = {}): Bed {
  const bed = new Bed({ fleet: { node: OWN, secret: SECRET }, ...options })
  for (const from of [OTHER, THIRD]) hears(bed, STATUS, from)
  said(bed)
  return bed
}

const hears = (bed: Bed, item: FleetItem, from = OTHER, to: number | 'all' = OWN): void =>
  void bed.hears(messageTo(bed.unixMs, [item], { from, to }))
const moves = (bed: Bed, { id }: TestPeer): void => {
  bed.pass(SECOND)
  hears(bed, { kind: 'bound', peer: id, at: bed.unixMs }, OTHER, 'all')
  said(bed)
}
const said = (bed: Bed): readonly { to: unknown; item: FleetItem }[] =>
  bed.said
    .splice(0)
    .flatMap(({ to, bytes }) => open(bytes).map((item) => ({ to, item })))
    .filter(({ item }) => item.kind !== 'bans' && item.kind !== 'status')

/** Two peers with a session of this node, of which the target registered at the other node. */
function left(options: BedOptions = {}) {
  const bed = node(options)
  const [requester, target] = [bed.registered(), bed.registered()]
  const session = openSession(bed, requester, target)
  const frame = channelFrame(session, BYTES)
  bed.sendBytes(target.source, frame)
  moves(bed, target)
  const before = bed.count('channelForwarded')
  return {
    ...{ bed, requester, target, session, frame },
    sends: (source: Endpoint = target.source): void => void bed.sendBytes(source, frame),
    passed: (): number => bed.count('channelForwarded') - before,
  }
}

/** A frame for a session of the third node, of a peer that registered at the other one. */
function away() {
  const bed = node()
  const peer = bed.registered()
  const id = new Uint8Array(16).fill(0xcc)
  writeSessionNode(id, THIRD)
  const frame = channelFrame(sessionIdFromBytes(id) as SessionId, BYTES)
  moves(bed, peer)
  const deliver = (to: number | 'all'): readonly { to: unknown; item: FleetItem }[] => {
    hears(bed, { kind: 'deliver', peer: peer.id, datagram: frame }, THIRD, to)
    return said(bed)
  }
  return { bed, peer, frame, deliver }
}

describe('a frame from where a peer was bound that registered at another node', () => {
  test('is passed on for 10 s, and nobody is told', () => {
    const { bed, sends, passed } = left()
    for (const ms of [0, 5 * SECOND, 4 * SECOND]) {
      bed.pass(ms)
      sends()
    }
    expect([passed(), bed.count('unboundSent')]).toEqual([3, 0])
    bed.pass(SECOND)
    sends()
    expect([passed(), bed.count('unboundSent')]).toEqual([3, 1])
  })

  test('is nobody’s at another address, or in a session that the peer is no end of', () => {
    const { bed, target, sends, passed } = left()
    sends({ ...target.source, port: target.source.port + 1 })
    const strangers = channelFrame(openSession(bed, bed.registered(), bed.registered()), BYTES)
    bed.sendBytes(target.source, strangers)
    expect([passed(), bed.count('unbound')]).toEqual([0, 2])
  })

  test('is somebody else’s who registers there', () => {
    const { bed, target, sends, passed } = left()
    bed.registered({ source: target.source })
    sends()
    expect([passed(), bed.count('unbound')]).toEqual([0, 1])
  })

  test('has the rate of a peer', () => {
    const { bed, sends, passed } = left({ limits: { framesPerSecondPerId: 1, frameBurstPerId: 3 } })
    for (let count = 0; count < 5; count++) sends()
    expect([passed(), bed.count('rateLimited')]).toEqual([3, 2])
  })

  test('is the peer’s again that registers here', () => {
    const { bed, target, sends, passed } = left()
    bed.register(target)
    sends()
    expect(passed()).toBe(1)
    expect(bed.count('fleetPassed')).toBe(0)
  })

  test('goes to the node of its session, which reaches the peer there meanwhile', () => {
    const { bed, peer, frame, deliver } = away()
    expect(deliver(OWN)).toEqual([{ to: THIRD, item: { kind: 'gone', peer: peer.id } }])
    bed.sendBytes(peer.source, frame)
    expect(said(bed)).toMatchObject([{ to: THIRD, item: { kind: 'arrived', peer: peer.id, datagram: frame } }])
    expect(deliver(OWN)).toEqual([])
    expect(bed.count('fleetDelivered')).toBe(1)
    // The node where it is now answers that.
    expect(deliver('all')).toEqual([])
    expect(bed.count('fleetDelivered')).toBe(1)
    bed.pass(10 * SECOND)
    // Nodes that say nothing are gone.
    hears(bed, STATUS, THIRD)
    said(bed)
    expect(deliver(OWN)).toEqual([{ to: THIRD, item: { kind: 'gone', peer: peer.id } }])
  })

  test('is nobody’s where only a token stood for the address', () => {
    const bed = node()
    const peer = bed.registered()
    const secret = hmacSha256Of(SECRET, 'SHOWCHAIN-P2P-v1 fleet tokens')
    const random = { bytes: (length: number) => new Uint8Array(length), uint32: () => 0, uniform: () => 0 }
    const token = new TokenMint(provider, random, { secret, unixMs: () => bed.unixMs })
    bed.pass(61 * SECOND)
    for (const from of [OTHER, THIRD]) hears(bed, STATUS, from)
    peer.source = { ...peer.source, port: 8888 }
    const ext = { key: peer.key.spki, token: token.issue(0, peer.source.ip, peer.id), pad: 500 }
    bed.send(peer, { op_code: OP.directRequest, id: peer.id, target: bed.id, ext })
    const target = bed.registered()
    const session = openSession(bed, target, peer)
    moves(bed, peer)
    bed.sendBytes(peer.source, channelFrame(session, BYTES))
    expect([bed.count('fleetMoved'), bed.count('channelForwarded'), bed.count('unbound')]).toEqual([1, 0, 1])
  })

  test.each([
    ['an id', { id: { day: 100 * BYTES } }],
    ['all', { total: { day: 100 * BYTES } }],
  ])('counts for the quota of %s, and no byte more gets through', (_what, quotas) => {
    const { bed, sends, passed } = left({ quotas })
    for (let count = 0; count < 200; count++) sends()
    expect(passed()).toBe(99)
    expect(bed.count('overQuota')).toBe(101)
  })

  test('counts as what it has: what was taken in advance comes back', () => {
    const { bed, target, sends, passed } = left({ quotas: { id: { day: 1e9 } } })
    for (let count = 0; count < 200; count++) sends()
    expect(passed()).toBe(200)
    bed.pass(20 * SECOND)
    expect(bed.usage.get(`id:${target.id}`)?.monthBytes).toBe(201 * BYTES)
    expect(bed.machine.access.isIdle).toBe(false)
    bed.pass(60 * SECOND)
    expect(bed.machine.access.isIdle).toBe(true)
  })
})
