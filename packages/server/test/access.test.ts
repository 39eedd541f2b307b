/** docs/protocol.md, Access: who may use a relay. */
import { OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, only, ops, type Sent, type TestPeer } from './relay-bed.ts'

const keepAlive = (peer: TestPeer) => ({ op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }) as const
const errorOf = (sent: readonly Sent[]) => only(sent, OP.error)
const SECOND = 1000

describe('a relay that asks who may use it', () => {
  test('asks once a signature has shown who it is, and answers nothing meanwhile', () => {
    const bed = new Bed({ asks: true })
    const peer = bed.peer()
    bed.send(peer, { op_code: OP.directRequest, id: peer.id, target: bed.id, ext: { key: peer.key.spki } })
    expect(bed.applied).toEqual([])
    expect(bed.register(peer)).toEqual([])
    expect(bed.applied).toMatchObject([{ id: peer.id, at: peer.source }])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('asks nothing about a signature that is bad', () => {
    const bed = new Bed({ asks: true })
    const peer = bed.peer()
    const ext = { key: peer.key.spki }
    const request = { op_code: OP.directRequest, id: peer.id, target: bed.id } as const
    const { cookie } = only(bed.send(peer, { ...request, ext }), OP.challenge)
    bed.send(peer, { ...request, ext: { ...ext, cookie }, sign: new Uint8Array(peer.key.signatureLength) })
    expect([bed.verified, bed.applied]).toEqual([1, []])
  })

  test('binds who may, and answers then', () => {
    const bed = new Bed({ asks: true })
    const peer = bed.peer()
    bed.register(peer)
    expect(ops(bed.decide('allowed'))).toEqual([OP.directResponse])
    expect(bed.machine.stats().bindings).toBe(1)
  })

  test.each(['refused', 'undecided'] as const)('tells who is %s, by an error about that very request', (verdict) => {
    const bed = new Bed({ asks: true })
    const peer = bed.peer()
    const request = { op_code: OP.directRequest, id: peer.id, target: bed.id } as const
    const ext = { key: peer.key.spki }
    const { cookie } = only(bed.send(peer, { ...request, ext }), OP.challenge)
    const bytes = bed.bytesOf(peer, { ...request, seq: 77, ts: bed.unixMs, ext: { ...ext, cookie } })
    bed.sendBytes(peer.source, bytes)
    const error = { code: WIRE_ERROR[verdict], ref_op: OP.directRequest, seq: 77, ts: bed.unixMs }
    expect(errorOf(bed.decide(verdict))).toMatchObject(error)
    expect(bed.machine.stats().bindings).toBe(0)
    expect(errorOf(bed.sendBytes(peer.source, bytes))).toMatchObject(error)
    expect(bed.applied).toHaveLength(1)
    expect(bed.count(verdict === 'refused' ? 'accessRefused' : 'accessUndecided')).toBe(1)
  })

  test('lets nobody in when no answer comes', () => {
    const bed = new Bed({ asks: true })
    bed.register(bed.peer())
    const sent = bed.pass(11 * SECOND)
    expect(errorOf(sent).code).toBe(WIRE_ERROR.undecided)
    expect(bed.decide('allowed')).toEqual([])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('keeps an answer for a while, for the same id at the same source alone', () => {
    const bed = new Bed({ asks: true, limits: { accessSeconds: 60 } })
    const peer = bed.peer()
    bed.register(peer)
    bed.decide('refused')
    bed.pass(30 * SECOND)
    expect(errorOf(bed.register(peer)).code).toBe(WIRE_ERROR.refused)
    expect(bed.applied).toHaveLength(1)
    peer.source = { ip: '203.0.113.5', port: 9 }
    bed.register(peer)
    expect(bed.applied).toHaveLength(2)
    bed.pass(61 * SECOND)
    bed.register(peer)
    expect(bed.applied).toHaveLength(3)
  })

  test('keeps no answer that is none', () => {
    const bed = new Bed({ asks: true })
    const peer = bed.peer()
    bed.register(peer)
    bed.decide('undecided')
    bed.register(peer)
    expect(bed.applied).toHaveLength(2)
  })

  test('takes an answer to what a peer sent last alone: an earlier one would bind it to a former address', () => {
    const bed = new Bed({ asks: true })
    const peer = bed.peer()
    bed.register(peer)
    peer.source = { ip: '203.0.113.5', port: 9 }
    bed.register(peer)
    const [first, second] = bed.applied
    expect(bed.decide('allowed', first)).toEqual([])
    expect(only(bed.decide('allowed', second), OP.directResponse, peer).ext?.observed).toEqual(peer.source)
  })

  test('asks about so many at once, and tells others to wait', () => {
    const bed = new Bed({ asks: true, limits: { accessQuestions: 2 } })
    const peers = [bed.peer(), bed.peer(), bed.peer()]
    const answers = peers.map((peer) => bed.register(peer))
    expect(answers.map((sent) => sent.length)).toEqual([0, 0, 1])
    expect(only(answers[2] ?? [], OP.error, peers[2]).code).toBe(WIRE_ERROR.undecided)
  })

  test('decides about registered peers again, ends what is no longer allowed, and says so', () => {
    const bed = new Bed({ asks: true, limits: { accessSeconds: 10 } })
    const peers = [bed.peer(), bed.peer()]
    for (const peer of peers) {
      bed.register(peer)
      bed.decide('allowed')
    }
    const asked = bed.applied.length
    bed.pass(21 * SECOND)
    const again = new Set(bed.applied.slice(asked).map(({ id }) => id))
    expect(again).toEqual(new Set(peers.map(({ id }) => id)))
    const [gone] = peers as [TestPeer]
    const sent = bed.decide(
      'refused',
      bed.applied.findLast(({ id }) => id === gone.id),
    )
    expect(errorOf(sent)).toMatchObject({ code: WIRE_ERROR.unbound, ref_op: OP.keepAlive })
    expect(bed.events).toContainEqual({ type: 'unbound', id: gone.id, at: gone.source, why: 'refused' })
    expect(bed.machine.stats().bindings).toBe(1)
  })

  test('leaves a registered peer when nobody can tell', () => {
    const bed = new Bed({ asks: true, limits: { accessSeconds: 10 } })
    const peer = bed.peer()
    bed.register(peer)
    bed.decide('allowed')
    for (let seconds = 0; seconds < 50; seconds += 5) {
      bed.pass(5 * SECOND)
      bed.send(peer, keepAlive(peer))
    }
    expect(bed.machine.stats().bindings).toBe(1)
  })

  test('ends the binding of a peer whose renewal is refused', () => {
    const bed = new Bed({ asks: true, limits: { accessSeconds: 10 } })
    const peer = bed.peer()
    bed.register(peer)
    bed.decide('allowed')
    bed.pass(11 * SECOND)
    bed.register(peer)
    bed.decide('refused')
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('says nothing to a peer that speaks only the seed, and lets it in no more than others', () => {
    const probe = new Bed()
    const { identity } = probe.peer()
    const bed = new Bed({ asks: true, knownKeys: [identity.publicKey] })
    const peer = bed.peer({ identity, seedMode: true })
    bed.register(peer)
    expect(bed.decide('refused')).toEqual([])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('forgets all of it in time', () => {
    const bed = new Bed({ asks: true })
    bed.register(bed.peer())
    bed.decide('refused')
    bed.register(bed.peer())
    bed.pass(200 * SECOND)
    expect(bed.machine.stats()).toMatchObject({ access: 0, bindings: 0 })
    expect(bed.machine.deadline).toBeUndefined()
  })
})

test('a relay that does not ask lets everyone in', () => {
  const bed = new Bed()
  bed.registered()
  expect([bed.applied, bed.machine.stats().bindings]).toEqual([[], 1])
})
