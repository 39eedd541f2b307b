/** docs/protocol.md, Replay: each sentence. */
import { OP, peerIdFromBytes } from '@showchain/wire'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { FIRST_CONTACT_TOLERANCE, RequestReplay, type RequestStamp } from '../src/index.ts'

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
beforeEach(() => {
  now = START
  replay = verifier()
  now += 100_000
})

describe('requests', () => {
  test('must grow lexicographically in (ts, seq)', () => {
    expect(replay.accept(stamp(now, 5), false)).toBe(true)
    expect(replay.check(stamp(now, 5), false)).toBe(false)
    expect(replay.check(stamp(now, 4), false)).toBe(false)
    expect(replay.check(stamp(now - 1, 9), false)).toBe(false)
    expect(replay.check(stamp(now, 6), false)).toBe(true)
    expect(replay.check(stamp(now + 1, 0), false)).toBe(true)
  })

  test('of another id, operation or target are counted by themselves', () => {
    replay.accept(stamp(now, 5), false)
    for (const other of [{ id: id(3) }, { op_code: OP.punchRequest }, { target: id(3) }])
      expect(replay.check(stamp(now, 5, other), false)).toBe(true)
  })

  test('advance nothing by being checked', () => {
    replay.check(stamp(now, 9), false)
    expect(replay.check(stamp(now, 1), false)).toBe(true)
  })

  test('that a later one has overtaken are not accepted any more', () => {
    replay.accept(stamp(now, 9), false)
    expect(replay.accept(stamp(now, 5), false)).toBe(false)
    expect(replay.check(stamp(now, 9), false)).toBe(false)
  })
})

describe('a first contact', () => {
  test.each([[FIRST_CONTACT_TOLERANCE], [-FIRST_CONTACT_TOLERANCE]])('may be %d ms off, and no more', (off) => {
    expect(replay.check(stamp(now + off), false)).toBe(true)
    expect(replay.check(stamp(now + off + Math.sign(off)), false)).toBe(false)
  })

  test('is not older than the verifier itself', () => {
    now = START + 1000
    expect(replay.check(stamp(START - 1), false)).toBe(false)
    expect(replay.check(stamp(START), false)).toBe(true)
  })

  test('with a cookie may be of any time, and its clock is the measure from then on', () => {
    const ahead = 3_600_000
    expect(replay.accept(stamp(now + ahead), true)).toBe(true)
    const punch = { op_code: OP.punchRequest, target: id(9) }
    expect(replay.check(stamp(now + ahead + 10, 2, punch), false)).toBe(true)
    expect(replay.check(stamp(now, 2, punch), false)).toBe(false)
  })
})

describe('a cookie', () => {
  test('lets a peer go on whose clock was set back', () => {
    replay.accept(stamp(now + 50_000), false)
    replay.accept(stamp(now + 50_000, 1, { op_code: OP.punchRequest }), false)
    expect(replay.check(stamp(now), false)).toBe(false)
    expect(replay.accept(stamp(now), true)).toBe(true)
    expect(replay.check(stamp(now + 1, 1, { op_code: OP.punchRequest }), false)).toBe(true)
  })

  test('brings nothing back that was accepted before it', () => {
    const punch = stamp(now, 7, { op_code: OP.punchRequest })
    replay.accept(punch, false)
    replay.accept(stamp(now + 5), true)
    expect(replay.check(punch, false)).toBe(false)
  })
})

describe('forgetting', () => {
  test('targets of one id never lets an old request in again', () => {
    const requests = Array.from({ length: 100 }, (_, index) => stamp(now + index, 1, { target: id(100 + index) }))
    for (const request of requests) expect(replay.accept(request, false)).toBe(true)
    for (const request of requests) expect(replay.check(request, false)).toBe(false)
  })

  test('ids at the cap never lets an old request in again, and keeps the table at its cap', () => {
    replay = verifier(3)
    now += 100_000
    const requests = Array.from({ length: 20 }, (_, index) => stamp(now, index, { id: id(100 + index) }))
    for (const [index, request] of requests.entries()) {
      now++
      replay.accept({ ...request, ts: now }, false)
      requests[index] = { ...request, ts: now }
    }
    expect(replay.size).toBe(3)
    for (const request of requests) expect(replay.check(request, false)).toBe(false)
  })

  test('ids that are silent makes room without a cap', () => {
    replay.accept(stamp(now), false)
    now += 181_000
    replay.accept(stamp(now, 1, { id: id(7) }), false)
    expect(replay.size).toBe(1)
  })

  test('one whose clock is ahead shuts nobody out for longer than a first contact may be off', () => {
    replay = verifier(1)
    now += 100_000
    replay.accept(stamp(now), false)
    replay.accept(stamp(Number.MAX_SAFE_INTEGER), false)
    replay.accept(stamp(now, 1, { id: id(7) }), true)
    now += FIRST_CONTACT_TOLERANCE + 1
    expect(replay.check(stamp(now, 1, { id: id(8) }), false)).toBe(true)
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
          if (small.accept(request, false)) accepted.push(request)
          for (const old of accepted) expect(small.check(old, false)).toBe(false)
        }
      }),
      { numRuns: runs(60) },
    )
  })
})
