/** Bans of a fleet: what is said at one node holds at all. */
import { OP, sessionIdToBytes, WIRE_ERROR } from '@showchain/wire'
import { writeChannelHeader } from '@showchain/wire/end-to-end'
import { type FleetBan, type FleetItem, type FleetStatus, writeSessionNode } from '@showchain/wire/fleet'
import { describe, expect, test } from 'vitest'
import { messageTo, open, SECRET } from './fleet-messages.ts'
import { Bed, only, openSession, ops, type TestPeer } from './relay-bed.ts'

const [OWN, OTHER] = [3, 4]
const SECOND = 1000
const DAY = 86_400 * SECOND
const WHO = '192.0.2.9'
const STATUS: FleetStatus = { kind: 'status', bindings: 0, sessions: 0, draining: false, addresses: [] }
const NO_BANS = new Bed({ fleet: { node: OWN, secret: SECRET } }).machine.access.bansDigest()

type How = Parameters<typeof messageTo>[2]
const hears = (bed: Bed, items: readonly FleetItem[], how: How = {}): unknown =>
  bed.hears(messageTo(bed.unixMs, items, { from: OTHER, to: OWN, ...how }))

/** A node that knows one other. */
function node(): Bed {
  const bed = new Bed({ fleet: { node: OWN, secret: SECRET } })
  hears(bed, [STATUS])
  bed.said.splice(0)
  return bed
}

/** What it says, with whom it says it to. */
const said = (bed: Bed): readonly (readonly [unknown, FleetItem])[] => {
  bed.finish()
  return bed.said.splice(0).flatMap(({ to, bytes }) => open(bytes).map((item) => [to, item] as const))
}

const banOf = (who: string, at: number, until?: number): FleetBan => ({ kind: 'ban', who, at, until })
const listed = (bed: Bed): readonly string[] => bed.machine.access.bans.list.map(({ who }) => who)

describe('a ban that is given at a node', () => {
  test('is told to all others, and so is that it is taken back', () => {
    const bed = node()
    bed.machine.access.ban({ who: WHO, until: bed.unixMs + DAY })
    expect(said(bed)).toEqual([['all', banOf(WHO, bed.unixMs, bed.unixMs + DAY)]])
    const until = bed.unixMs
    bed.pass(SECOND)
    said(bed)
    bed.machine.access.unban(WHO)
    const [[, lifted] = []] = said(bed)
    expect(lifted).toMatchObject({ kind: 'ban', who: WHO })
    expect((lifted as FleetBan).until).toBeLessThan(until)
    expect(bed.machine.access.unban(WHO)).toBe(false)
  })

  test('is later than what was said before, even by a clock that is fast', () => {
    const bed = node()
    hears(bed, [banOf(WHO, bed.unixMs + 5 * DAY)])
    expect(bed.machine.access.unban(WHO)).toBe(true)
    expect(said(bed)).toEqual([['all', banOf(WHO, bed.unixMs + 5 * DAY + 1, 0)]])
  })
})

describe('a ban that another node says', () => {
  test.each([
    ['an id', (peer: TestPeer) => peer.id as string],
    ['a source', (peer: TestPeer) => peer.source.ip],
  ])('of %s ends its registration here within 10 s, and refuses the next one', (_, whoOf) => {
    const bed = node()
    const peer = bed.registered()
    hears(bed, [banOf(whoOf(peer), bed.unixMs)])
    expect(bed.events.at(-1)).toMatchObject({ type: 'banned', who: whoOf(peer) })
    expect(only(bed.pass(11 * SECOND), OP.error, peer).code).toBe(WIRE_ERROR.unbound)
    expect(only(bed.register(peer), OP.error).code).toBe(WIRE_ERROR.refused)
    hears(bed, [banOf(whoOf(peer), bed.unixMs, 0)])
    bed.pass(2 * SECOND)
    expect(ops(bed.register(peer))).toEqual([OP.directResponse])
  })

  test('ends what goes on in sessions of who is banned, and of sessions at other nodes', () => {
    const bed = node()
    const [banned, other] = [bed.registered(), bed.registered()]
    const session = openSession(bed, other, banned)
    const frame = new Uint8Array(60).fill(1)
    writeChannelHeader(frame, sessionIdToBytes(session))
    hears(bed, [banOf(banned.id, bed.unixMs)])
    bed.pass(11 * SECOND)
    said(bed)
    expect(ops(bed.sendBytes(banned.source, frame))).toEqual([OP.error])
    const elsewhere = frame.slice()
    writeSessionNode(elsewhere.subarray(1, 17), OTHER)
    expect(ops(bed.sendBytes(banned.source, elsewhere))).toEqual([])
    expect(said(bed).filter(([, { kind }]) => kind === 'arrived')).toEqual([])
  })

  test('is not told again, and counts once', () => {
    const bed = node()
    const before = bed.events.length
    for (let times = 0; times < 2; times++) hears(bed, [banOf(WHO, bed.unixMs)])
    expect(said(bed)).toEqual([])
    expect(bed.events.length - before).toBe(1)
  })

  test('counts by when it was said, in whatever order it comes', () => {
    const bed = node()
    const now = bed.unixMs
    hears(bed, [banOf(WHO, now + 2, 0)])
    hears(bed, [banOf(WHO, now + 1)])
    expect(listed(bed)).toEqual([])
    hears(bed, [banOf(WHO, now + 3), banOf(WHO, now + 3, 0), banOf(WHO, now + 3, now + DAY)])
    expect(bed.machine.access.bans.list).toEqual([{ who: WHO, until: undefined }])
  })

  test("without the secret of the fleet is nobody's", () => {
    const bed = node()
    hears(bed, [banOf(WHO, bed.unixMs)], { secret: new Uint8Array(32) })
    expect([listed(bed), bed.count('fleetRefused')]).toEqual([[], 1])
  })

  test('that has ended, or was taken back long ago, is none', () => {
    const bed = node()
    hears(bed, [banOf(WHO, bed.unixMs - 40 * DAY, 0)])
    hears(bed, [banOf(WHO, bed.unixMs - DAY, bed.unixMs - 1)])
    expect(bed.machine.access.bans.records).toEqual([])
  })

  test('is one of 11,000 at most, and of those that were taken back the newest 1,000 are remembered', () => {
    const bed = node()
    for (let count = 0; count < 12_000; count++) bed.machine.access.learnBan({ who: `banned${count}`, at: 1 })
    expect(listed(bed)).toHaveLength(11_000)
    for (let count = 0; count < 1500; count++) bed.machine.access.unban(`banned${count}`)
    expect(bed.machine.access.bans.records).toHaveLength(9500 + 1000)
    bed.machine.access.bans.expire(bed.unixMs + 40 * DAY)
    expect(bed.machine.access.bans.records).toHaveLength(9500)
  })
})

describe('what bans look like', () => {
  const digestOf = (item: FleetItem | undefined): Uint8Array => (item?.kind === 'bans' ? item.digest : NO_BANS)

  test('is said with each status, and is the same where the same bans hold', () => {
    const [one, other] = [node(), node()]
    for (const bed of [one, other])
      bed.machine.access.learnBans([
        { who: WHO, at: 5 },
        { who: '192.0.2.8', at: 6 },
      ])
    other.machine.access.learnBans([
      { who: '192.0.2.7', at: 5 },
      { who: '192.0.2.7', at: 6, until: 0 },
    ])
    const digests = [one, other].map((bed) => {
      bed.pass(6 * SECOND)
      return said(bed).findLast(([, { kind }]) => kind === 'bans')
    })
    expect(digests[0]).toEqual(digests[1])
    expect(digestOf(digests[0]?.[1])).not.toEqual(NO_BANS)
  })

  test('makes a node that has others tell all that it has', () => {
    const bed = node()
    const at = bed.unixMs
    bed.machine.access.learnBans([
      { who: WHO, at },
      { who: '192.0.2.8', at, until: 0 },
    ])
    said(bed)
    hears(bed, [STATUS, { kind: 'bans', digest: NO_BANS }], { to: 'all' })
    expect(said(bed)).toEqual([
      [OTHER, banOf(WHO, at)],
      [OTHER, banOf('192.0.2.8', at, 0)],
    ])
    hears(bed, [{ kind: 'bans', digest: bed.machine.access.bansDigest() }])
    expect(said(bed)).toEqual([])
  })

  test('of a node that is not there is nothing to answer', () => {
    const bed = node()
    bed.machine.access.learnBans([{ who: WHO, at: 5 }])
    said(bed)
    hears(bed, [{ kind: 'bans', digest: NO_BANS }], { from: 77 })
    expect(said(bed)).toEqual([])
  })
})
