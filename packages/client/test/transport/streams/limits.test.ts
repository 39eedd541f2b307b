/**
 * RFC 9000 §4: what the other end may send, and that a RESET_STREAM and an end count as bytes do.
 */
import { FRAME, FrameWriter } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import type { CongestionFactory } from '../../../src/core/transport/congestion/controller.ts'
import {
  CLOSE_CODE,
  CONNECTION_WINDOW,
  MAX_OPEN_STREAMS,
  MAX_SMALL_PIECES,
  MAX_STREAM_WINDOW,
  STREAM_WINDOW,
} from '../../../src/core/transport/limits.ts'
import { CUBIC, Pair } from '../pair.ts'

const { flowControl, finalSize, streamLimit } = CLOSE_CODE

/** Streams that the end opened itself. */
const OWN_STREAMS = 6
const NEVER_OPENED = 2 * OWN_STREAMS + 1

/** An end that got these frames, one record each, and reads nothing. */
function after(...frames: readonly ((writer: FrameWriter) => void)[]): { readonly code: number | undefined } {
  const pair = new Pair(CUBIC, { delay: 5 })
  pair.b.reads = false
  for (let opened = 0; opened < OWN_STREAMS; opened++) pair.b.transport.streams.open()
  for (const write of frames) {
    const buffer = new Uint8Array(1000)
    const writer = new FrameWriter()
    writer.reset(buffer, buffer.length)
    write(writer)
    pair.b.transport.receive(pair.a.next++, buffer.slice(0, writer.length), pair.b.next, pair.now)
    pair.b.drain(pair.now)
  }
  return { code: pair.b.closedBy?.code }
}

const data =
  (id: number, offset: number, fin = false) =>
  (writer: FrameWriter): void =>
    void writer.stream(id, offset, 1, fin)
const reset =
  (id: number, size: number) =>
  (writer: FrameWriter): void =>
    void writer.numbers(FRAME.resetStream, id, 9, size)

describe('a stream', () => {
  test('has its window at first, to the byte', () => {
    expect(after(data(0, STREAM_WINDOW - 1)).code).toBeUndefined()
    expect(after(data(0, STREAM_WINDOW)).code).toBe(flowControl)
  })

  test('that is reset counts up to its final size', () => {
    expect(after(reset(0, STREAM_WINDOW)).code).toBeUndefined()
    expect(after(reset(0, STREAM_WINDOW + 1)).code).toBe(flowControl)
  })

  test.each([
    ['a reset before bytes that came', [data(0, 100), reset(0, 100)]],
    ['a reset at another end than the one that came', [data(0, 100, true), reset(0, 200)]],
    ['two resets with two ends', [reset(0, 100), reset(0, 101)]],
    ['an end before bytes that came', [data(0, 100), data(0, 50, true)]],
    ['two ends', [data(0, 100, true), data(0, 200, true)]],
    ['bytes behind its end', [data(0, 100, true), data(0, 101)]],
  ])('has one final size: %s end the connection', (_what, frames) => {
    expect(after(...frames).code).toBe(finalSize)
  })

  test('may be reset where everything that came ends', () => {
    expect(after(data(0, 100), reset(0, 101)).code).toBeUndefined()
  })
})

test('an application writes ahead no more than the largest window, however large the congestion window', () => {
  const window = 2 ** 40
  const endless: CongestionFactory = () => ({ name: 'endless', window, pacingRate: undefined, acked() {}, lost() {} })
  const { streams } = new Pair(endless, { delay: 5 }).a.transport
  const id = streams.open() as number
  const chunk = new Uint8Array(2 ** 20)
  let written = chunk.length
  while (streams.write(id, chunk) && written < 2 * MAX_STREAM_WINDOW) written += chunk.length
  expect(written).toBe(MAX_STREAM_WINDOW)
})

describe('a connection', () => {
  // The limit goes up with what came, by three quarters of the window a time here, until what
  // nobody reads is more than the allowance: three quarters of the window are left then.
  const unread = Array.from({ length: MAX_OPEN_STREAMS }, (_, index) => data(2 * index, STREAM_WINDOW - 1))
  const streams = (0.75 * CONNECTION_WINDOW) / STREAM_WINDOW
  const full = [...unread, ...Array.from({ length: streams }, (_, index) => data(2 * index + 1, STREAM_WINDOW - 1))]

  test('has a window over all its streams, to the byte', () => {
    expect(after(...full).code).toBeUndefined()
    expect(after(...full, data(2 * streams + 1, 0)).code).toBe(flowControl)
  })

  test('counts the final sizes of streams that are reset', () => {
    const reset0 = reset(0, STREAM_WINDOW)
    expect(after(...full.slice(1), reset0).code).toBeUndefined()
    expect(after(...full.slice(1), reset0, data(2 * streams + 1, 0)).code).toBe(flowControl)
  })

  test('has a cap on small pieces that wait for others', () => {
    const pieces = Array.from({ length: MAX_SMALL_PIECES }, (_, index) => data(0, 2 * index + 1))
    expect(after(...pieces).code).toBeUndefined()
    expect(after(...pieces, data(2, 1)).code).toBe(flowControl)
  })

  test('has 256 streams of the other end at a time', () => {
    expect(after(data(2 * MAX_OPEN_STREAMS - 2, 0)).code).toBeUndefined()
    expect(after(data(2 * MAX_OPEN_STREAMS, 0)).code).toBe(streamLimit)
  })

  test.each([
    ['data', data(NEVER_OPENED, 0)],
    ['a reset', reset(NEVER_OPENED, 0)],
    ['a limit', (writer: FrameWriter): void => void writer.numbers(FRAME.maxStreamData, NEVER_OPENED, 10)],
    ['a request to stop', (writer: FrameWriter): void => void writer.numbers(FRAME.stopSending, NEVER_OPENED, 10)],
  ])('ends with %s on a stream of this end that it never opened', (_what, frame) => {
    expect(after(frame).code).toBe(streamLimit)
  })
})
