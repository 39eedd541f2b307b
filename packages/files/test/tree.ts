/** A small tree as it is sent, and the bytes of its transfer. */
import {
  type Entry,
  encode,
  FIRST_BYTE,
  FRAME,
  frameHeader,
  type Kind,
  type Offer,
  offerOf,
} from '../src/core/index.ts'
import { newHash, sha256 } from './sha256.ts'

const encoder = new TextEncoder()
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

export function entry(kind: Kind, path: string, rest: Partial<Entry> = {}): Entry {
  return { kind, mode: 0o644, time: 1_700_000_000_000, size: 0, path: bytesOf(path), target: new Uint8Array(), ...rest }
}

export interface TreeFile {
  readonly entry: Entry
  readonly content: Uint8Array
}

export const file = (path: string, text: string): TreeFile => {
  const content = bytesOf(text)
  return { entry: entry('file', path, { size: content.length }), content }
}
export const folder = (path: string): TreeFile => ({
  entry: entry('folder', path, { mode: 0o755 }),
  content: new Uint8Array(),
})
export const link = (path: string, target: string): TreeFile => ({
  entry: entry('link', path, { mode: 0o777, target: bytesOf(target) }),
  content: new Uint8Array(),
})

export const TREE: readonly TreeFile[] = [
  folder('photos'),
  file('photos/a.txt', 'the first file'),
  folder('photos/deep'),
  file('photos/deep/empty', ''),
  link('photos/deep/up', '../a.txt'),
  file('photos/z.txt', 'the last file'),
]

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces))
}

export const offered = (tree: readonly TreeFile[], change: Partial<Offer> = {}): Offer => ({
  ...offerOf(
    tree.map((each) => each.entry),
    tree.filter(({ entry: { path } }) => !path.includes(0x2f)).map((each) => each.entry.path),
    newHash,
  ),
  ...change,
})

export const data = (bytes: Uint8Array): Uint8Array => joined([frameHeader(FRAME.data, bytes.length), bytes])

/** The content of a file from its beginning. */
export const content = (bytes: Uint8Array): Uint8Array =>
  joined([encode.content(0), data(bytes), encode.hash(sha256(bytes))])

/** What a sender writes whose receiver has nothing yet. */
export function transferOf(tree: readonly TreeFile[], offer: Offer = offered(tree)): Uint8Array {
  return joined([
    FIRST_BYTE,
    encode.offer(offer),
    ...tree.map((each) => encode.entry(each.entry)),
    ...tree.filter((each) => each.entry.kind === 'file').map((each) => content(each.content)),
    encode.end(),
  ])
}
