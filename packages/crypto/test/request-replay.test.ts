/** docs/protocol.md, Replay: each sentence. */
import { OP, peerIdFromBytes } from '@showchain/wire'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Evidence, FIRST_CONTACT_TOLERANCE, RequestReplay, type RequestStamp } from '../src/index.ts'

const START = 1_800_000_000_000
const id = (number: number): RequestStamp['id'] => peerIdFromBytes(new Uint8Array(32).fill(number))
const stamp = (ts: number, seq = 1, more: Partial<RequestStamp> = {}): RequestStamp => ({
  op_code: OP.directRequest,
  id: id(1),
  target: id(2),
  seq,
  ts,
  ...more,
})

let now: number
let replay: RequestReplay
const verifier = (capacity = 100): RequestReplay => new RequestReplay({ unixMs: () => now, capacity })
/** Since some other event than the epoch of Unix. */
const monotonic = (): number => now - START + 5000
const plain = (): Evidence => ({ cookie: undefined, now: monotonic() })
const check = (request: RequestStamp, by = replay): boolean => by.check(request, plain())
const accept = (request: RequestStamp, by = replay): boolean => by.accept(request, plain(), issued)
/** With a cookie that was issued just now. */
const acceptByCookie = (request: RequestStamp): boolean =>
  replay.accept(request, { cookie: issued++, now: monotonic() }, issued)
let issued: number
beforeEach(() => {
  issued = 0
  now = START
  replay = verifier()
  now += 100_000
})

describe('requests', () => {
  test('must grow lexicographically in (ts, seq)', () => {
    expect(accept(stamp(now, 5))).toBe(true)
    expect(check(stamp(now, 5))).toBe(false)
    expect(check(stamp(now, 4))).toBe(false)
    expect(check(stamp(now - 1, 9))).toBe(false)
    expect(check(stamp(now, 6))).toBe(true)
    expect(check(stamp(now + 1, 0))).toBe(true)
  })

  test('of another id, operation or target are counted by themselves', () => {
    accept(stamp(now, 5, { op_code: OP.punchRequest }))
    for (const other of [{ id: id(3) }, { op_code: OP.proxyRequest }, { target: id(3) }])
      expect(check(stamp(now, 5, { op_code: OP.punchRequest, ...other }))).toBe(true)
  })

  test('advance nothing by being checked', () => {
    check(stamp(now, 9))
    expect(check(stamp(now, 1))).toBe(true)
  })

  test('that a later one has overtaken are not accepted any more', () => {
    accept(stamp(now, 9))
    expect(accept(stamp(now, 5))).toBe(false)
    expect(check(stamp(now, 9))).toBe(false)
  })
})

describe('a first contact', () => {
  test.each([[FIRST_CONTACT_TOLERANCE], [-FIRST_CONTACT_TOLERANCE]])('may be %d ms off, and no more', (off) => {
    expect(check(stamp(now + off))).toBe(true)
    expect(check(stamp(now + off + Math.sign(off)))).toBe(false)
  })

  test('is not older than the verifier itself', () => {
    now = START + 1000
    expect(check(stamp(START - 1))).toBe(false)
    expect(check(stamp(START))).toBe(true)
  })

  test('with a cookie may be of any time, and its clock is the measure from then on', () => {
    const ahead = 3_600_000
    expect(acceptByCookie(stamp(now + ahead))).toBe(true)
    const punch = { op_code: OP.punchRequest, target: id(9) }
    expect(check(stamp(now + ahead + 10, 2, punch))).toBe(true)
    expect(check(stamp(now, 2, punch))).toBe(false)
  })
})

describe('a cookie', () => {
  test('lets no 0x101 without one count again that was made before the clock was set back', () => {
    accept(stamp(now, 5))
    acceptByCookie(stamp(now - 5000, 6))
    expect(check(stamp(now, 5))).toBe(false)
    acceptByCookie(stamp(now - 4000, 7))
    expect(check(stamp(now, 5))).toBe(false)
    expect(check(stamp(now, 6))).toBe(true)
  })

  test('lets a peer go on whose clock was set back', () => {
    accept(stamp(now + 50_000))
    accept(stamp(now + 50_000, 1, { op_code: OP.punchRequest }))
    expect(check(stamp(now))).toBe(false)
    expect(acceptByCookie(stamp(now))).toBe(true)
    expect(check(stamp(now + 1, 1, { op_code: OP.punchRequest }))).toBe(true)
  })

  test('brings nothing back that was accepted before it', () => {
    const punch = stamp(now, 7, { op_code: OP.punchRequest })
    accept(punch)
    acceptByCookie(stamp(now + 5))
    expect(check(punch)).toBe(false)
  })
})

describe('a cookie', () => {
  const moving = (request: RequestStamp, cookie: number): boolean =>
    replay.accept(request, { cookie, now: monotonic() }, issued)

  test('counts once', () => {
    const cookie = issued++
    expect(moving(stamp(now, 1), cookie)).toBe(true)
    expect(moving(stamp(now, 2), cookie)).toBe(false)
  })

  test('that was issued before the newest request was accepted does not count, used or not', () => {
    const [unused, used] = [issued++, issued++]
    expect(moving(stamp(now, 1), used)).toBe(true)
    expect(moving(stamp(now, 2), unused)).toBe(false)
    const early = issued++
    expect(accept(stamp(now, 3))).toBe(true)
    expect(moving(stamp(now, 4), early)).toBe(false)
    expect(acceptByCookie(stamp(now, 5))).toBe(true)
  })

  test('of an id that was forgotten does not count again, nor one that it left', () => {
    replay = verifier(1)
    const [left, used] = [issued++, issued++]
    moving(stamp(now, 1), used)
    acceptByCookie(stamp(now, 1, { id: id(7) }))
    for (const cookie of [left, used]) expect(moving(stamp(now, 2), cookie)).toBe(false)
    expect(acceptByCookie(stamp(now, 3))).toBe(true)
  })
})

describe('a step of the wall clock', () => {
  const HOUR = 3_600_000
  test.each([-48 * HOUR, -HOUR, HOUR, 48 * HOUR])('by %i ms changes nothing for ids that are known', (by) => {
    acceptByCookie(stamp(now))
    const punch = { op_code: OP.punchRequest }
    const monotonicNow = monotonic() + 1000
    const later = stamp(now + 1000, 2, punch)
    now += by
    expect(replay.check(later, { cookie: undefined, now: monotonicNow })).toBe(true)
    expect(replay.check({ ...later, ts: later.ts + 61_000 }, { cookie: undefined, now: monotonicNow })).toBe(false)
  })

  test('of the sender is known from its next 0x101', () => {
    accept(stamp(now))
    const ahead = now + 48 * HOUR
    expect(check(stamp(ahead, 2, { op_code: OP.punchRequest }))).toBe(false)
    expect(accept(stamp(ahead, 3))).toBe(true)
    expect(check(stamp(ahead, 2, { op_code: OP.punchRequest }))).toBe(true)
  })
})

describe('forgetting', () => {
  test('targets of one id never lets an old request in again', () => {
    // of a 0x101 its id's latest is kept besides
    const punch = (index: number) => ({ op_code: OP.punchRequest, target: id(100 + index) })
    const requests = Array.from({ length: 100 }, (_, index) => stamp(now + index, 1, punch(index)))
    for (const request of requests) expect(accept(request)).toBe(true)
    for (const request of requests) expect(check(request)).toBe(false)
  })

  test('ids at the cap never lets an old request in again, and keeps the table at its cap', () => {
    replay = verifier(3)
    now += 100_000
    const requests = Array.from({ length: 20 }, (_, index) => stamp(now, index, { id: id(100 + index) }))
    for (const [index, request] of requests.entries()) {
      now++
      accept({ ...request, ts: now })
      requests[index] = { ...request, ts: now }
    }
    expect(replay.size).toBe(3)
    for (const request of requests) expect(check(request)).toBe(false)
  })

  test('ids that are silent makes room without a cap', () => {
    accept(stamp(now))
    now += 181_000
    accept(stamp(now, 1, { id: id(7) }))
    expect(replay.size).toBe(1)
  })

  test('one whose clock is ahead shuts nobody out for longer than a first contact may be off', () => {
    replay = verifier(1)
    now += 100_000
    const punch = { op_code: OP.punchRequest }
    accept(stamp(now, 1, punch))
    accept(stamp(Number.MAX_SAFE_INTEGER, 1, punch))
    acceptByCookie(stamp(now, 1, { id: id(7) }))
    now += FIRST_CONTACT_TOLERANCE + 1
    expect(check(stamp(now, 1, { id: id(8) }))).toBe(true)
  })

  test('is never a way in: whatever was accepted is refused for as long as it could be of now', () => {
    const one = fc.record({
      peer: fc.nat(5),
      target: fc.nat(40),
      op: fc.constantFrom(OP.directRequest, OP.punchRequest, OP.proxyRequest),
      wait: fc.nat(2000),
    })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (steps, capacity) => {
        now = START
        const small = verifier(capacity)
        const accepted: RequestStamp[] = []
        for (const { peer, target, op, wait } of steps) {
          now += wait + 1
          const request = stamp(now, 1, { id: id(10 + peer), target: id(50 + target), op_code: op })
          if (accept(request, small)) accepted.push(request)
          for (const old of accepted) expect(check(old, small)).toBe(false)
        }
      }),
      { numRuns: runs(60) },
    )
  })
})
