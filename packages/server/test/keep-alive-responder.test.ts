import { OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, only, ops } from './relay-bed.ts'

const keepAlive = (id: Bed['id']) => ({ op_code: OP.keepAlive, id, seq: 0, ts: 0 }) as const

describe('a keep-alive from the bound address', () => {
  test("is answered with the relay's own id", () => {
    const bed = new Bed()
    const peer = bed.registered()
    const sent = bed.send(peer, keepAlive(peer.id))
    expect(sent.map(({ message }) => message)).toEqual([keepAlive(bed.id)])
    expect(sent[0]?.to).toEqual(peer.source)
  })

  test('is answered in its encoding', () => {
    const bed = new Bed()
    const peer = bed.registered()
    expect(bed.send(peer, keepAlive(peer.id), { encoding: 'json' })[0]?.encoding).toBe('json')
  })

  test('keeps the binding alive for 60 s more', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.pass(59_000)
    bed.send(peer, keepAlive(peer.id))
    bed.pass(59_000)
    expect(ops(bed.send(peer, keepAlive(peer.id)))).toEqual([OP.keepAlive])
  })

  test('is not answered when the address was sent one in the last 5 s', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.send(peer, keepAlive(peer.id))
    bed.pass(4999)
    expect(bed.send(peer, keepAlive(peer.id))).toEqual([])
    bed.pass(1)
    expect(ops(bed.send(peer, keepAlive(peer.id)))).toEqual([OP.keepAlive])
  })

  test('is not answered when another peer at the same address was, so that two relays never echo', () => {
    const bed = new Bed()
    const one = bed.registered()
    const other = bed.registered({ source: one.source })
    bed.send(one, keepAlive(one.id))
    expect(bed.send(other, keepAlive(other.id))).toEqual([])
  })
})

describe('a keep-alive from anywhere else', () => {
  const nowhere = { ip: '203.0.113.9', port: 999 }

  test('never creates a binding', () => {
    const bed = new Bed()
    const peer = bed.peer()
    bed.send(peer, keepAlive(peer.id))
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('never moves a binding', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.send(peer, keepAlive(peer.id), { source: nowhere })
    bed.pass(6000)
    expect(ops(bed.send(peer, keepAlive(peer.id)))).toEqual([OP.keepAlive])
  })

  test('does not refresh the binding', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.pass(30_000)
    bed.send(peer, keepAlive(peer.id), { source: nowhere })
    bed.pass(30_000)
    expect(only(bed.send(peer, keepAlive(peer.id)), OP.error).code).toBe(WIRE_ERROR.unbound)
  })

  test('is told unbound, the same for a wrong address and an unknown id', () => {
    const bed = new Bed()
    const peer = bed.registered()
    const stranger = bed.peer()
    const wrong = bed.send(peer, keepAlive(peer.id), { source: nowhere })
    const unknown = bed.send(stranger, keepAlive(stranger.id))
    const expected = { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 }
    expect(wrong.map(({ to, message }) => ({ to, message }))).toEqual([{ to: nowhere, message: expected }])
    expect(unknown.map(({ message }) => message)).toEqual([expected])
  })

  test('is told unbound at most once per second', () => {
    const bed = new Bed()
    const peer = bed.peer()
    bed.send(peer, keepAlive(peer.id))
    bed.pass(999)
    expect(bed.send(peer, keepAlive(peer.id))).toEqual([])
    bed.pass(1)
    expect(ops(bed.send(peer, keepAlive(peer.id)))).toEqual([OP.error])
  })

  test.each(['binary', 'json'] as const)('is told in no more bytes than it had, in %s', (encoding) => {
    const bed = new Bed()
    const peer = bed.peer({ encoding })
    const bytes = bed.bytesOf(peer, keepAlive(peer.id))
    const [answer] = bed.sendBytes(peer.source, bytes)
    expect(answer?.encoding).toBe(encoding)
    expect(answer?.bytes.length).toBeLessThanOrEqual(bytes.length)
  })

  test('is told unbound when the binding has ended', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.pass(60_000)
    expect(ops(bed.send(peer, keepAlive(peer.id)))).toEqual([OP.error])
    expect(bed.events.at(-1)).toMatchObject({ type: 'unbound', id: peer.id, why: 'expired' })
  })

  test('is told unbound also when forged addresses fill the table of those that were told', () => {
    const bed = new Bed({ limits: { rateSources: 2 } })
    const told = Array.from({ length: 12 }, () => bed.peer()).map((peer) => bed.send(peer, keepAlive(peer.id)).length)
    expect(told).toEqual(Array.from({ length: 12 }, () => 1))
  })
})
