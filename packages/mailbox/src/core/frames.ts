/**
 * The frames of a mailbox, to the byte (docs/mailbox.md): the version first, then
 * `type u8 | length u16 | payload`.
 */
import { CONFIRMATION_BYTES, SHARE_BYTES } from '@showchain/crypto/cpace'
import { FRAME_HEADER_BYTES, MAX_NUMBER, MAX_PAYLOAD, SESSION_BYTES, START_BYTES, VERSION } from './limits.ts'

export const FRAME = {
  /** An end wants a slot. */
  offer: 0x01,
  /** An end takes the slot with this number. */
  take: 0x02,
  /** The number of the slot, and how many seconds it waits. */
  slot: 0x11,
  /** Nothing more comes, and why. */
  over: 0x1f,
  /** What follows is passed on to the other end as it is. */
  start: 0x21,
  reply: 0x22,
  proof: 0x23,
  done: 0x24,
  wrong: 0x25,
} as const

/** Why a mailbox says nothing more. */
export const OVER = {
  /** No slot waits under this number. */
  unknown: 1,
  /** It has no slot left, or this source has too many. */
  full: 2,
  /** This source came too often. */
  often: 3,
  /** Nobody came for the slot. */
  expired: 4,
  /** The other end has gone, or says nothing. */
  gone: 5,
  /** What came is no frame, or not one that may come now. */
  malformed: 6,
  /** The mailbox ends. */
  closing: 7,
} as const
export type OverReason = keyof typeof OVER
const OVER_REASONS: readonly OverReason[] = Object.keys(OVER) as OverReason[]

export type Frame =
  | { readonly type: 'offer' }
  | { readonly type: 'take'; readonly number: number }
  | { readonly type: 'slot'; readonly number: number; readonly seconds: number }
  | { readonly type: 'over'; readonly reason: OverReason }
  | { readonly type: 'start'; readonly session: Uint8Array; readonly share: Uint8Array }
  | { readonly type: 'reply'; readonly share: Uint8Array }
  | { readonly type: 'proof' | 'done'; readonly confirmation: Uint8Array; readonly sealed: Uint8Array }
  | { readonly type: 'wrong' }

export const FIRST_BYTE: Uint8Array = Uint8Array.of(VERSION)

const NUMBER_BYTES = 4

/** Big-endian. */
const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value)
export const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
const readU16 = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
const readU32 = (bytes: Uint8Array): number => readU16(bytes, 0) * 2 ** 16 + readU16(bytes, 2)

/** @param parts of the payload, one after the other */
function frame(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + length)
  bytes[0] = type
  bytes.set(u16(length), 1)
  let at = FRAME_HEADER_BYTES
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export const encode = {
  offer: (): Uint8Array => frame(FRAME.offer),
  take: (number: number): Uint8Array => frame(FRAME.take, u32(number)),
  slot: (number: number, seconds: number): Uint8Array => frame(FRAME.slot, u32(number), u16(seconds)),
  over: (reason: OverReason): Uint8Array => frame(FRAME.over, Uint8Array.of(OVER[reason])),
  start: (session: Uint8Array, share: Uint8Array): Uint8Array => frame(FRAME.start, session, share),
  reply: (share: Uint8Array): Uint8Array => frame(FRAME.reply, share),
  proof: (confirmation: Uint8Array, sealed: Uint8Array): Uint8Array => frame(FRAME.proof, confirmation, sealed),
  done: (confirmation: Uint8Array, sealed: Uint8Array): Uint8Array => frame(FRAME.done, confirmation, sealed),
  wrong: (): Uint8Array => frame(FRAME.wrong),
} as const

const numberIn = (payload: Uint8Array): number | undefined => {
  const number = readU32(payload)
  return number >= 1 && number <= MAX_NUMBER ? number : undefined
}

/** Undefined when it is none. */
function read(type: number, payload: Uint8Array): Frame | undefined {
  const { length } = payload
  switch (type) {
    case FRAME.offer:
      return length === 0 ? { type: 'offer' } : undefined
    case FRAME.take: {
      const number = length === NUMBER_BYTES ? numberIn(payload) : undefined
      return number === undefined ? undefined : { type: 'take', number }
    }
    case FRAME.slot: {
      const number = length === NUMBER_BYTES + 2 ? numberIn(payload) : undefined
      return number === undefined ? undefined : { type: 'slot', number, seconds: readU16(payload, NUMBER_BYTES) }
    }
    case FRAME.over: {
      const reason = length === 1 ? OVER_REASONS[(payload[0] as number) - 1] : undefined
      return reason === undefined ? undefined : { type: 'over', reason }
    }
    case FRAME.start:
      return length === START_BYTES
        ? { type: 'start', session: payload.slice(0, SESSION_BYTES), share: payload.slice(SESSION_BYTES) }
        : undefined
    case FRAME.reply:
      return length === SHARE_BYTES ? { type: 'reply', share: payload.slice() } : undefined
    case FRAME.proof:
    case FRAME.done:
      return length > CONFIRMATION_BYTES
        ? {
            type: type === FRAME.proof ? 'proof' : 'done',
            confirmation: payload.slice(0, CONFIRMATION_BYTES),
            sealed: payload.slice(CONFIRMATION_BYTES),
          }
        : undefined
    case FRAME.wrong:
      return length === 0 ? { type: 'wrong' } : undefined
    default:
      return undefined
  }
}

/** A frame, and its bytes. */
export interface Read {
  readonly frame: Frame
  readonly bytes: Uint8Array
}

/**
 * Frames out of the pieces of a stream. Keeps at most one frame and what came with it. After the
 * first fault there is nothing more.
 */
export class FrameReader {
  #bytes = new Uint8Array(0)
  #begun = false
  /** What came is no frame. */
  bad = false

  push(bytes: Uint8Array): void {
    if (this.bad) return
    const joined = new Uint8Array(this.#bytes.length + bytes.length)
    joined.set(this.#bytes)
    joined.set(bytes, this.#bytes.length)
    this.#bytes = joined
  }

  /** Undefined when it takes more bytes, or when it is `bad`. */
  next(): Read | undefined {
    if (!this.#begun && this.#bytes.length > 0) {
      this.#begun = true
      if (this.#bytes[0] !== VERSION) return this.#fail()
      this.#bytes = this.#bytes.subarray(1)
    }
    if (this.#bytes.length < FRAME_HEADER_BYTES) return undefined
    const end = FRAME_HEADER_BYTES + readU16(this.#bytes, 1)
    if (end > FRAME_HEADER_BYTES + MAX_PAYLOAD) return this.#fail()
    if (this.#bytes.length < end) return undefined
    const bytes = this.#bytes.slice(0, end)
    this.#bytes = this.#bytes.subarray(end)
    const found = read(bytes[0] as number, bytes.subarray(FRAME_HEADER_BYTES))
    return found === undefined ? this.#fail() : { frame: found, bytes }
  }

  #fail(): undefined {
    this.bad = true
    this.#bytes = new Uint8Array(0)
    return undefined
  }
}
