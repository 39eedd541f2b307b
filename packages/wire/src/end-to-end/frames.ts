/**
 * The frames in a record: those of QUIC (RFC 9000 §19, RFC 9221), with the same types and forms.
 * All streams are bidirectional; the lowest bit of a stream id is that of its opener.
 *
 *   type (varint) | fields (varints) | data
 */

import { readU32, writeU32 } from '../bytes.ts'
import { KX_BYTES } from '../limits.ts'
import type { FrameSink } from './frame-sink.ts'
import { RECORD_OVERHEAD } from './records.ts'
import { Reader, varintLength, writeVarint } from './varint.ts'

/** Types of frames (RFC 9000 §19, RFC 9221 §4; docs/protocol.md, What is in a record). */
export const FRAME = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  resetStream: 0x04,
  stopSending: 0x05,
  /** 0x08 to 0x0f: with three flags. */
  stream: 0x08,
  maxData: 0x10,
  maxStreamData: 0x11,
  maxStreams: 0x12,
  pathChallenge: 0x1a,
  pathResponse: 0x1b,
  close: 0x1d,
  /** Not QUIC's: see `staticKey` of `FrameSink`. */
  staticKey: 0x2a,
  datagram: 0x30,
  /** With a length. */
  datagramWithLength: 0x31,
} as const

/** In the type of a STREAM frame: it is the last of its stream (RFC 9000 §19.8). */
export const STREAM_FIN = 0x01
const STREAM_LENGTH = 0x02
const STREAM_OFFSET = 0x04
const STREAM_FLAGS: number = STREAM_FIN | STREAM_LENGTH | STREAM_OFFSET

/** Bytes of a path challenge (RFC 9000 §19.17). */
export const CHALLENGE_BYTES = 8
/** Seconds for which a static key may be used, a u32. */
const LIFETIME_BYTES = 4
/** ACK ranges that are read from one frame, the newest first. */
export const MAX_ACK_RANGES = 64
/** ACK delays are in units of 8 µs (RFC 9000 §18.2, ack_delay_exponent 3). */
const ACK_DELAY_UNITS_PER_MS = 125
const MAX_REASON_BYTES = 256
/** A type, and a length of two bytes. */
const DATAGRAM_FRAME_BYTES = 3
/** Bytes of a record besides the DATAGRAM's data. */
export const DATAGRAM_OVERHEAD: number = RECORD_OVERHEAD + DATAGRAM_FRAME_BYTES

/**
 * `violation`: a malformed frame, or one that the sink refused. Otherwise the terms of RFC 9000 §13.2
 * and §9.1.
 */
export type FramesRead = 'violation' | 'probing' | 'non-eliciting' | 'ack-eliciting'

/** A reason is shown to people: only printable ASCII, so that it cannot control a terminal. */
const textOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?')).join('')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f)

/** A challenge is answered by a frame of its own, and neither is sent again when it is lost. */
const PROBING: readonly number[] = [FRAME.padding, FRAME.pathChallenge, FRAME.pathResponse]

/** Hands each frame of a record's payload to the sink, in order, until the sink returns false. */
export function readFrames(payload: Uint8Array, sink: FrameSink): FramesRead {
  const reader = new Reader(payload)
  let reading: FramesRead = 'probing'
  while (reader.remaining > 0) {
    const type = reader.varint()
    if (!readFrame(type, reader, sink) || !reader.ok) return 'violation'
    if (type >= FRAME.stream && type <= FRAME.stream + STREAM_FLAGS) reading = 'ack-eliciting'
    else if (type === FRAME.ack || type === FRAME.close) reading = reading === 'probing' ? 'non-eliciting' : reading
    else if (!PROBING.includes(type)) reading = 'ack-eliciting'
  }
  return reading
}

/** A truncated frame does not reach the sink. */
function readFrame(type: number, reader: Reader, sink: FrameSink): boolean {
  // No bit operation: a type may have more than 32 bits.
  if (type >= FRAME.stream && type <= FRAME.stream + STREAM_FLAGS) return readStream(type, reader, sink)
  switch (type) {
    case FRAME.padding:
    case FRAME.ping:
      return true
    case FRAME.ack:
      return readAck(reader, sink)
    case FRAME.resetStream: {
      const [id, code, size] = [reader.varint(), reader.varint(), reader.varint()]
      return reader.ok && sink.resetStream(id, code, size)
    }
    case FRAME.stopSending: {
      const [id, code] = [reader.varint(), reader.varint()]
      return reader.ok && sink.stopSending(id, code)
    }
    case FRAME.maxData: {
      const limit = reader.varint()
      return reader.ok && sink.maxData(limit)
    }
    case FRAME.maxStreamData: {
      const [id, limit] = [reader.varint(), reader.varint()]
      return reader.ok && sink.maxStreamData(id, limit)
    }
    case FRAME.maxStreams: {
      const limit = reader.varint()
      return reader.ok && sink.maxStreams(limit)
    }
    case FRAME.pathChallenge: {
      const token = reader.take(CHALLENGE_BYTES)
      return reader.ok && sink.pathChallenge(token)
    }
    case FRAME.pathResponse: {
      const token = reader.take(CHALLENGE_BYTES)
      return reader.ok && sink.pathResponse(token)
    }
    case FRAME.datagram:
    case FRAME.datagramWithLength: {
      const bytes = reader.take(type === FRAME.datagram ? reader.remaining : reader.varint())
      return reader.ok && sink.datagram(bytes)
    }
    case FRAME.staticKey: {
      const [key, lifetime] = [reader.take(KX_BYTES), reader.take(LIFETIME_BYTES)]
      return reader.ok && sink.staticKey(key, readU32(lifetime, 0))
    }
    case FRAME.close: {
      const code = reader.varint()
      const length = reader.varint()
      const reason = reader.take(length)
      return reader.ok && length <= MAX_REASON_BYTES && sink.close(code, textOf(reason))
    }
    default:
      return false
  }
}

function readStream(type: number, reader: Reader, sink: FrameSink): boolean {
  const id = reader.varint()
  const offset = (type & STREAM_OFFSET) === 0 ? 0 : reader.varint()
  const data = reader.take((type & STREAM_LENGTH) === 0 ? reader.remaining : reader.varint())
  if (!reader.ok || offset + data.length > Number.MAX_SAFE_INTEGER) return false
  return sink.stream(id, offset, data, (type & STREAM_FIN) !== 0)
}

/** RFC 9000 §19.3. */
function readAck(reader: Reader, sink: FrameSink): boolean {
  let highest = reader.varint()
  const delay = reader.varint() / ACK_DELAY_UNITS_PER_MS
  const more = reader.varint()
  const ranges: number[] = []
  for (let index = 0; index <= more; index++) {
    if (index > 0) highest -= reader.varint() + 2
    const lowest = highest - reader.varint()
    if (!reader.ok || lowest < 0) return false
    if (index < MAX_ACK_RANGES) ranges.push(lowest, highest)
    highest = lowest
  }
  return sink.ack(ranges, delay)
}

/**
 * Writes frames into the payload of a record. A frame that does not fit is the caller's mistake,
 * unless it returns false.
 */
export class FrameWriter {
  #into: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0

  /** Starts a record. @param capacity bytes for frames */
  reset(into: Uint8Array, capacity: number): void {
    this.#into = into
    this.#at = 0
    this.#end = capacity
  }

  get length(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  /** A frame of integers only, its type first. False if it does not fit. */
  numbers(...values: readonly number[]): boolean {
    let length = 0
    for (const value of values) length += varintLength(value)
    if (length > this.remaining) return false
    for (const value of values) this.#at = writeVarint(this.#into, this.#at, value)
    return true
  }

  /**
   * An ACK with as many ranges as fit. False if not even the first does.
   * @param ranges lowest, highest, …, the newest first
   */
  ack(ranges: readonly number[], delayMs: number): boolean {
    const [lowest = 0, highest = 0] = ranges
    const delay = Math.max(0, Math.round(delayMs * ACK_DELAY_UNITS_PER_MS))
    let spare = this.remaining - (1 + varintLength(highest) + varintLength(delay) + 2 + varintLength(highest - lowest))
    if (spare < 0) return false
    let count = 0
    for (let index = 2; index + 1 < ranges.length && count < MAX_ACK_RANGES - 1; index += 2, count++) {
      const gap = (ranges[index - 2] as number) - (ranges[index + 1] as number) - 2
      spare -= varintLength(gap) + varintLength((ranges[index + 1] as number) - (ranges[index] as number))
      if (spare < 0) break
    }
    this.numbers(FRAME.ack, highest, delay, count, highest - lowest)
    for (let index = 2; index < 2 + 2 * count; index += 2) {
      const [from, to] = [ranges[index] as number, ranges[index + 1] as number]
      this.numbers((ranges[index - 2] as number) - to - 2, to - from)
    }
    return true
  }

  /** Bytes of data that fit a STREAM frame with a length; negative if its header does not fit. */
  streamCapacity(id: number, offset: number): number {
    // A length of two bytes is enough for every record.
    return this.remaining - 1 - varintLength(id) - varintLength(offset) - 2
  }

  /** The header of a STREAM frame. @returns the place for its data */
  stream(id: number, offset: number, length: number, fin: boolean): Uint8Array {
    const into = this.#into
    // One by one: there is one of these for each packet.
    let at = writeVarint(into, this.#at, FRAME.stream | STREAM_OFFSET | STREAM_LENGTH | (fin ? STREAM_FIN : 0))
    at = writeVarint(into, at, id)
    at = writeVarint(into, at, offset)
    this.#at = writeVarint(into, at, length)
    return this.#take(length)
  }

  /** A PATH_CHALLENGE or PATH_RESPONSE of 8 bytes. */
  token(type: typeof FRAME.pathChallenge | typeof FRAME.pathResponse, token: Uint8Array): boolean {
    if (this.remaining < 1 + token.length) return false
    this.numbers(type)
    this.#take(token.length).set(token)
    return true
  }

  /** A DATAGRAM frame. */
  datagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.remaining - DATAGRAM_FRAME_BYTES) return false
    this.numbers(FRAME.datagramWithLength, bytes.length)
    this.#take(bytes.length).set(bytes)
    return true
  }

  /** STATIC_KEY: an X25519 key, and for how many seconds it may be used. */
  staticKey(key: Uint8Array, lifetimeS: number): boolean {
    if (this.remaining < 1 + KX_BYTES + LIFETIME_BYTES) return false
    this.numbers(FRAME.staticKey)
    this.#take(KX_BYTES).set(key)
    writeU32(this.#take(LIFETIME_BYTES), 0, lifetimeS)
    return true
  }

  /**
   * A CONNECTION_CLOSE.
   * @param reason for people; truncated to fit
   */
  close(code: number, reason: string): void {
    const text = bytesOf(reason).subarray(0, Math.min(MAX_REASON_BYTES, this.remaining - 16))
    this.numbers(FRAME.close, code, text.length)
    this.#take(text.length).set(text)
  }

  /** PADDING to the end of the record. */
  pad(): void {
    this.#take(this.remaining).fill(FRAME.padding)
  }

  #take(length: number): Uint8Array {
    const from = this.#at
    this.#at += length
    return this.#into.subarray(from, this.#at)
  }
}
