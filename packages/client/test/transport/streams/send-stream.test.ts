/** RFC 9000 §3.1: what of a stream goes into the next frame, and again when it is lost. */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Part, SendStream } from '../../../src/core/transport/streams/send-stream.ts'

const UNLIMITED = Number.MAX_SAFE_INTEGER

/** A stream with the bytes 0, 1, 2, …, written in chunks of these sizes. */
function streamOf(...sizes: readonly number[]): SendStream {
  const stream = new SendStream(4, UNLIMITED)
  let at = 0
  for (const size of sizes) {
    const from = at
    stream.write(Uint8Array.from({ length: size }, (_, index) => from + index))
    at += size
  }
  return stream
}

/** All parts of at most so many bytes. */
function drain(stream: SendStream, space = 100, credit = UNLIMITED): readonly Part[] {
  const parts: Part[] = []
  for (let part = stream.take(space, credit); part !== undefined; part = stream.take(space, credit)) parts.push(part)
  return parts
}

const ranges = (parts: readonly Part[]): readonly string[] =>
  parts.map(({ from, to, fin, retransmission }) => `${from}–${to}${fin ? ' fin' : ''}${retransmission ? ' again' : ''}`)

describe('data', () => {
  test('goes out once, in order, in parts of the space that there is', () => {
    const stream = streamOf(10, 15)
    expect(ranges(drain(stream, 10))).toEqual(['0–10', '10–20', '20–25'])
    expect(stream.canSend(UNLIMITED)).toBe(false)
    stream.write(Uint8Array.of(1))
    expect(ranges(drain(stream, 10))).toEqual(['25–26'])
  })

  test('is copied from whatever chunks it was written in', () => {
    const stream = streamOf(3, 0, 4, 5)
    const into = new Uint8Array(8)
    stream.copy(2, into)
    expect([...into]).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('stays within the limit of the stream, and goes on when that is raised', () => {
    const stream = new SendStream(4, 12)
    stream.write(new Uint8Array(20))
    expect(ranges(drain(stream))).toEqual(['0–12'])
    expect(stream.canSend(UNLIMITED)).toBe(false)
    stream.onMaxStreamData(15)
    // A late frame lowers nothing.
    stream.onMaxStreamData(13)
    expect(ranges(drain(stream))).toEqual(['12–15'])
  })

  test('stays within what the connection allows', () => {
    const stream = streamOf(20)
    expect(stream.canSend(0)).toBe(false)
    expect(ranges([stream.take(100, 7) as Part])).toEqual(['0–7'])
    expect(stream.take(100, 0)).toBeUndefined()
  })

  test('counts as buffered until all before it is acknowledged', () => {
    const stream = streamOf(20)
    drain(stream, 10)
    stream.acked(10, 20, false)
    expect(stream.buffered).toBe(20)
    stream.acked(0, 10, false)
    expect(stream.buffered).toBe(0)
  })
})

describe('the end', () => {
  test('goes with the last part, or alone', () => {
    const stream = streamOf(15)
    stream.end()
    expect(ranges(drain(stream, 10))).toEqual(['0–10', '10–15 fin'])
    const empty = streamOf()
    empty.end()
    expect(ranges(drain(empty))).toEqual(['0–0 fin'])
  })

  test('waits for the limit that holds the last byte', () => {
    const stream = new SendStream(4, 5)
    stream.write(new Uint8Array(6))
    stream.end()
    expect(ranges(drain(stream))).toEqual(['0–5'])
    stream.onMaxStreamData(6)
    expect(ranges(drain(stream))).toEqual(['5–6 fin'])
  })

  test('needs no credit of the connection when all data is out', () => {
    const stream = streamOf(5)
    drain(stream)
    stream.end()
    expect(stream.canSend(0)).toBe(true)
    expect(ranges(drain(stream, 100, 0))).toEqual(['5–5 fin'])
  })

  test('is done when it and every byte is acknowledged', () => {
    const stream = streamOf(20)
    stream.end()
    drain(stream, 10)
    stream.acked(10, 20, true)
    expect([stream.ended, stream.done]).toEqual([true, false])
    stream.acked(0, 10, false)
    expect(stream.done).toBe(true)
  })

  test('that was lost goes again, alone when its data arrived', () => {
    const stream = streamOf(10)
    stream.end()
    drain(stream)
    stream.acked(0, 10, false)
    stream.lost(0, 10, true)
    expect(ranges(drain(stream))).toEqual(['10–10 fin again'])
    stream.acked(10, 10, true)
    expect(stream.done).toBe(true)
  })
})

describe('lost data', () => {
  test('goes before new data, whatever the limits, and only what did not arrive meanwhile', () => {
    const stream = streamOf(40)
    drain(stream, 10)
    stream.acked(10, 20, false)
    stream.lost(0, 30, false)
    stream.write(new Uint8Array(5))
    expect(stream.nextOffset).toBe(0)
    expect(stream.canSend(0)).toBe(true)
    expect(ranges(drain(stream, 100, 0))).toEqual(['0–10 again', '20–30 again'])
    expect(ranges(drain(stream))).toEqual(['40–45'])
  })

  test('that arrived after all is not sent again', () => {
    const stream = streamOf(20)
    drain(stream, 10)
    stream.lost(0, 20, false)
    stream.acked(0, 10, false)
    expect(ranges(drain(stream))).toEqual(['10–20 again'])
  })

  test('is sent in parts of the space that there is', () => {
    const stream = streamOf(30)
    stream.end()
    drain(stream)
    stream.lost(0, 30, true)
    expect(ranges(drain(stream, 12))).toEqual(['0–12 again', '12–24 again', '24–30 fin again'])
  })
})

describe('a reset', () => {
  test('tells how much was sent, and nothing more goes out', () => {
    const stream = streamOf(20)
    stream.take(8, UNLIMITED)
    stream.reset(77)
    expect(stream.resetToSend).toEqual({ code: 77, size: 8 })
    stream.lost(0, 8, false)
    expect([stream.canSend(UNLIMITED), stream.take(100, UNLIMITED)]).toEqual([false, undefined])
  })

  test('is sent again when it was lost, until it is acknowledged', () => {
    const stream = streamOf(5)
    stream.reset(1)
    stream.resetSent()
    expect(stream.resetToSend).toBeUndefined()
    stream.resetLost()
    expect(stream.resetToSend).toEqual({ code: 1, size: 0 })
    stream.resetSent()
    expect([stream.ended, stream.wasReset, stream.done]).toEqual([true, true, false])
    stream.resetAcked()
    stream.resetLost()
    expect([stream.done, stream.resetToSend]).toEqual([true, undefined])
  })

  test('keeps its first code, and is none when everything has arrived', () => {
    const stream = streamOf(5)
    stream.reset(1)
    stream.reset(2)
    expect(stream.resetToSend?.code).toBe(1)
    const done = streamOf(5)
    done.end()
    drain(done)
    done.acked(0, 5, true)
    done.reset(9)
    expect([done.wasReset, done.done]).toEqual([false, true])
  })
})

test('whatever is lost, acknowledged late or twice: every byte arrives, and then the stream is done', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40), { maxLength: 8 }),
      fc.infiniteStream(fc.record({ space: fc.integer({ min: 1, max: 30 }), fate: fc.nat(5) })),
      (sizes, steps) => {
        const stream = streamOf(...sizes)
        const length = sizes.reduce((sum, size) => sum + size, 0)
        stream.end()
        const arrived = new Set<number>()
        const flight: Part[] = []
        for (let step = 0; step < 2000 && !stream.done; step++) {
          const { space, fate } = steps.next().value as { space: number; fate: number }
          const part = stream.take(space, UNLIMITED)
          if (part !== undefined) {
            const bytes = new Uint8Array(part.to - part.from)
            stream.copy(part.from, bytes)
            expect([...bytes]).toEqual(Array.from({ length: bytes.length }, (_, index) => (part.from + index) & 0xff))
            flight.push(part)
          }
          const oldest = fate > 2 || part === undefined ? flight.shift() : undefined
          if (oldest === undefined) continue
          const { from, to, fin } = oldest
          // 5: lost. 4: taken for lost, and acknowledged all the same.
          if (fate >= 4) stream.lost(from, to, fin)
          if (fate === 5) continue
          for (let offset = from; offset < to; offset++) arrived.add(offset)
          stream.acked(from, to, fin)
        }
        expect([stream.done, stream.buffered, arrived.size]).toEqual([true, 0, length])
      },
    ),
    { numRuns: runs(200) },
  )
})
