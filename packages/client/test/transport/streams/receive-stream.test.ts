/**
 * RFC 9000 §3.2: what came of a stream, in order, each byte once. What breaks its limits:
 * limits.test.ts.
 */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_SMALL_PIECES } from '../../../src/core/transport/limits.ts'
import { ReceiveStream } from '../../../src/core/transport/streams/receive-stream.ts'

const WINDOW = 1000
const MAX_WINDOW = 4000

const fresh = (): ReceiveStream => new ReceiveStream(4, WINDOW, MAX_WINDOW)
/** The bytes that the stream has at these offsets. */
const bytes = (from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: to - from }, (_, index) => (from + index) & 0xff)
const arrive = (stream: ReceiveStream, from: number, to: number, fin = false): string =>
  stream.receive(from, bytes(from, to), fin)

/** Reads all that is there. */
function readAll(stream: ReceiveStream): Uint8Array {
  const found: number[] = []
  for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read()) found.push(...chunk)
  return Uint8Array.from(found)
}

describe('data', () => {
  test('can be read as soon as all before it came', () => {
    const stream = fresh()
    arrive(stream, 10, 20)
    expect([stream.readable, stream.read()]).toEqual([false, undefined])
    arrive(stream, 0, 10)
    expect(stream.readable).toBe(true)
    expect(readAll(stream)).toEqual(bytes(0, 20))
    expect(stream.readTo).toBe(20)
  })

  test('that came before, or overlaps with what came, counts once', () => {
    const stream = fresh()
    arrive(stream, 0, 10)
    arrive(stream, 5, 15)
    arrive(stream, 0, 12)
    arrive(stream, 30, 40)
    arrive(stream, 25, 35)
    arrive(stream, 20, 45)
    arrive(stream, 15, 20)
    expect(readAll(stream)).toEqual(bytes(0, 45))
    expect(stream.highest).toBe(45)
  })

  test('comes out whole and in order, however its pieces arrive', () => {
    const pieces = fc.array(fc.tuple(fc.nat(200), fc.nat(60)), { maxLength: 40 })
    fc.assert(
      fc.property(pieces, fc.array(fc.boolean(), { maxLength: 40 }), (parts, reads) => {
        const stream = fresh()
        const read: number[] = []
        for (const [index, [from, length]] of parts.entries()) {
          expect(arrive(stream, from, from + length)).toBe('ok')
          if (reads[index] === true) read.push(...readAll(stream))
        }
        // What is still missing.
        for (let offset = 0; offset < 260; offset += 13) arrive(stream, offset, Math.min(offset + 13, 260))
        arrive(stream, 260, 260, true)
        read.push(...readAll(stream))
        expect(read).toEqual([...bytes(0, 260)])
        expect([stream.complete, stream.done]).toEqual([true, true])
      }),
      { numRuns: runs(300) },
    )
  })

  test('that waits for what is missing keeps no whole datagram alive for a few bytes of it', () => {
    const stream = fresh()
    const datagram = new Uint8Array(1200)
    datagram.set(bytes(600, 610), 100)
    stream.receive(600, datagram.subarray(100, 110), false)
    arrive(stream, 0, 600)
    stream.read()
    const chunk = stream.read()
    expect(chunk).toEqual(bytes(600, 610))
    expect(chunk?.buffer).not.toBe(datagram.buffer)
  })
})

describe('small pieces', () => {
  const wide = (pieces = { count: 0 }): ReceiveStream => new ReceiveStream(4, 100_000, 100_000, pieces)
  /** Every second byte, from the last to the first. */
  const backwards = (stream: ReceiveStream, count: number): string[] =>
    Array.from({ length: count }, (_, index) => arrive(stream, 2 * (count - index) - 1, 2 * (count - index)))

  test('out of order are capped', () => {
    const found = backwards(wide(), MAX_SMALL_PIECES + 1)
    expect(found.slice(0, -1).every((arrival) => arrival === 'ok')).toBe(true)
    expect(found.at(-1)).toBe('pieces')
  })

  test.each([
    ['came in order after all', (stream: ReceiveStream): unknown => arrive(stream, 0, 2000)],
    ['were reset', (stream: ReceiveStream): unknown => stream.reset(1, 5000)],
    ['are not wanted', (stream: ReceiveStream): void => stream.stop()],
  ])('of all streams count together, until they %s', (_how, end) => {
    const pieces = { count: 0 }
    const streams = [wide(pieces), wide(pieces)]
    for (const stream of streams) backwards(stream, 500)
    expect(pieces.count).toBe(1000)
    for (const stream of streams) end(stream)
    expect(pieces.count).toBe(0)
  })

  test('in order are joined while they wait, and what was read is left alone', () => {
    const stream = wide()
    for (let at = 0; at < 10; at++) arrive(stream, at, at + 1)
    const first = stream.read()
    for (let at = 10; at < 20_000; at++) arrive(stream, at, at + 1)
    const chunks: Uint8Array[] = []
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read()) chunks.push(chunk)
    expect(first).toEqual(bytes(0, 10))
    expect(chunks.length).toBeLessThan(10)
    expect(Buffer.concat(chunks).equals(bytes(10, 20_000))).toBe(true)
  })
})

describe('the end', () => {
  test('is known when it came, reached when all came, and over when all was read', () => {
    const stream = fresh()
    arrive(stream, 10, 20, true)
    expect([stream.complete, stream.done]).toEqual([false, false])
    arrive(stream, 0, 10)
    expect([stream.complete, stream.done]).toEqual([true, false])
    readAll(stream)
    expect([stream.complete, stream.done, stream.readable]).toEqual([true, true, true])
  })

  test('may come alone', () => {
    const stream = fresh()
    arrive(stream, 0, 5)
    readAll(stream)
    expect(stream.done).toBe(false)
    arrive(stream, 5, 5, true)
    expect(stream.done).toBe(true)
  })
})

describe('a reset', () => {
  test('ends the stream at once, and what was not read is dropped', () => {
    const stream = fresh()
    arrive(stream, 0, 10)
    arrive(stream, 20, 30)
    expect(stream.reset(7, 50)).toBe('ok')
    expect([stream.done, stream.resetCode, stream.read()]).toEqual([true, 7, undefined])
    // All of it counts as read: it takes nothing of the connection's window any more.
    expect([stream.highest, stream.readTo]).toEqual([50, 50])
    arrive(stream, 10, 20)
    expect(stream.read()).toBeUndefined()
  })

  test('of a stream that is complete leaves what came to be read', () => {
    const stream = fresh()
    arrive(stream, 0, 10, true)
    stream.reset(7, 10)
    expect([stream.resetCode, stream.done]).toEqual([undefined, false])
    expect(readAll(stream)).toEqual(bytes(0, 10))
  })
})

test('a reader that stops gets nothing more, and what comes counts as read', () => {
  const stream = fresh()
  arrive(stream, 0, 10)
  arrive(stream, 20, 30)
  stream.stop()
  expect([stream.stopped, stream.read(), stream.readTo]).toEqual([true, undefined, 10])
  arrive(stream, 10, 40)
  expect([stream.read(), stream.readTo]).toEqual([undefined, 40])
  arrive(stream, 40, 50, true)
  expect(stream.done).toBe(true)
})

describe('the limit', () => {
  test('is raised when half of the window was read: by what was read, and by twice as much for a fast reader', () => {
    const stream = fresh()
    arrive(stream, 0, 900)
    expect(stream.limitDue).toBe(false)
    expect(stream.read()?.length).toBe(900)
    expect(stream.limitDue).toBe(true)
    expect(stream.raiseLimit(false)).toBe(900 + WINDOW)
    expect(stream.raiseLimit(true)).toBe(900 + 2 * WINDOW)
    for (let times = 0; times < 5; times++) stream.raiseLimit(true)
    expect(stream.raiseLimit(true)).toBe(900 + MAX_WINDOW)
  })

  test('need not be raised when the end is known or the stream was reset', () => {
    const ended = fresh()
    arrive(ended, 0, 900, true)
    ended.read()
    const reset = fresh()
    arrive(reset, 0, 900)
    reset.read()
    reset.reset(1, 950)
    expect([ended.limitDue, reset.limitDue]).toEqual([false, false])
  })
})
