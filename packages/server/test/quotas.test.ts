/** docs/protocol.md, Quotas: how much peers may send through a relay. */
import { calendarDay, type Quotas, type RelayLimits, type Usage } from '@showchain/server'
import { OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, channelFrame, data, identityOf, only, openSession, ops, type TestPeer } from './relay-bed.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND
/** Of a frame, with its header. */
const FRAME = 1200

/** A relay with quotas, and two peers with a session that both have agreed to. */
function forwarding(quotas: Quotas, limits: Partial<RelayLimits> = {}, usage = new Map<string, Usage>()) {
  const bed = new Bed({ quotas, limits, usage })
  const [requester, target] = [bed.registered(), bed.registered()]
  const session = openSession(bed, requester, target)
  const frame = channelFrame(session, FRAME)
  bed.sendBytes(target.source, frame)
  /** Frames that got through, of so many. */
  const sends = (peer: TestPeer, frames: number): number => {
    const before = bed.count('channelForwarded')
    for (let sent = 0; sent < frames; sent++) bed.sendBytes(peer.source, frame)
    return bed.count('channelForwarded') - before
  }
  return { bed, requester, target, session, frame, sends }
}

describe('an allotment', () => {
  test.each([
    ['of an id', { id: { day: 10 * FRAME } }],
    ['of a source', { source: { day: 10 * FRAME } }],
    ['in a month', { id: { month: 10 * FRAME } }],
  ] as const)('%s lets its bytes through and no more, and leaves others alone', (_, quotas) => {
    const { requester, target, sends } = forwarding(quotas)
    expect(sends(requester, 25)).toBe(10)
    expect(sends(target, 25)).toBe(9)
  })

  test('of all is for all together', () => {
    const { requester, target, sends } = forwarding({ total: { day: 10 * FRAME } })
    expect(sends(requester, 5) + sends(target, 25)).toBeLessThanOrEqual(9)
    expect(sends(requester, 5)).toBe(0)
  })

  test.each(['total', 'source'] as const)('of %s has less left when others used of it', (which) => {
    const { bed, requester, sends } = forwarding({ [which]: { day: 10 * FRAME } })
    const key = which === 'total' ? which : `source:${requester.source.ip}`
    bed.machine.access.meter?.usedElsewhere([{ key, bytes: 7 * FRAME, ...calendarDay(bed.unixMs) }])
    expect(sends(requester, 10)).toBeLessThanOrEqual(3)
  })

  test('has no less left when others used of it on a day that is over, but for that of its month', () => {
    const quotas = { id: { day: 10 * FRAME }, total: { month: 15 * FRAME } }
    const { bed, requester, sends } = forwarding(quotas)
    expect(sends(requester, 2)).toBe(2)
    const { day, month } = calendarDay(bed.unixMs)
    const used = { bytes: 9 * FRAME, day: day - 1, month }
    bed.machine.access.meter?.usedElsewhere([{ key: `id:${requester.id}`, ...used }])
    expect(sends(requester, 4)).toBe(4)
    bed.machine.access.meter?.usedElsewhere([{ key: 'total', ...used }])
    expect(sends(requester, 10)).toBe(0)
  })

  test('of a source is for all its ids', () => {
    const { bed, requester, sends, target } = forwarding({ source: { day: 10 * FRAME } })
    const neighbour = bed.registered({ source: { ip: requester.source.ip, port: 9 } })
    const frame = channelFrame(openSession(bed, neighbour, target), FRAME)
    bed.sendBytes(target.source, frame)
    expect(sends(requester, 10)).toBe(10)
    const before = bed.count('channelForwarded')
    bed.sendBytes(neighbour.source, frame)
    expect(bed.count('channelForwarded')).toBe(before)
  })

  test('counts signed data as well', () => {
    const { bed, requester, target, session } = forwarding({ id: { day: 3000 } })
    for (let sent = 0; sent < 20; sent++) bed.send(requester, data(requester, target, session, 'x'.repeat(500)))
    expect(bed.count('dataForwarded')).toBeGreaterThan(3)
    expect(bed.count('dataForwarded')).toBeLessThan(6)
    expect(bed.count('overQuota')).toBe(20 - bed.count('dataForwarded'))
  })

  test('begins anew with the next day, and that of a month does not', () => {
    const { bed, requester, sends } = forwarding({ id: { day: 10 * FRAME, month: 15 * FRAME } })
    expect(sends(requester, 20)).toBe(10)
    bed.clockStep += DAY
    bed.pass(2 * SECOND)
    expect(sends(requester, 20)).toBe(5)
    bed.clockStep += 31 * DAY
    bed.pass(2 * SECOND)
    expect(sends(requester, 20)).toBe(10)
  })

  test('is not had again by registering again, at another address, or at a relay that restarted', () => {
    const usage = new Map<string, Usage>()
    const { bed, requester, sends } = forwarding({ id: { day: 10 * FRAME } }, {}, usage)
    expect(sends(requester, 6)).toBe(6)
    bed.register(requester)
    requester.source = { ip: '203.0.113.4', port: 4 }
    bed.register(requester)
    expect(sends(requester, 2)).toBe(2)
    bed.pass(2 * SECOND)
    const again = forwarding({ id: { day: 10 * FRAME } }, {}, usage)
    const left = again.sends(again.requester, 20)
    expect([1, 2]).toContain(left)
  })

  test('does not lose what was taken in advance and not used', () => {
    const usage = new Map<string, Usage>()
    const { bed, requester, sends } = forwarding({ id: { day: 1_000_000 } }, {}, usage)
    sends(requester, 3)
    bed.pass(70 * SECOND)
    expect(usage.get(`id:${requester.id}`)).toMatchObject({ dayBytes: 3 * FRAME, monthBytes: 3 * FRAME })
    expect(bed.machine.stats()).toMatchObject({ accounts: 0, bindings: 0 })
  })
})

describe('who has used up its allotment', () => {
  test('is introduced to others all the same, and told once in a while', () => {
    const { bed, requester, target, frame, sends } = forwarding({ id: { day: 5 * FRAME } })
    sends(requester, 5)
    const error = only(bed.sendBytes(requester.source, frame), OP.error, requester)
    expect(error).toMatchObject({ code: WIRE_ERROR.overQuota, ref_op: OP.keepAlive, seq: 0, ts: 0 })
    expect(bed.sendBytes(requester.source, frame)).toEqual([])
    bed.pass(11 * SECOND)
    expect(ops(bed.sendBytes(requester.source, frame))).toEqual([OP.error])
    expect(ops(bed.register(requester))).toEqual([OP.directResponse])
    const punch = { op_code: OP.punchRequest, target: target.id, id: requester.id } as const
    expect(ops(bed.send(requester, punch))).toEqual([OP.punchPassRequest])
  })

  test('is served no more where the relay refuses: its registration ends, and the next one is refused', () => {
    const { bed, requester, frame, sends } = forwarding({ id: { day: 5 * FRAME }, atCap: 'refuse' })
    sends(requester, 5)
    expect(only(bed.sendBytes(requester.source, frame), OP.error).code).toBe(WIRE_ERROR.overQuota)
    expect(bed.events).toContainEqual({ type: 'unbound', id: requester.id, at: requester.source, why: 'refused' })
    bed.pass(2 * SECOND)
    expect(only(bed.register(requester), OP.error)).toMatchObject({
      code: WIRE_ERROR.overQuota,
      ref_op: OP.directRequest,
    })
    bed.clockStep += DAY
    bed.pass(2 * SECOND)
    expect(ops(bed.register(requester))).toEqual([OP.directResponse])
  })

  test('is told nothing by an extension that it does not know', () => {
    const { identity } = new Bed().peer()
    const bed = new Bed({ quotas: { id: { day: 1 } }, knownKeys: [identityOf(1).publicKey] })
    const peer = bed.peer({ identity, seedMode: true })
    bed.register(peer)
    const target = bed.registered()
    const frame = channelFrame(openSession(bed, peer, target), FRAME)
    bed.sendBytes(target.source, frame)
    expect(bed.sendBytes(peer.source, frame)).toEqual([])
  })
})

describe('amounts that change while a relay runs', () => {
  test('hold at once, with what was used before', () => {
    const { bed, requester, sends } = forwarding({ id: { day: 10 * FRAME } })
    expect(sends(requester, 25)).toBe(10)
    bed.machine.access.meter?.change({ id: { day: 15 * FRAME } })
    expect(sends(requester, 25)).toBe(5)
    bed.machine.access.meter?.change({ source: { month: 20 * FRAME } })
    expect(sends(requester, 25)).toBe(5)
    bed.machine.access.meter?.change({ id: { day: 3 * FRAME }, atCap: 'refuse' })
    expect(sends(requester, 1)).toBe(0)
    expect(bed.machine.stats().bindings).toBe(1)
    bed.machine.access.meter?.change({})
    bed.pass(2 * SECOND)
    expect(ops(bed.register(requester))).toEqual([OP.directResponse])
    expect(sends(requester, 100)).toBe(100)
  })

  test('are those of the rate as well', () => {
    const { bed, requester, sends } = forwarding({ bytesPerSecond: 10 * FRAME })
    expect(sends(requester, 500)).toBeLessThan(20)
    bed.machine.access.meter?.change({ bytesPerSecond: 1000 * FRAME })
    bed.pass(SECOND)
    expect(sends(requester, 150)).toBe(150)
    bed.machine.access.meter?.change({ bytesPerSecond: 10 * FRAME })
    bed.pass(SECOND)
    expect(sends(requester, 500)).toBeLessThan(20)
  })
})

test('nobody is bound while it is not known what they have used', () => {
  const bed = new Bed({ asks: true, quotas: { id: { day: FRAME } } })
  const peer = bed.peer()
  bed.register(peer)
  bed.decide('allowed')
  bed.pass(5 * SECOND)
  // The decision still holds, but for another source nothing is loaded.
  expect(bed.applied[0]?.missing).toEqual([`id:${peer.id}`, `source:${peer.source.ip}`])
  peer.source = { ip: '203.0.113.4', port: 4 }
  bed.register(peer)
  expect(bed.applied[1]?.missing).toEqual(['source:203.0.113.4'])
})

test('a relay without quotas has no accounts and asks for none', () => {
  const bed = new Bed()
  bed.registered()
  expect([bed.machine.access.meter, bed.applied]).toEqual([undefined, []])
})

test('days and months are those of the calendar, UTC', () => {
  for (let day = -800; day < 40_000; day += 61) {
    const date = new Date(day * DAY + 5)
    const month = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
    expect(calendarDay(date.getTime())).toEqual({ day, month })
  }
})
