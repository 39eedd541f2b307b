/** What an operator does while a relay runs: bans, kicks, and other rules. */
import { changeLimits, relayLimits } from '@showchain/server'
import { OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, only, ops, type TestPeer } from './relay-bed.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const keepAlive = (peer: TestPeer) => ({ op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }) as const

describe('a ban', () => {
  test.each([
    ['an id', (peer: TestPeer) => peer.id],
    ['a source', (peer: TestPeer) => peer.source.ip],
  ])('of %s ends its registration within 10 s, refuses the next one, and leaves others alone', (_, whoOf) => {
    const bed = new Bed()
    const [banned, other] = [bed.registered(), bed.registered()]
    bed.machine.access.ban({ who: whoOf(banned) })
    const sent = bed.pass(11 * SECOND)
    expect(only(sent, OP.error, banned).code).toBe(WIRE_ERROR.unbound)
    expect(only(bed.register(banned), OP.error).code).toBe(WIRE_ERROR.refused)
    expect(ops(bed.send(other, keepAlive(other)))).toEqual([OP.keepAlive])
  })

  test('holds for a while, or until it is taken back', () => {
    const bed = new Bed()
    const [one, two] = [bed.peer(), bed.peer()]
    bed.machine.access.ban({ who: one.id, until: bed.unixMs + HOUR })
    bed.machine.access.ban({ who: two.id })
    expect([one, two].flatMap((peer) => ops(bed.register(peer)))).toEqual([OP.error, OP.error])
    bed.clockStep += 2 * HOUR
    expect([one, two].flatMap((peer) => ops(bed.register(peer)))).toEqual([OP.directResponse, OP.error])
    expect(bed.machine.access.unban(two.id)).toBe(true)
    expect(ops(bed.register(two))).toEqual([OP.directResponse])
    expect(bed.machine.access.bans.list).toEqual([])
  })

  test('is one of 10,000 at most', () => {
    const { access } = new Bed().machine
    for (let count = 0; count < 10_000; count++) access.ban({ who: `10.0.${count >> 8}.${count & 255}` })
    expect(access.ban({ who: '192.0.2.1' })).toBe(false)
    expect(access.ban({ who: '10.0.0.1', until: 5 })).toBe(true)
  })

  test.each([{ who: '' }, { who: 'a b' }, { who: 'ü' }, { who: 'a'.repeat(65) }, { who: 'id', until: 1.5 }])(
    'is of somebody whom other nodes understand: not %j',
    (ban) => {
      const { access } = new Bed().machine
      expect(() => access.ban(ban)).toThrow(expect.objectContaining({ code: 'ERR_BAD_CONFIG' }))
      expect(() => access.learnBans([{ ...ban, at: 1 }])).toThrow(expect.objectContaining({ code: 'ERR_BAD_CONFIG' }))
    },
  )
})

test('a peer that is kicked is registered no longer, and may come again', () => {
  const bed = new Bed()
  const peer = bed.registered()
  expect(bed.machine.access.kick(peer.id, bed.now)).toBe(true)
  expect(bed.machine.access.kick(peer.id, bed.now)).toBe(false)
  expect(only(bed.finish(), OP.error, peer).code).toBe(WIRE_ERROR.unbound)
  expect(bed.machine.stats().bindings).toBe(0)
  bed.pass(2 * SECOND)
  expect(ops(bed.register(peer))).toEqual([OP.directResponse])
})

test('registered peers are listed in pages, each once', () => {
  const bed = new Bed()
  const peers = Array.from({ length: 10 }, () => bed.registered())
  const found: string[] = []
  let from: number | undefined = 0
  while (from !== undefined) {
    const page: ReturnType<typeof bed.machine.access.page> = bed.machine.access.page(from, 3, bed.now)
    expect(page.bindings.length).toBeLessThanOrEqual(3)
    found.push(...page.bindings.map(({ id }) => id))
    from = page.next
  }
  expect(found.toSorted()).toEqual(peers.map(({ id }) => id as string).toSorted())
})

test('when not everyone may use the relay any more, registered peers are decided about within 10 s', () => {
  const bed = new Bed({ asks: true })
  const peer = bed.peer()
  bed.machine.access.gate.change({ asks: false, permits: undefined })
  bed.register(peer)
  expect([bed.applied, bed.machine.stats().bindings]).toEqual([[], 1])
  bed.machine.access.gate.change({ asks: true, permits: undefined })
  bed.pass(11 * SECOND)
  expect(new Set(bed.applied.map(({ id }) => id))).toEqual(new Set([peer.id]))
  bed.decide('refused')
  expect(bed.machine.stats().bindings).toBe(0)
})

describe('other limits', () => {
  test('hold at once, but for the sizes of tables', () => {
    const limits = { ...relayLimits({ bindings: 100 }) }
    expect(changeLimits(limits, { bindings: 200, sessionsPerId: 3 })).toEqual(['bindings'])
    expect(limits).toEqual(relayLimits({ bindings: 100, sessionsPerId: 3 }))
    expect(() => changeLimits(limits, { bindings: 0 })).toThrow('bindings')
  })

  test('of rates hold for sources that are known, too', () => {
    const bed = new Bed({ limits: { requestBurstPerId: 1, requestsPerSecondPerId: 1 } })
    const peer = bed.registered()
    expect(bed.register(peer)).toEqual([])
    changeLimits(bed.machine.limits, { requestBurstPerId: 100, requestsPerSecondPerId: 100 })
    bed.pass(SECOND)
    expect(ops(bed.register(peer))).toEqual([OP.directResponse])
  })
})
