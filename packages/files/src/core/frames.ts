/** The frames of a transfer, and how they are written: docs/transfer.md has each to the byte. */
import { utf8 } from '@showchain/wire'
import { Writer } from './bytes.ts'
import { MAX_STOP_BYTES, VERSION } from './limits.ts'

export const FRAME = {
  offer: 0x01,
  text: 0x02,
  entry: 0x03,
  content: 0x04,
  data: 0x05,
  zeros: 0x06,
  hash: 0x07,
  end: 0x08,
  accept: 0x11,
  want: 0x12,
  done: 0x13,
  stop: 0x1f,
} as const

export const KIND = { file: 0, folder: 1, link: 2 } as const
export type Kind = keyof typeof KIND
export const KINDS: readonly Kind[] = Object.keys(KIND) as Kind[]

/** Why an end stops. */
export const STOP = {
  /** It does not want what is offered. */
  declined: 1,
  /** The other end sent what must not be sent. */
  refused: 2,
  /** Something failed at its own side. */
  failed: 3,
} as const
export type StopReason = keyof typeof STOP
export const STOP_REASONS: readonly StopReason[] = Object.keys(STOP) as StopReason[]

/** What the receiver is asked about. */
export interface Offer {
  readonly entries: number
  readonly files: number
  /** Of all files. */
  readonly bytes: number
  /** SHA-256 over all entries, without modes and times: the same files and folders again. */
  readonly description: Uint8Array
  /** What comes to lie in the receiver's folder. */
  readonly names: readonly Uint8Array[]
}

export interface Entry {
  readonly kind: Kind
  readonly mode: number
  /** Of its last change, in Unix milliseconds. */
  readonly time: number
  /** 0 unless it is a file. */
  readonly size: number
  readonly path: Uint8Array
  /** Empty unless it is a link. */
  readonly target: Uint8Array
}

/** What the receiver has of a file: so many bytes, with this hash. */
export interface Want {
  readonly position: number
  /** Undefined at position 0. */
  readonly hash: Uint8Array | undefined
}

export type Frame =
  | { readonly type: 'offer'; readonly offer: Offer }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'entry'; readonly entry: Entry; readonly described: Uint8Array }
  | { readonly type: 'content'; readonly position: number }
  /** A piece of a DATA frame. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'zeros'; readonly count: number }
  | { readonly type: 'hash'; readonly hash: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'accept' }
  | { readonly type: 'want'; readonly want: Want }
  | { readonly type: 'done' }
  | { readonly type: 'stop'; readonly reason: StopReason; readonly text: string }

export const FIRST_BYTE: Uint8Array = Uint8Array.of(VERSION)

export function frameHeader(type: number, length: number): Uint8Array {
  return new Writer().u8(type).u32(length).done()
}

function frame(type: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
  return new Writer().u8(type).u32(payload.length).raw(payload).done()
}

/** What an entry is described by: kind, size, path, target. */
export const describedBytes = ({ kind, size, path, target }: Entry): Uint8Array =>
  new Writer().u8(KIND[kind]).u64(size).short(path).short(target).done()

export const encode = {
  offer({ entries, files, bytes, description, names }: Offer): Uint8Array {
    const payload = new Writer().u32(entries).u32(files).u64(bytes).raw(description).u16(names.length)
    for (const name of names) payload.short(name)
    return frame(FRAME.offer, payload.done())
  },
  text: (text: string): Uint8Array => frame(FRAME.text, utf8(text)),
  entry: (entry: Entry): Uint8Array =>
    frame(FRAME.entry, new Writer().u16(entry.mode).u64(entry.time).raw(describedBytes(entry)).done()),
  content: (position: number): Uint8Array => frame(FRAME.content, new Writer().u64(position).done()),
  zeros: (count: number): Uint8Array => frame(FRAME.zeros, new Writer().u64(count).done()),
  hash: (hash: Uint8Array): Uint8Array => frame(FRAME.hash, hash),
  end: (): Uint8Array => frame(FRAME.end),
  accept: (): Uint8Array => frame(FRAME.accept),
  want: ({ position, hash = new Uint8Array() }: Want): Uint8Array =>
    frame(FRAME.want, new Writer().u64(position).raw(hash).done()),
  done: (): Uint8Array => frame(FRAME.done),
  stop(reason: StopReason, text: string): Uint8Array {
    let said = text
    while (utf8(said).length > MAX_STOP_BYTES) said = said.slice(0, -1)
    return frame(FRAME.stop, new Writer().u8(STOP[reason]).raw(utf8(said)).done())
  },
} as const
