/** docs/protocol.md, Named streams: ids, names that come in any way, and what is turned away. */

import { STREAM_CODE } from '@showchain/wire/end-to-end'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLOSE_CODE, MAX_OPEN_STREAMS } from '../../../src/core/transport/limits.ts'
import { BBR, Pair, type PathShape } from '../pair.ts'
import { inject, SECONDS } from '../traffic.ts'

const LAN: PathShape = { delay: 5 }
const NAME = 'chat/1'
const pairOf = (shape = LAN, options = {}): Pair => new Pair(BBR, shape, { namedStreams: true, ...options })
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Opens a stream at the initiator. */
function open({ a }: Pair, protocol?: string): number {
  const id = a.transport.streams.open({ priority: 0, protocol })
  if (typeof id !== 'number') throw new Error('no stream')
  return id
}

/** The text that came on each stream of `b`, as it comes. */
function texts(pair: Pair): Map<number, string> {
  const found = new Map<number, string>()
  pair.b.onBytes = (stream, bytes) => found.set(stream, (found.get(stream) ?? '') + new TextDecoder().decode(bytes))
  return found
}

/** `b` receives a STREAM frame, as if `a` had sent it. */
const stream = (pair: Pair, id: number, offset: number, bytes: Uint8Array, fin = false): void =>
  inject(pair, (writer) => writer.stream(id, offset, bytes.length, fin).set(bytes))

test('ids tell the opener and whether there is a name', () => {
  const pair = pairOf()
  const { a, b } = pair
  expect([open(pair), open(pair, NAME), open(pair), open(pair, NAME)]).toEqual([0, 2, 4, 6])
  expect([b.transport.streams.open(), b.transport.streams.open({ priority: 0, protocol: NAME })]).toEqual([1, 3])
  expect(a.transport.statistics.streams).toBe(4)
})

test('an end of a version without names is not sent one', () => {
  const pair = pairOf(LAN, { namedStreams: false })
  expect(pair.a.transport.streams.open({ priority: 0, protocol: NAME })).toBe('no names')
  expect([open(pair), open(pair)]).toEqual([0, 2])
})

test('the name comes at once, and data follows it', () => {
  const pair = pairOf()
  const found = texts(pair)
  const id = open(pair, NAME)
  pair.run(SECONDS)
  expect([pair.b.opened, pair.b.protocols, found.get(id)]).toEqual([[id], [NAME], undefined])
  pair.a.transport.streams.write(id, bytesOf('hello'))
  pair.a.transport.streams.end(id)
  pair.b.transport.streams.write(id, bytesOf('answer'))
  pair.b.transport.streams.end(id)
  pair.run(2 * SECONDS)
  expect([found.get(id), pair.b.ended.has(id), pair.a.received.get(id)]).toEqual(['hello', true, 6])
  expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
})

test('every stream has its own name and its own data, on a path that loses and reorders', () => {
  fc.assert(
    fc.property(
      fc.record({ seed: fc.nat(), loss: fc.double({ min: 0, max: 0.3, noNaN: true }) }),
      fc.array(fc.option(fc.constantFrom('chat/1', 'x', 'y'.repeat(255)), { nil: undefined }), {
        minLength: 1,
        maxLength: 40,
      }),
      ({ seed, loss }, names) => {
        const pair = pairOf({ delay: 20, rate: 20e6, queue: 60_000, loss, reorder: 0.3 }, { seed })
        const found = texts(pair)
        const ids = names.map((name) => open(pair, name))
        for (const [index, id] of ids.entries()) {
          pair.a.transport.streams.write(id, bytesOf(`data ${index}`))
          pair.a.transport.streams.end(id)
        }
        pair.run(300 * SECONDS, () => pair.b.ended.size === ids.length)
        const came = new Map(pair.b.opened.map((id, index) => [id, pair.b.protocols[index]]))
        expect(ids.map((id) => [came.get(id), found.get(id)])).toEqual(
          names.map((name, index) => [name, `data ${index}`]),
        )
        // Those without a name are told in their order, whatever is lost.
        const unnamed = pair.b.opened.filter((id) => came.get(id) === undefined)
        expect(unnamed).toEqual(unnamed.toSorted((one, other) => one - other))
      },
    ),
    { numRuns: runs(60) },
  )
})

test('a name may come byte by byte and out of order; nothing is told before it is whole', () => {
  const pair = pairOf()
  const found = texts(pair)
  const whole = Uint8Array.of(6, ...bytesOf('chat/1hi'))
  for (const at of [7, 3, 2, 6, 1, 5, 8, 4]) stream(pair, 2, at, whole.subarray(at, at + 1))
  expect(pair.b.opened).toEqual([])
  stream(pair, 2, 0, whole.subarray(0, 1))
  expect([pair.b.opened, pair.b.protocols, found.get(2)]).toEqual([[2], [NAME], 'hi'])
})

test('both kinds count for the one limit of an opener', () => {
  const pair = pairOf()
  for (let opened = 0; opened < MAX_OPEN_STREAMS / 2; opened++) {
    open(pair, NAME)
    pair.a.transport.streams.write(open(pair), bytesOf('x'))
  }
  expect([pair.a.transport.streams.open(), pair.a.transport.streams.open({ priority: 0, protocol: NAME })]).toEqual([
    undefined,
    undefined,
  ])
  pair.run(SECONDS)
  expect([pair.b.closedBy, pair.b.opened.length]).toEqual([undefined, MAX_OPEN_STREAMS])
  stream(pair, 4 * (MAX_OPEN_STREAMS / 2) + 2, 0, bytesOf('x'))
  expect(pair.b.closedBy?.code).toBe(CLOSE_CODE.streamLimit)
})

test('a frame for a stream opens those of lower ids of its kind alone', () => {
  const pair = pairOf()
  stream(pair, 8, 0, bytesOf('x'))
  expect(pair.b.opened).toEqual([0, 4, 8])
  stream(pair, 6, 0, Uint8Array.of(1, 0x61))
  expect([pair.b.opened, pair.b.protocols.at(-1), pair.b.transport.statistics.streams]).toEqual([[0, 4, 8, 6], 'a', 5])
})

describe('what does not begin with a name closes the connection', () => {
  test.each([
    ['a length of zero', Uint8Array.of(0, 0x61), false],
    ['a space', Uint8Array.of(2, 0x61, 0x20), false],
    ['an escape', Uint8Array.of(2, 0x1b, 0x5b), false],
    ['not UTF-8', Uint8Array.of(2, 0x61, 0xff), false],
    ['an end within it', Uint8Array.of(6, 0x61), true],
    ['an end and nothing before it', Uint8Array.of(), true],
  ])('%s', (_what, bytes, fin) => {
    const pair = pairOf()
    stream(pair, 2, 0, bytes, fin)
    expect(pair.b.closedBy).toEqual({ code: CLOSE_CODE.protocolViolation, reason: 'stream 2: no name of a protocol' })
    expect(pair.b.opened).toEqual([])
  })
})

describe('a receiver that says what it takes', () => {
  const protocols = new Set([NAME])

  test('resets both halves of what it does not take, with a code of the protocol, and forgets it', () => {
    const pair = pairOf(LAN, { protocols })
    const [taken, other] = [open(pair, NAME), open(pair, 'other/1')]
    pair.a.transport.streams.write(other, new Uint8Array(100_000))
    pair.run(SECONDS)
    expect([pair.b.opened, pair.b.protocols]).toEqual([[taken], [NAME]])
    expect([pair.a.stopped, pair.a.resets.get(other)]).toEqual([
      [[other, STREAM_CODE.unknownProtocol]],
      STREAM_CODE.unknownProtocol,
    ])
    expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([1, 1])
  })

  test('gives back what those took of the limits: any number of them hurts nothing', () => {
    const pair = pairOf(LAN, { protocols })
    for (let round = 0; round < 20; round++) {
      for (let each = 0; each < MAX_OPEN_STREAMS / 2; each++) {
        const id = open(pair, 'other/1')
        pair.a.transport.streams.write(id, new Uint8Array(1000))
        pair.a.transport.streams.end(id)
      }
      pair.run((round + 1) * 5 * SECONDS)
      expect([pair.a, pair.b].map(({ transport }) => transport.statistics.streams)).toEqual([0, 0])
    }
    const id = open(pair, NAME)
    const found = texts(pair)
    pair.a.transport.streams.write(id, new Uint8Array(600_000))
    pair.run(200 * SECONDS)
    expect([pair.b.opened, found.get(id)?.length, pair.b.closedBy]).toEqual([[id], 600_000, undefined])
  })

  test('takes streams without a name', () => {
    const pair = pairOf(LAN, { protocols })
    const id = open(pair)
    pair.a.transport.streams.write(id, bytesOf('x'))
    pair.run(SECONDS)
    expect([pair.b.opened, pair.b.protocols]).toEqual([[id], [undefined]])
  })
})

describe('a stream that is over before its name came', () => {
  test.each([
    ['reset', 0],
    ['reset after a part of it', 3],
  ])('%s: nobody learns of it, and it is forgotten', (_what, length) => {
    const pair = pairOf()
    open(pair, NAME)
    // The record with the name is lost, but for a part.
    pair.a.transport.fill(pair.a.next++, new Uint8Array(1000), pair.now)
    if (length > 0) stream(pair, 2, 0, Uint8Array.of(6, 0x63, 0x68).subarray(0, length))
    pair.a.transport.streams.reset(2, 9)
    pair.run(SECONDS)
    expect([pair.b.opened, pair.b.closedBy, pair.b.transport.statistics.streams]).toEqual([[], undefined, 0])
    expect(pair.a.resets.get(2)).toBe(9)
  })

  test('stopped: its reader learns of that with the stream', () => {
    const pair = pairOf()
    inject(pair, (writer) => writer.numbers(0x05, 2, 7))
    expect([pair.b.opened, pair.b.stopped]).toEqual([[], []])
    stream(pair, 2, 0, Uint8Array.of(1, 0x61))
    expect([pair.b.opened, pair.b.stopped]).toEqual([[2], [[2, 7]]])
  })
})

test('what came of a stream whose name is not whole is not there to read when the connection ends', () => {
  const pair = pairOf()
  stream(pair, 2, 0, Uint8Array.of(6, 0x63))
  stream(pair, 0, 0, bytesOf('x'))
  pair.b.reads = false
  stream(pair, 0, 1, bytesOf('y'))
  expect(pair.b.transport.streams.unread().map(({ stream: id }) => id)).toEqual([0])
})
