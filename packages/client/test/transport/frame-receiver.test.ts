/** Frames that violate the protocol (RFC 9000 §11.1, §20.1), and frames that come late. */
import { FRAME, FrameWriter } from '@showchain/wire/end-to-end'
import { expect, test } from 'vitest'
import { CLOSE_CODE, MAX_OPEN_STREAMS, STREAM_WINDOW } from '../../src/core/transport/limits.ts'
import { CUBIC, Pair, type PathShape } from './pair.ts'
import { inject, open, SECONDS } from './traffic.ts'

const LAN: PathShape = { delay: 5 }

test.each<[string, number, (writer: FrameWriter) => void]>([
  [
    'an acknowledgement of a record that was never sent',
    CLOSE_CODE.protocolViolation,
    (writer) => writer.ack([1000, 1000], 0),
  ],
  ['data beyond the window of a stream', CLOSE_CODE.flowControl, (writer) => writer.stream(0, STREAM_WINDOW, 1, false)],
  ['a stream beyond the limit', CLOSE_CODE.streamLimit, (writer) => writer.stream(2 * MAX_OPEN_STREAMS, 0, 1, false)],
  ['a stream of this end that it never opened', CLOSE_CODE.streamLimit, (writer) => writer.stream(1, 0, 1, false)],
  ['a malformed frame', CLOSE_CODE.frameEncoding, (writer) => writer.numbers(0x3f)],
])('%s closes the connection with its error code', (_what, code, write) => {
  const pair = new Pair(CUBIC, LAN)
  inject(pair, write)
  expect(pair.b.closedBy?.code).toBe(code)
  pair.run(SECONDS)
  expect(pair.a.closedBy?.code).toBe(code)
})

test('a changed final size closes the connection', () => {
  const pair = new Pair(CUBIC, LAN)
  inject(pair, (writer) => writer.stream(0, 10, 1, true))
  expect(pair.b.closedBy).toBeUndefined()
  inject(pair, (writer) => writer.stream(0, 20, 1, true))
  expect(pair.b.closedBy?.code).toBe(CLOSE_CODE.finalSize)
})

test('what the application gets is its own, also when the memory of the record is used again', () => {
  const pair = new Pair(CUBIC, LAN)
  const memory = new Uint8Array(65_535)
  const writer = new FrameWriter()
  writer.reset(memory, 1000)
  writer.datagram(Uint8Array.of(1, 2, 3))
  // The second piece of the stream comes first.
  writer.stream(0, 2, 2, false).fill(5)
  writer.stream(0, 0, 2, false).fill(4)
  pair.b.transport.receive(0, memory.subarray(0, writer.length), 0, pair.now)
  memory.fill(0xee)
  const pieces: number[] = []
  pair.b.onBytes = (_, bytes) => void pieces.push(...bytes)
  pair.b.drain(pair.now)
  expect(pair.b.datagrams).toEqual([Uint8Array.of(1, 2, 3)])
  expect(pieces).toEqual([4, 4, 5, 5])
})

test('a second ACK in one record is not read', () => {
  const pair = new Pair(CUBIC, LAN)
  pair.b.transport.streams.write(pair.b.transport.streams.open() as number, new Uint8Array(10))
  pair.b.pump(pair.now)
  expect(pair.b.transport.unanswered).toBe(true)
  const [number, unsent] = [pair.b.next - 1, pair.b.next]
  inject(pair, (writer) => {
    writer.ack([number, number], 0)
    writer.ack([unsent, unsent], 0)
  })
  expect([pair.b.closedBy, pair.b.transport.unanswered]).toEqual([undefined, false])
  inject(pair, (writer) => writer.ack([unsent, unsent], 0))
  expect(pair.b.closedBy?.code).toBe(CLOSE_CODE.protocolViolation)
})

test('late frames of a finished stream have no effect', () => {
  const pair = new Pair(CUBIC, LAN)
  pair.a.transport.streams.end(open(pair))
  pair.run(SECONDS)
  pair.b.transport.streams.end(0)
  pair.run(2 * SECONDS)
  expect(pair.b.transport.statistics.streams).toBe(0)
  inject(pair, (writer) => writer.stream(0, 0, 1, true))
  inject(pair, (writer) => writer.numbers(FRAME.maxStreamData, 0, 10))
  inject(pair, (writer) => writer.numbers(FRAME.stopSending, 0, 10))
  expect(pair.b.closedBy).toBeUndefined()
})
