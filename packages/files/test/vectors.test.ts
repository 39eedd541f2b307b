/** The vectors that docs/transfer.md names: bytes that every implementation writes and reads alike. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encode, FIRST_BYTE, FRAME, type Frame, FrameReader, frameHeader, type StopReason } from '../src/core/index.ts'
import { received } from './receiving.ts'
import { sha256 } from './sha256.ts'
import { bytesOf, entry, file, joined, link, offered, TREE, transferOf } from './tree.ts'

interface Vectors {
  readonly frames: readonly { readonly name: string; readonly hex: string }[]
  readonly transfer: { readonly sender: string; readonly receiver: string }
  readonly refused: readonly { readonly name: string; readonly hex: string }[]
}

const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vectors
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOfHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

const half = sha256(bytesOf('the first'))
const stops: readonly StopReason[] = ['declined', 'refused', 'failed']

/** What is written, by the name of its vector. */
const FRAMES: Readonly<Record<string, Uint8Array>> = {
  offer: encode.offer(offered(TREE)),
  text: encode.text('hello, wörld'),
  'entry: a file': encode.entry(file('photos/a.txt', 'the first file').entry),
  'entry: a folder': encode.entry(entry('folder', 'photos', { mode: 0o755 })),
  'entry: a link': encode.entry(link('photos/deep/up', '../a.txt').entry),
  'entry: the largest file': encode.entry(entry('file', 'a', { size: 2 ** 53 - 1 })),
  'content from the beginning': encode.content(0),
  'content from a position': encode.content(2 ** 32 + 9),
  data: joined([frameHeader(FRAME.data, 5), bytesOf('bytes')]),
  zeros: encode.zeros(4 * 1024 ** 3),
  hash: encode.hash(half),
  end: encode.end(),
  accept: encode.accept(),
  'want all': encode.want({ position: 0, hash: undefined }),
  'want the rest': encode.want({ position: 9, hash: half }),
  done: encode.done(),
  ...Object.fromEntries(stops.map((reason) => [`stop: ${reason}`, encode.stop(reason, 'no more')])),
}

/** What the receiver of TREE says that has nothing yet. */
const ANSWERS = joined([
  FIRST_BYTE,
  encode.accept(),
  ...TREE.filter(({ entry: { kind } }) => kind === 'file').map(() => encode.want({ position: 0, hash: undefined })),
  encode.done(),
])

function read(bytes: Uint8Array): Frame | string | undefined {
  const reader = new FrameReader()
  reader.push(joined([FIRST_BYTE, bytes]))
  return reader.next() ?? reader.fault
}

describe('the vectors', () => {
  test('are all that is written', () => {
    expect(vectors.frames).toEqual(Object.entries(FRAMES).map(([name, bytes]) => ({ name, hex: hexOf(bytes) })))
  })

  test.each(vectors.frames)('$name is read', ({ hex }) => {
    expect(read(bytesOfHex(hex))).toMatchObject({ type: expect.any(String) })
  })

  test.each(vectors.refused)('$name is not read', ({ hex }) => {
    expect(read(bytesOfHex(hex))).toMatch(/not valid|too long/)
  })

  test('of a whole transfer are what both ends write', () => {
    expect(vectors.transfer).toEqual({ sender: hexOf(transferOf(TREE)), receiver: hexOf(ANSWERS) })
    expect(received([bytesOfHex(vectors.transfer.sender)]).over).toEqual({ type: 'end' })
  })
})
