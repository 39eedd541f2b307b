/** Frames as JSON, as in vectors and in the conformance protocol. */
import { FRAME, type FrameSink, FrameWriter, readFrames } from '@showchain/wire/end-to-end'
import { fromHex, toHex } from '../hex.ts'

export type PlainFrame =
  /** `ranges`: [lowest, highest], the newest first. `delay` in units of 8 µs, as on the wire. */
  | { readonly type: 'ACK'; readonly ranges: readonly (readonly [number, number])[]; readonly delay: number }
  | { readonly type: 'RESET_STREAM'; readonly stream: number; readonly code: number; readonly finalSize: number }
  | { readonly type: 'STOP_SENDING'; readonly stream: number; readonly code: number }
  | {
      readonly type: 'STREAM'
      readonly stream: number
      readonly offset: number
      readonly fin: boolean
      readonly data: string
    }
  | { readonly type: 'MAX_DATA'; readonly limit: number }
  | { readonly type: 'MAX_STREAM_DATA'; readonly stream: number; readonly limit: number }
  | { readonly type: 'MAX_STREAMS'; readonly limit: number }
  | { readonly type: 'PATH_CHALLENGE' | 'PATH_RESPONSE'; readonly token: string }
  | { readonly type: 'CONNECTION_CLOSE'; readonly code: number; readonly reason: string }
  | { readonly type: 'DATAGRAM'; readonly data: string }
  /** `lifetime` in seconds. */
  | { readonly type: 'STATIC_KEY'; readonly key: string; readonly lifetime: number }

/** The content of a record's payload. */
export interface PlainFrames {
  /** All frames except PADDING and PING, in order. */
  readonly frames: readonly PlainFrame[]
  /** Whether it has frames other than ACK, PADDING and CONNECTION_CLOSE (RFC 9000 §13.2). */
  readonly ackEliciting: boolean
}

/** An ACK's delay is in units of 8 µs (RFC 9000 §18.2, ack_delay_exponent 3). */
const DELAY_UNITS_PER_MS = 125

/** Undefined if a frame is malformed. */
export function plainFrames(payload: Uint8Array): PlainFrames | undefined {
  const frames: PlainFrame[] = []
  const read = readFrames(
    payload,
    sinkOf((frame) => frames.push(frame)),
  )
  return read === 'violation' ? undefined : { frames, ackEliciting: read === 'ack-eliciting' }
}

function sinkOf(push: (frame: PlainFrame) => void): FrameSink {
  const take = (frame: PlainFrame): true => {
    push(frame)
    return true
  }
  return {
    ack: (flat, delayMs) => {
      const ranges = Array.from({ length: flat.length / 2 }, (_, at): [number, number] => [
        flat[2 * at] as number,
        flat[2 * at + 1] as number,
      ])
      return take({ type: 'ACK', ranges, delay: Math.round(delayMs * DELAY_UNITS_PER_MS) })
    },
    stream: (stream, offset, data, fin) => take({ type: 'STREAM', stream, offset, fin, data: toHex(data) }),
    resetStream: (stream, code, finalSize) => take({ type: 'RESET_STREAM', stream, code, finalSize }),
    stopSending: (stream, code) => take({ type: 'STOP_SENDING', stream, code }),
    maxData: (limit) => take({ type: 'MAX_DATA', limit }),
    maxStreamData: (stream, limit) => take({ type: 'MAX_STREAM_DATA', stream, limit }),
    maxStreams: (limit) => take({ type: 'MAX_STREAMS', limit }),
    pathChallenge: (token) => take({ type: 'PATH_CHALLENGE', token: toHex(token) }),
    pathResponse: (token) => take({ type: 'PATH_RESPONSE', token: toHex(token) }),
    datagram: (data) => take({ type: 'DATAGRAM', data: toHex(data) }),
    staticKey: (key, lifetime) => take({ type: 'STATIC_KEY', key: toHex(key), lifetime }),
    close: (code, reason) => take({ type: 'CONNECTION_CLOSE', code, reason }),
  }
}

/** Larger than any record. */
const CAPACITY = 65_536

/** Encodes frames as this project does. */
export function framesToBytes(frames: readonly PlainFrame[]): Uint8Array {
  const into = new Uint8Array(CAPACITY)
  const writer = new FrameWriter()
  writer.reset(into, CAPACITY)
  for (const frame of frames) write(writer, frame)
  return into.slice(0, writer.length)
}

function write(writer: FrameWriter, frame: PlainFrame): void {
  switch (frame.type) {
    case 'ACK':
      writer.ack(frame.ranges.flat(), frame.delay / DELAY_UNITS_PER_MS)
      return
    case 'RESET_STREAM':
      writer.numbers(FRAME.resetStream, frame.stream, frame.code, frame.finalSize)
      return
    case 'STOP_SENDING':
      writer.numbers(FRAME.stopSending, frame.stream, frame.code)
      return
    case 'STREAM': {
      const data = fromHex(frame.data)
      writer.stream(frame.stream, frame.offset, data.length, frame.fin).set(data)
      return
    }
    case 'MAX_DATA':
      writer.numbers(FRAME.maxData, frame.limit)
      return
    case 'MAX_STREAM_DATA':
      writer.numbers(FRAME.maxStreamData, frame.stream, frame.limit)
      return
    case 'MAX_STREAMS':
      writer.numbers(FRAME.maxStreams, frame.limit)
      return
    case 'PATH_CHALLENGE':
      writer.token(FRAME.pathChallenge, fromHex(frame.token))
      return
    case 'PATH_RESPONSE':
      writer.token(FRAME.pathResponse, fromHex(frame.token))
      return
    case 'DATAGRAM':
      writer.datagram(fromHex(frame.data))
      return
    case 'STATIC_KEY':
      writer.staticKey(fromHex(frame.key), frame.lifetime)
      return
    case 'CONNECTION_CLOSE':
      writer.close(frame.code, frame.reason)
  }
}
