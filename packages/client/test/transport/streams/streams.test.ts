/** RFC 9000 §2 and §4: what an application sends on streams, over paths that lose and reorder. */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONNECTION_WINDOW, MAX_OPEN_STREAMS, STREAM_WINDOW } from '../../../src/core/transport/limits.ts'
import { BBR, CUBIC, Pair, type PathShape } from '../pair.ts'
import { checking, open, SECONDS, send } from '../traffic.ts'

const LAN: PathShape = { delay: 5 }

test('streams arrive whole, in order and once, on a path that loses and reorders', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
        reorder: fc.double({ min: 0, max: 0.5, noNaN: true }),
      }),
      fc.constantFrom(CUBIC, BBR),
      ({ seed, loss, reorder }, congestion) => {
        const pair = new Pair(congestion, { delay: 20, rate: 20e6, queue: 60_000, loss, reorder }, { seed })
        const found = checking(pair)
        const streams = [open(pair), open(pair), open(pair)]
        for (const stream of streams) send(pair, stream, 60_000)
        pair.run(300 * SECONDS, () => pair.b.ended.size === 3)
        expect(streams.map((stream) => pair.b.received.get(stream))).toEqual([60_000, 60_000, 60_000])
        expect([found.wrong, pair.b.ended.size]).toEqual([0, 3])
      },
    ),
    { numRuns: runs(60) },
  )
})

test('a stream goes both ways, and is forgotten when both halves are over', () => {
  const pair = new Pair(CUBIC, LAN)
  const id = open(pair)
  pair.a.transport.streams.write(id, Uint8Array.of(1, 2, 3))
  pair.a.transport.streams.end(id)
  pair.run(SECONDS, () => pair.b.ended.has(id))
  expect(pair.b.opened).toEqual([id])
  pair.b.transport.streams.write(id, Uint8Array.of(4, 5))
  pair.b.transport.streams.end(id)
  pair.run(2 * SECONDS)
  expect([pair.a.received.get(id), pair.a.ended.has(id)]).toEqual([2, true])
  expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
  expect([pair.a.transport.unanswered, pair.b.transport.unanswered]).toEqual([false, false])
})

test('streams of one end have other ids than those of the other', () => {
  const pair = new Pair(CUBIC, LAN)
  expect([pair.a.transport.streams.open(), pair.a.transport.streams.open(), pair.b.transport.streams.open()]).toEqual([
    0, 2, 1,
  ])
})

test('a stream whose reader is slow does not hold up another one', () => {
  const pair = new Pair(CUBIC, LAN)
  const [slow, fast] = [open(pair), open(pair)]
  pair.b.reads = false
  send(pair, slow, 10 * STREAM_WINDOW)
  pair.run(SECONDS)
  send(pair, fast, 5000)
  pair.run(2 * SECONDS)
  pair.b.read(fast, pair.now)
  expect([pair.b.received.get(fast), pair.b.ended.has(fast)]).toEqual([5000, true])
})

test.each([2, 3, 4, 16])('%i unread streams do not hold up another one', (count) => {
  const pair = new Pair(CUBIC, LAN)
  pair.b.reads = false
  for (let times = 0; times < count; times++) send(pair, open(pair), 2 * STREAM_WINDOW)
  pair.run(60 * SECONDS)
  const used = open(pair)
  send(pair, used, 3 * CONNECTION_WINDOW)
  for (let at = 60 * SECONDS; at < 120 * SECONDS; at += 50) {
    pair.run(at)
    pair.b.read(used, pair.now)
  }
  expect([pair.b.received.get(used), pair.b.ended.has(used)]).toEqual([3 * CONNECTION_WINDOW, true])
})

test('streams of one priority share the path, and those of a lower number go first', () => {
  const pair = new Pair(CUBIC, { delay: 10, rate: 8e6, queue: 50_000 })
  const [later, first, second] = [open(pair, 1), open(pair), open(pair)]
  for (const stream of [later, first, second]) send(pair, stream, 200_000)
  pair.run(250)
  const [one = 0, two = 0] = [pair.b.received.get(first), pair.b.received.get(second)]
  expect(Math.abs(one - two)).toBeLessThan(20_000)
  expect(one).toBeGreaterThan(50_000)
  expect(pair.b.received.get(later) ?? 0).toBe(0)
  pair.run(20 * SECONDS, () => pair.b.ended.size === 3)
  expect(pair.b.received.get(later)).toBe(200_000)
})

test('a stream stops at the limit of its window, and goes on when the remote peer reads', () => {
  const pair = new Pair(CUBIC, LAN)
  const id = open(pair)
  pair.b.reads = false
  send(pair, id, 4 * STREAM_WINDOW)
  pair.run(2 * SECONDS)
  const bytes = pair.a.transport.statistics
  expect(bytes.inFlight).toBe(0)
  pair.b.reads = true
  pair.b.read(id, pair.now)
  expect(pair.b.received.get(id)).toBe(STREAM_WINDOW)
  pair.run(10 * SECONDS, () => pair.b.ended.has(id))
  expect(pair.b.received.get(id)).toBe(4 * STREAM_WINDOW)
})

test('a writer is told to wait when the send buffer is full, and once when it may go on', () => {
  const pair = new Pair(CUBIC, LAN)
  const id = open(pair)
  const writable: number[] = []
  pair.a.onWritable = (stream) => writable.push(stream)
  let written = 0
  while (pair.a.transport.streams.write(id, new Uint8Array(50_000))) written += 50_000
  expect(written).toBeGreaterThan(100_000)
  expect(writable).toEqual([])
  pair.run(10 * SECONDS)
  expect(writable).toEqual([id])
})

test('a writer that comes while another one waits does not take its turn', () => {
  const pair = new Pair(CUBIC, LAN)
  const id = open(pair)
  const writable: number[] = []
  pair.a.onWritable = (stream) => writable.push(stream)
  const { streams } = pair.a.transport
  while (streams.write(id, new Uint8Array(50_000)));
  const tookMore: boolean[] = []
  pair.run(10 * SECONDS, () => {
    if (writable.length === 0) tookMore.push(streams.write(id, new Uint8Array(1)))
    return writable.length > 0
  })
  expect(tookMore.length).toBeGreaterThan(1)
  expect(new Set(tookMore)).toEqual(new Set([false]))
  expect(streams.write(id, new Uint8Array(1))).toBe(true)
})

test('a reset reaches the reader with its code, however often it is lost', () => {
  const pair = new Pair(CUBIC, { ...LAN, loss: 0.3 }, { seed: 4 })
  const id = open(pair)
  pair.a.transport.streams.write(id, new Uint8Array(100_000))
  pair.run(12)
  pair.a.transport.streams.reset(id, 77)
  pair.b.transport.streams.end(id)
  pair.run(20 * SECONDS)
  expect(pair.b.resets.get(id)).toBe(77)
  expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
})

test('a reader that stops makes the writer reset, and what it drops counts as read', () => {
  const pair = new Pair(CUBIC, { ...LAN, loss: 0.3 }, { seed: 9 })
  const id = open(pair)
  pair.a.transport.streams.write(id, new Uint8Array(3 * STREAM_WINDOW))
  pair.run(12)
  pair.b.transport.streams.stopSending(id, 5, pair.now)
  pair.b.transport.streams.end(id)
  pair.run(20 * SECONDS)
  expect(pair.a.stopped).toEqual([[id, 5]])
  expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
  // What was dropped unread does not count against the connection.
  const next = open(pair)
  send(pair, next, 8 * STREAM_WINDOW)
  pair.run(600 * SECONDS, () => pair.b.ended.has(next))
  expect(pair.b.received.get(next)).toBe(8 * STREAM_WINDOW)
})

test('256 streams may be open at a time, and more when some are over', () => {
  const pair = new Pair(CUBIC, LAN)
  const ids = Array.from({ length: MAX_OPEN_STREAMS }, () => open(pair))
  expect(pair.a.transport.streams.open()).toBeUndefined()
  for (const id of ids) pair.a.transport.streams.end(id)
  pair.run(SECONDS)
  for (const id of pair.b.opened) pair.b.transport.streams.end(id)
  pair.run(2 * SECONDS)
  expect(pair.a.transport.streams.open()).toBe(2 * MAX_OPEN_STREAMS)
})
