/**
 * The kinds of values in message rows, each with its binary and its JSON form (docs/protocol.md,
 * Field kinds). Both codecs loop over rows of kinds and know no single field.
 *
 * `measure` is the encoder's check (−1: cannot be written), `end` the decoder's (−1: refused).
 * `write` and `read` run after that check and need none of their own.
 */
import * as z from 'zod/mini'
import { encodeChunk, fromBase64url, toBase64url } from './base64url.ts'
import { readU16, readU32, readU64, writeU16, writeU64 } from './bytes.ts'
import { ipSchema, portSchema } from './endpoint.ts'
import {
  type PeerId,
  peerIdFromText,
  peerIdSchema,
  peerIdToBytes,
  type SessionId,
  sessionIdFromText,
  sessionIdSchema,
  sessionIdToBytes,
} from './ids.ts'
import { formatIp, IPV4_BYTES, IPV6_BYTES, ipFamily, isCanonicalIp, isMapped, parseIp } from './ip.ts'
import {
  MAX_COOKIE_BYTES,
  MAX_COUNTER,
  MAX_DATAGRAM,
  MAX_U16,
  PEER_ID_BYTES,
  SESSION_ID_BYTES,
  SIGNATURE_BYTES,
} from './limits.ts'

/** A value of a JSON message. */
export type JsonValue = string | number

export interface Kind<Value> {
  /** The value in a message object. */
  readonly schema: z.ZodMiniType<Value>
  /** For the reference page. */
  readonly binary: string
  readonly json: string
  /** Bytes of the value, or −1 if it is not of this kind. */
  measure(value: Value): number
  /** Writes a measured value at `at`. @returns the position after it */
  write(out: Uint8Array, at: number, value: Value): number
  /** The position after the value at `at`, or −1 if it is truncated or not canonical. */
  end(bytes: Uint8Array, at: number): number
  /** Reads the value of `bytes[at, end)`. Bytes are a view, not a copy. */
  read(bytes: Uint8Array, at: number, end: number): Value
  toJson(value: Value): JsonValue
  /** The value, or undefined if the JSON form is not canonical. */
  fromJson(json: JsonValue): Value | undefined
  /** As part of a log line. */
  show(value: Value): string
}

/** Characters of an id or session in a log: enough to distinguish a handful. */
const SHOWN = 8
const shorten = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
export const hexOf = (op: number): string => `0x${op.toString(16)}`

const isWhole = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max

/** `end` of a kind whose binary form always has `size` bytes. */
const fits = (size: number) => (bytes: Uint8Array, at: number) => (at + size <= bytes.length ? at + size : -1)

const u16 = (min: 0 | 1): Kind<number> => ({
  schema: min === 1 ? portSchema : z.int().check(z.gte(0), z.lte(MAX_U16)),
  binary: min === 1 ? 'u16, never 0' : 'u16',
  json: 'number',
  measure: (value) => (isWhole(value, min, MAX_U16) ? 2 : -1),
  write: writeU16,
  end: (bytes, at) => (at + 2 <= bytes.length && readU16(bytes, at) >= min ? at + 2 : -1),
  read: readU16,
  toJson: (value) => value,
  fromJson: (json) => (isWhole(json, min, MAX_U16) ? json : undefined),
  show: String,
})

export const codeKind: Kind<number> = u16(0)
export const opKind: Kind<number> = { ...codeKind, show: hexOf }
export const portKind: Kind<number> = u16(1)

/** A big-endian u64 of at most 2^53 − 1, which every JSON implementation can represent. */
export const counterKind: Kind<number> = {
  schema: z.int().check(z.gte(0), z.lte(MAX_COUNTER)),
  binary: 'u64 big-endian, ≤ 2^53−1',
  json: 'number, integer',
  measure: (value) => (isWhole(value, 0, MAX_COUNTER) ? 8 : -1),
  write: writeU64,
  // 2^53 − 1 has 21 bits above the low 32.
  end: (bytes, at) => (at + 8 <= bytes.length && readU32(bytes, at) < 0x20_0000 ? at + 8 : -1),
  read: readU64,
  toJson: (value) => value,
  fromJson: (json) => (isWhole(json, 0, MAX_COUNTER) ? json : undefined),
  show: String,
}

function idKind<Id extends string>(
  size: number,
  schema: z.ZodMiniType<Id>,
  fromText: (text: string) => Id | undefined,
  toBytes: (id: Id) => Uint8Array,
): Kind<Id> {
  return {
    schema,
    binary: `${size} bytes`,
    json: 'base64url string',
    measure: (value) => (fromText(value) === undefined ? -1 : size),
    write: (out, at, value) => {
      out.set(toBytes(value), at)
      return at + size
    },
    end: fits(size),
    read: (bytes, at, end) => encodeChunk(bytes, at, end) as Id,
    toJson: (value) => value,
    fromJson: (json) => (typeof json === 'string' ? fromText(json) : undefined),
    show: shorten,
  }
}

export const peerIdKind: Kind<PeerId> = idKind(PEER_ID_BYTES, peerIdSchema, peerIdFromText, peerIdToBytes)
export const sessionIdKind: Kind<SessionId> = idKind(
  SESSION_ID_BYTES,
  sessionIdSchema,
  sessionIdFromText,
  sessionIdToBytes,
)

export const ipKind: Kind<string> = {
  schema: ipSchema,
  binary: 'u8 family (4 or 6) + 4 or 16 bytes; an IPv4-mapped address only as family 4',
  json: 'dotted quad or RFC 5952, no zone',
  measure: (value) => (isCanonicalIp(value) ? 1 + (ipFamily(value) === 4 ? IPV4_BYTES : IPV6_BYTES) : -1),
  write: (out, at, value) => {
    const bytes = parseIp(value) as Uint8Array
    out[at] = bytes.length === IPV4_BYTES ? 4 : 6
    out.set(bytes, at + 1)
    return at + 1 + bytes.length
  },
  end: (bytes, at) => {
    const end = at + 1 + (bytes[at] === 4 ? IPV4_BYTES : bytes[at] === 6 ? IPV6_BYTES : bytes.length)
    return end > bytes.length || (bytes[at] === 6 && isMapped(bytes, at + 1)) ? -1 : end
  },
  read: (bytes, at, end) => formatIp(bytes, at + 1, end - at - 1),
  toJson: (value) => value,
  fromJson: (json) => (typeof json === 'string' && isCanonicalIp(json) ? json : undefined),
  show: String,
}

export const showBytes = (bytes: Uint8Array): string => `${bytes.length}B`

function bytesKind(form: string, accepts: (length: number) => boolean): Kind<Uint8Array> {
  return {
    schema: z.instanceof(Uint8Array).check(z.refine((bytes) => accepts(bytes.length), `not ${form}`)),
    binary: `u16 length + ${form}`,
    json: 'base64url string',
    measure: (value) => (value instanceof Uint8Array && accepts(value.length) ? 2 + value.length : -1),
    write: (out, at, value) => {
      out.set(value, writeU16(out, at, value.length))
      return at + 2 + value.length
    },
    end: (bytes, at) => {
      if (at + 2 > bytes.length) return -1
      const length = readU16(bytes, at)
      return accepts(length) && at + 2 + length <= bytes.length ? at + 2 + length : -1
    },
    read: (bytes, at, end) => bytes.subarray(at + 2, end),
    toJson: toBase64url,
    fromJson: (json) => {
      const bytes = typeof json === 'string' ? fromBase64url(json) : undefined
      return bytes !== undefined && accepts(bytes.length) ? bytes : undefined
    },
    show: showBytes,
  }
}

export const signKind: Kind<Uint8Array> = bytesKind('bytes, exactly the modulus length', (length) =>
  SIGNATURE_BYTES.includes(length),
)
export const cookieKind: Kind<Uint8Array> = {
  ...bytesKind(`1–${MAX_COOKIE_BYTES} bytes`, (length) => length >= 1 && length <= MAX_COOKIE_BYTES),
  // All cookies have the same length, so the first bytes are shown.
  show: (cookie) => shorten(toBase64url(cookie.subarray(0, SHOWN))),
}
export const dataKind: Kind<Uint8Array> = bytesKind('bytes, may be empty', (length) => length <= MAX_DATAGRAM)
