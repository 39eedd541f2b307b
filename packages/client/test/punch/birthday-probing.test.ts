/**
 * docs/protocol.md, Punch safety: where ports cannot be known, many are tried, within a budget of
 * its own.
 */
import { type Nat, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Birthday, type BirthdayRole, birthdayRole } from '../../src/core/punch/birthday-probing.ts'
import { ContextBed, repeatable } from '../context-bed.ts'
import { OTHER, self } from '../peer-bed.ts'

const nat = (mapping: Nat['mapping'], filtering: Nat['filtering']): Nat => ({ mapping, filtering })
/** RFC 4787: 1 is endpoint-independent, 2 address-dependent, 3 address- and port-dependent. */
const SYMMETRIC = nat(3, 3)
const PORT_RESTRICTED = nat(1, 3)

describe('who does what', () => {
  test.each([
    ['a symmetric NAT opens many sockets towards a port-restricted one', SYMMETRIC, PORT_RESTRICTED, 'many sockets'],
    ['which tries many ports', PORT_RESTRICTED, SYMMETRIC, 'many ports'],
    ['a mapping that depends on the address is as unpredictable', nat(2, 1), PORT_RESTRICTED, 'many sockets'],
    ['an unknown filter may be by port', nat(1, 0), SYMMETRIC, 'many ports'],
    ['two symmetric ones have no chance', SYMMETRIC, SYMMETRIC, undefined],
    ['two that are port-restricted need none', PORT_RESTRICTED, PORT_RESTRICTED, undefined],
    ['a filter by address lets the other port in', nat(1, 2), SYMMETRIC, undefined],
    ['a full cone lets everything in', nat(1, 1), SYMMETRIC, undefined],
    ['an unknown mapping says nothing', nat(0, 3), SYMMETRIC, undefined],
    ['nothing is known of the own NAT', undefined, SYMMETRIC, undefined],
    ["nothing is known of the other end's", SYMMETRIC, undefined, undefined],
  ] as const)('%s', (_what, ours, theirs, role) => {
    expect(birthdayRole(ours, theirs)).toBe(role)
  })
})

function begun(
  role: BirthdayRole,
  random = repeatable(),
): { readonly bed: ContextBed; readonly birthday: Birthday; readonly notes: readonly string[] } {
  const bed = new ContextBed({ random })
  const notes: string[] = []
  const birthday = bed.do((now) => new Birthday(bed.context, role, OTHER, (what) => notes.push(what), now))
  return { bed, birthday, notes }
}

describe('many sockets', () => {
  test('are 256, each sending one keep-alive to the announced address, one every 4 ms', () => {
    const { bed } = begun('many sockets')
    bed.advance(60_000)
    expect(bed.keepAlives).toEqual(Array.from({ length: 256 }, (_, index) => 4 * index))
    expect(new Set(bed.sent.map(({ to }) => to.socket)).size).toBe(256)
    expect(bed.sent.every(({ to: { ip, port } }) => ip === OTHER.ip && port === OTHER.port)).toBe(true)
    expect(bed.sent[0]?.message).toEqual({ op_code: OP.keepAlive, id: self.id, seq: 0, ts: 0 })
  })

  test('are closed, but for those that are wanted', () => {
    const { bed, birthday } = begun('many sockets')
    bed.advance(40)
    const opened = [...bed.sockets]
    const [wanted] = opened
    birthday.stop()
    bed.do(() => birthday.close((socket) => socket === wanted))
    expect([opened.length, [...bed.sockets]]).toEqual([11, [wanted]])
    bed.advance(1000)
    expect(bed.sent).toHaveLength(11)
  })
})

describe('many sockets where no more can be opened', () => {
  test('are as many as there are: no more are opened, and the timeline says so once', () => {
    const { bed, birthday, notes } = begun('many sockets')
    bed.advance(40)
    const opened = [...bed.sockets]
    for (const socket of opened.slice(-2)) bed.do((now) => bed.context.sockets.failed(socket, 'EMFILE', now))
    bed.advance(60_000)
    expect([opened.length, bed.sent.length]).toEqual([11, 11])
    expect(notes).toEqual(['birthday probing goes on with 10 of 256 sockets: EMFILE'])
    const closed: number[] = []
    bed.do(() =>
      birthday.close((socket) => {
        closed.push(socket)
        return false
      }),
    )
    // One that failed is not there to be closed.
    expect(closed).toEqual(opened.slice(0, -2))
  })

  test('are none: nothing is left to be closed', () => {
    const { bed, birthday, notes } = begun('many sockets')
    const [socket] = bed.sockets as unknown as Iterable<number>
    bed.do((now) => bed.context.sockets.failed(socket as number, 'ENFILE', now))
    bed.advance(1000)
    bed.do(() => birthday.close(() => true))
    expect([bed.sent.length, notes, bed.idle]).toEqual([
      1,
      ['birthday probing goes on with 0 of 256 sockets: ENFILE'],
      true,
    ])
  })
})

describe('many ports', () => {
  test('are 2,048 of one address, each tried once, one every 10 ms', () => {
    const { bed } = begun('many ports')
    bed.advance(60_000)
    expect(bed.keepAlives).toEqual(Array.from({ length: 2048 }, (_, index) => 10 * index))
    const ports = bed.sent.map(({ to }) => to.port)
    expect(new Set(ports).size).toBe(2048)
    expect([Math.min(...ports) >= 1024, Math.max(...ports) <= 65_535]).toEqual([true, true])
    expect(bed.sent.every(({ to: { ip, socket } }) => ip === OTHER.ip && socket === undefined)).toBe(true)
  })

  test('are different ones wherever chance begins, and whatever steps it takes', () => {
    // Steps of half of all ports would come back to the first one at once.
    for (const share of [0, 0.25, 0.5, 0.75, 1 - 2 ** -32]) {
      const { bed } = begun('many ports', { ...repeatable(), uniform: () => share })
      bed.advance(60_000)
      expect(new Set(bed.sent.map(({ to }) => to.port)).size).toBe(2048)
    }
  })

  test('are spread over all that a NAT gives out', () => {
    const { bed } = begun('many ports')
    bed.advance(60_000)
    const ports = bed.sent.map(({ to }) => to.port)
    // Of 2,048 random ports some 512 are in each quarter.
    const quarters = [0, 1, 2, 3].map((quarter) => ports.filter((port) => (port - 1024) >> 14 === quarter).length)
    for (const count of quarters) expect(Math.abs(count - 512)).toBeLessThan(64)
  })

  test('end when a path was found', () => {
    const { bed, birthday } = begun('many ports')
    bed.advance(95)
    birthday.stop()
    bed.advance(60_000)
    expect(bed.sent).toHaveLength(10)
  })
})
