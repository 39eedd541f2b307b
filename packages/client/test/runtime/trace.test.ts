import { encode, OP, peerIdFromBytes } from '@showchain/wire'
import { expect, test } from 'vitest'
import { type TraceEntry, traceEntry, traceTaps } from '../../src/runtime/index.ts'
import { HandClock, there } from './fakes.ts'

const keepAlive = { op_code: OP.keepAlive, id: peerIdFromBytes(new Uint8Array(32)), seq: 0, ts: 0 } as const

test('a trace entry holds the message of a datagram, or why it is none', () => {
  const bytes = encode(keepAlive, 'binary')
  expect(traceEntry('sent', 5, there, bytes)).toEqual({
    direction: 'sent',
    at: 5,
    remote: there,
    bytes,
    message: keepAlive,
  })
  const noise = Uint8Array.of(1, 2)
  expect(traceEntry('received', 6, there, noise)).toEqual({
    direction: 'received',
    at: 6,
    remote: there,
    bytes: noise,
    refusal: 'class',
  })
})

test('taps trace both directions with the time of day, and are absent when nobody traces', () => {
  const seen: TraceEntry[] = []
  const taps = traceTaps((entry) => seen.push(entry), new HandClock())
  const received = encode(keepAlive, 'json')
  taps.onReceive?.({ source: there, bytes: received })
  taps.onTransmit?.(there, encode(keepAlive, 'binary'))
  expect(seen.map(({ direction, at, message }) => [direction, at, message])).toEqual([
    ['received', 1_000_000, keepAlive],
    ['sent', 1_000_000, keepAlive],
  ])
  // The socket may use the memory again: who traces keeps a copy.
  received.fill(0)
  expect(seen[0]?.bytes).toEqual(encode(keepAlive, 'json'))
  expect(traceTaps(undefined, new HandClock())).toEqual({})
})
