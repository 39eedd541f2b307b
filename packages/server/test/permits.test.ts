/** docs/protocol.md, Permits: who shows one may use the relay, for so long and so much. */
import { type PermitTerms, readPermit } from '@showchain/crypto/core'
import type { RelayCounter, Usage } from '@showchain/server'
import { OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import {
  Bed,
  type BedOptions,
  channelFrame,
  countingRandom,
  identityOf,
  only,
  openSession,
  ops,
  permitsOf,
  type TestPeer,
} from './relay-bed.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const FRAME = 1200

/** A relay that takes permits, and what makes them. */
function permitting(options: BedOptions = {}) {
  const bed = new Bed({ takesPermits: true, ...options })
  const random = countingRandom()
  const issue = (terms: Partial<PermitTerms> = {}): Uint8Array =>
    permitsOf(bed.identity).issue(random, { untilMs: bed.unixMs + HOUR, ...terms })
  const shows = (peer: TestPeer, permit: Uint8Array) => bed.register(peer, { key: peer.key.spki, permit })
  /** A peer that stays registered. */
  const stays = (peer: TestPeer, ms: number): void => {
    for (let passed = 0; passed < ms; passed += 5 * SECOND) {
      bed.pass(5 * SECOND)
      bed.send(peer, { op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 })
    }
  }
  return { bed, issue, shows, stays }
}

const refused = (bed: Bed, sent: Parameters<typeof only>[0], why: RelayCounter & keyof typeof WIRE_ERROR): void => {
  expect(only(sent, OP.error)).toMatchObject({ code: WIRE_ERROR[why], ref_op: OP.directRequest })
  expect([bed.machine.stats().bindings, bed.count(why)]).toEqual([0, 1])
}

describe('a relay that takes permits', () => {
  test('binds who shows one for it or for anybody, and nobody is asked', () => {
    const { bed, issue, shows } = permitting({ asks: true })
    const [one, two] = [bed.peer(), bed.peer()]
    for (const [peer, permit] of [
      [one, issue({ id: one.id, bytes: 1e9 })],
      [two, issue()],
    ] as const) {
      expect(ops(shows(peer, permit))).toEqual(bed.applied.length === 0 ? [OP.directResponse] : [])
      for (const question of bed.applied.slice(-1)) expect(question.granted).toBe(true)
      bed.decide('allowed')
    }
    expect(bed.machine.stats().bindings).toBe(2)
  })

  test.each(['binary', 'json'] as const)('takes one in %s', (encoding) => {
    const { bed, issue, shows } = permitting()
    const peer = bed.peer({ encoding })
    expect(ops(shows(peer, issue({ id: peer.id })))).toEqual([OP.directResponse])
  })

  test('refuses who shows none', () => {
    const { bed } = permitting()
    refused(bed, bed.register(bed.peer()), 'permitNeeded')
  })

  test('refuses one for another id', () => {
    const { bed, issue, shows } = permitting()
    refused(bed, shows(bed.peer(), issue({ id: identityOf(77).id })), 'permitForAnother')
  })

  test('refuses one that is over', () => {
    const { bed, issue, shows } = permitting()
    refused(bed, shows(bed.peer(), issue({ untilMs: bed.unixMs - SECOND })), 'permitExpired')
  })

  test('refuses one that another key made, or that somebody changed', () => {
    const { bed, issue, shows } = permitting()
    const [peer, terms] = [bed.peer(), { untilMs: bed.unixMs + HOUR }]
    refused(bed, shows(peer, permitsOf(identityOf(78)).issue(countingRandom(), terms)), 'permitUnknown')
    const longer = issue()
    longer[17] = 0xff
    expect(only(shows(peer, longer), OP.error).code).toBe(WIRE_ERROR.permitUnknown)
  })

  test('looks at none before the signature: what anybody says with one makes no difference', () => {
    const { bed, issue } = permitting()
    const peer = bed.peer()
    const request = { op_code: OP.directRequest, id: peer.id, target: bed.id } as const
    const ext = { key: peer.key.spki, permit: issue() }
    const { cookie } = only(bed.send(peer, { ...request, ext }), OP.challenge)
    const sign = new Uint8Array(peer.key.signatureLength)
    expect(bed.send(peer, { ...request, ext: { ...ext, cookie }, sign })).toEqual([])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('lets in whom its owner lets in, too, and tells others what they lack', () => {
    const { bed, issue, shows } = permitting({ asks: true })
    const [friend, stranger] = [bed.peer(), bed.peer()]
    bed.register(friend)
    expect(ops(bed.decide('allowed'))).toEqual([OP.directResponse])
    shows(stranger, issue({ id: friend.id }))
    expect(only(bed.decide('refused'), OP.error).code).toBe(WIRE_ERROR.permitForAnother)
  })

  test('keeps a decision of a permit for nobody else: who shows none at the same place is refused', () => {
    const { bed, issue, shows } = permitting({ asks: true })
    const peer = bed.peer()
    shows(peer, issue({ bytes: 1e9 }))
    bed.decide('allowed')
    bed.register(peer)
    expect(only(bed.decide('refused'), OP.error).code).toBe(WIRE_ERROR.permitNeeded)
  })

  test('takes one back by a ban of its number, of who is registered, too, and leaves others', () => {
    const { bed, issue, shows } = permitting()
    const [peer, other, late] = [bed.peer(), bed.peer(), bed.peer()]
    const permit = issue()
    shows(peer, permit)
    shows(other, issue())
    bed.machine.access.ban({ who: `permit:${readPermit(permit)?.number}` })
    bed.pass(11 * SECOND)
    expect(bed.events).toContainEqual({ type: 'unbound', id: peer.id, at: peer.source, why: 'refused' })
    expect(bed.machine.stats().bindings).toBe(1)
    expect(only(shows(late, permit), OP.error).code).toBe(WIRE_ERROR.refused)
    bed.machine.access.unban(`permit:${readPermit(permit)?.number}`)
    bed.pass(2 * SECOND)
    expect(ops(shows(peer, permit))).toEqual([OP.directResponse])
  })

  test('ends the registration when the time of the permit is over', () => {
    const { bed, issue, shows, stays } = permitting({ limits: { accessSeconds: 10 } })
    const [peer, other] = [bed.peer(), bed.peer()]
    shows(other, issue())
    shows(peer, issue({ untilMs: bed.unixMs + 60 * SECOND }))
    stays(peer, 55 * SECOND)
    expect(bed.machine.stats().bindings).toBe(2)
    bed.send(other, { op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 })
    bed.pass(20 * SECOND)
    expect(bed.events).toContainEqual({ type: 'unbound', id: peer.id, at: peer.source, why: 'refused' })
    expect(bed.machine.stats().bindings).toBe(1)
  })

  test('ends the registration of who has none when it begins to take permits', () => {
    const bed = new Bed({ quotas: {} })
    bed.registered()
    bed.machine.access.gate.change({ asks: false, permits: permitsOf(bed.identity) })
    bed.pass(12 * SECOND)
    expect(bed.machine.stats().bindings).toBe(0)
  })
})

describe('the bytes of a permit', () => {
  /** Two peers with a session, of which one has a permit for ten frames. */
  function forwarding(usage = new Map<string, Usage>()) {
    const { bed, issue, shows } = permitting({ usage })
    const [peer, target] = [bed.peer({ identity: identityOf(40) }), bed.peer({ identity: identityOf(41) })]
    const permit = issue({ untilMs: bed.unixMs + 40 * 24 * HOUR, bytes: 10 * FRAME })
    shows(target, issue())
    shows(peer, permit)
    const session = openSession(bed, peer, target)
    const frame = channelFrame(session, FRAME)
    bed.sendBytes(target.source, frame)
    const sends = (frames: number): number => {
      const before = bed.count('channelForwarded')
      for (let sent = 0; sent < frames; sent++) bed.sendBytes(peer.source, frame)
      return bed.count('channelForwarded') - before
    }
    return { bed, peer, target, permit, shows, frame, sends }
  }

  test('are forwarded and no more; then the registration ends, and the next one is refused', () => {
    const { bed, peer, permit, shows, sends } = forwarding()
    expect(sends(25)).toBe(10)
    expect(bed.count('permitUsedUp')).toBeGreaterThan(0)
    expect(bed.events).toContainEqual({ type: 'unbound', id: peer.id, at: peer.source, why: 'refused' })
    expect(only(shows(peer, permit), OP.error).code).toBe(WIRE_ERROR.permitUsedUp)
  })

  test('are told of to the bound address, unsigned, before that', () => {
    const { bed, peer, frame, sends } = forwarding()
    sends(10)
    const error = only(bed.sendBytes(peer.source, frame), OP.error, peer)
    expect(error).toMatchObject({ code: WIRE_ERROR.permitUsedUp, ref_op: OP.keepAlive })
  })

  test('are those of all who show it', () => {
    const { bed, permit, shows, sends, target } = forwarding()
    expect(sends(6)).toBe(6)
    const neighbour = bed.peer({ identity: identityOf(42) })
    shows(neighbour, permit)
    const session = openSession(bed, neighbour, target)
    bed.sendBytes(target.source, channelFrame(session, FRAME))
    const before = bed.count('channelForwarded')
    for (let sent = 0; sent < 10; sent++) bed.sendBytes(neighbour.source, channelFrame(session, FRAME))
    expect(bed.count('channelForwarded') - before).toBe(4)
  })

  test('are not had again by registering again, the next day, or at a relay that restarted', () => {
    const usage = new Map<string, Usage>()
    const { bed, peer, permit, shows, sends } = forwarding(usage)
    expect(sends(6)).toBe(6)
    shows(peer, permit)
    bed.clockStep += 25 * HOUR
    bed.pass(2 * SECOND)
    expect([...usage.keys()].filter((key) => key.startsWith('permit:'))).toHaveLength(1)
    const again = forwarding(usage)
    expect(again.permit).toEqual(permit)
    expect(again.sends(25)).toBe(4)
  })

  test('are not had again by who applied while they were in memory, and is decided about when they are not', () => {
    const { bed, issue, shows } = permitting({ asks: true })
    const [peer, target, late] = [40, 41, 42].map((seed) => bed.peer({ identity: identityOf(seed) })) as [
      TestPeer,
      TestPeer,
      TestPeer,
    ]
    const permit = issue({ bytes: 10 * FRAME })
    for (const [who, shown] of [
      [target, issue()],
      [peer, permit],
    ] as const) {
      shows(who, shown)
      bed.decide('allowed')
    }
    const frame = channelFrame(openSession(bed, peer, target), FRAME)
    bed.sendBytes(target.source, frame)
    for (let sent = 0; sent < 25; sent++) bed.sendBytes(peer.source, frame)
    expect(bed.count('channelForwarded')).toBe(1 + 10)
    shows(late, permit)
    bed.pass(2 * SECOND)
    expect(bed.decide('allowed')).toEqual([])
    expect(only(bed.decide('allowed'), OP.error, late).code).toBe(WIRE_ERROR.permitUsedUp)
  })
})
