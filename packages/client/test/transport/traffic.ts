/** Streams between two transports whose every byte is known, and records that no transport would send. */
import { FrameWriter } from '@showchain/wire/end-to-end'
import type { Pair } from './pair.ts'

export const SECONDS = 1000

/** The byte of a stream at an offset. */
const byteAt = (stream: number, offset: number): number => (offset * 31 + (offset >> 8) * 7 + stream * 13) & 0xff

/** Writes a stream of so many bytes and ends it, beyond the send buffer too. */
export function send(pair: Pair, stream: number, length: number, chunk = 10_000): void {
  const { streams } = pair.a.transport
  for (let at = 0; at < length; at += chunk) {
    const bytes = Uint8Array.from({ length: Math.min(chunk, length - at) }, (_, index) => byteAt(stream, at + index))
    streams.write(stream, bytes)
  }
  streams.end(stream)
}

/** Counts bytes of a stream that are not what they should be. */
export function checking(pair: Pair): { wrong: number } {
  const result = { wrong: 0 }
  const at = new Map<number, number>()
  pair.b.onBytes = (stream, bytes) => {
    const from = at.get(stream) ?? 0
    for (const [index, byte] of bytes.entries()) if (byte !== byteAt(stream, from + index)) result.wrong++
    at.set(stream, from + bytes.length)
  }
  return result
}

export const open = (pair: Pair, priority = 0): number => {
  const id = pair.a.transport.streams.open({ priority })
  if (typeof id !== 'number') throw new Error('no stream')
  return id
}

/** `b` receives a record with these frames, as if `a` had sent it. */
export function inject(pair: Pair, write: (writer: FrameWriter) => void): void {
  const buffer = new Uint8Array(1000)
  const writer = new FrameWriter()
  writer.reset(buffer, 1000)
  write(writer)
  pair.b.transport.receive(pair.a.next++, buffer.slice(0, writer.length), pair.b.next, pair.now)
  pair.b.drain(pair.now)
}

/** Writes to a new stream whenever it takes more. */
export function sendEndlessly(pair: Pair): number {
  const id = open(pair)
  const feed = (): void => {
    while (pair.a.transport.streams.write(id, new Uint8Array(50_000)));
  }
  pair.a.onWritable = feed
  feed()
  return id
}
