/** A sender that wants to write where it must not: each time one line says so, and nothing is outside. */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encode, FIRST_BYTE, type Offer } from '../src/core/index.ts'
import { FolderTarget, type Received, receiveFiles } from '../src/index.ts'
import { newFolder, testFolder, why } from './folders.ts'
import { pair } from './streams.ts'
import { bytesOf, content, entry, file, folder, joined, link, offered, type TreeFile, transferOf } from './tree.ts'

const root = testFolder()

interface Attack {
  readonly outcome: PromiseSettledResult<Received>
  /** What is around the folder that receives, and in it. */
  readonly around: readonly string[]
  readonly inside: readonly string[]
}

/** The sender's bytes into `target` of a new folder with a file beside it, which `plant` may change before. */
async function attack(bytes: Uint8Array, plant: (folder: string) => void = () => {}, force = false): Promise<Attack> {
  const parent = newFolder(root)
  const into = join(parent, 'target')
  mkdirSync(into)
  writeFileSync(join(parent, 'beside'), 'must stay')
  plant(into)
  const { sender, receiver } = pair()
  const target = await FolderTarget.in(into, { force })
  const sending = sender.write(bytes).catch(() => {})
  const ending = sender.end().catch(() => {})
  const answers = async (): Promise<void> => {
    while ((await sender.read()) !== undefined);
  }
  const answering = answers().catch(() => {})
  const [outcome] = await Promise.allSettled([receiveFiles(receiver, target, { accept: () => true })])
  await Promise.all([sending, ending, answering])
  return { outcome, around: readdirSync(parent), inside: readdirSync(into) }
}

const AROUND = ['beside', 'target']
const stream = (offer: Offer, ...frames: readonly Uint8Array[]): Uint8Array =>
  joined([FIRST_BYTE, encode.offer(offer), ...frames])

/** The entries of the tree, and their content. */
const whole = (tree: readonly TreeFile[]): Uint8Array => transferOf(tree)
const photos = folder('photos')
const evil = file('photos/x', 'evil')

describe('is refused, and nothing is written outside', () => {
  test.each([
    ['an absolute name', offered([evil], { names: [bytesOf('/etc/evil')] }), []],
    ['a name above', offered([evil], { names: [bytesOf('..')] }), []],
    ['a name with a folder', offered([evil], { names: [bytesOf('../beside')] }), []],
    ['control characters', offered([evil], { names: [bytesOf('a\x1b[2Jb')] }), []],
    ['a million entries', offered([evil], { entries: 1_000_000 }), []],
    ['the part of another transfer', offered([evil], { names: [bytesOf('showchain-0123456789abcdef.part')] }), []],
    ['a path above', offered([photos, evil]), [photos.entry, entry('file', 'photos/../../beside', { size: 4 })]],
    ['an absolute path', offered([photos, evil]), [photos.entry, entry('file', '/tmp/evil', { size: 4 })]],
    ['a name that was not offered', offered([photos, evil]), [entry('file', 'beside', { size: 4 })]],
    ['a link out', offered([photos, link('photos/l', '..')]), [photos.entry, link('photos/l', '../..').entry]],
    ['an absolute link', offered([photos, link('photos/l', '/')]), [photos.entry, link('photos/l', '/').entry]],
  ])('%s', async (_name, offer, entries) => {
    const { outcome, around, inside } = await attack(stream(offer, ...entries.map(encode.entry)))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_TRANSFER_REFUSED' } })
    expect(why(outcome)).toMatch(/^[\x20-\x7e]+$/)
    expect(around).toEqual(AROUND)
    expect(inside.filter((name) => !name.endsWith('.part'))).toEqual([])
  })

  test.each([
    ['a device', 3],
    ['a fifo', 4],
  ])('%s: there is no such kind', async (_name, kind) => {
    const bytes = encode.entry(entry('file', 'photos'))
    bytes[5 + 10] = kind
    const { outcome, around } = await attack(stream(offered([file('photos', '')]), bytes))
    expect(why(outcome)).toMatch(/a frame is not valid/)
    expect(around).toEqual(AROUND)
  })

  test('rights that a file from elsewhere must not have', async () => {
    const bytes = encode.entry(entry('file', 'photos', { mode: 0o4755 }))
    const { outcome } = await attack(stream(offered([file('photos', '')]), bytes))
    expect(why(outcome)).toMatch(/a frame is not valid/)
  })

  test('a size that lies', async () => {
    const lying = file('a', 'four')
    const frames = [encode.entry(lying.entry), content(bytesOf('much more than that'))]
    const { outcome, inside } = await attack(stream(offered([lying]), ...frames))
    expect(why(outcome)).toMatch(/a: it is longer than announced/)
    expect(inside.filter((name) => !name.endsWith('.part'))).toEqual([])
  })

  test('content that does not have its hash: it is not even kept as a part', async () => {
    const bytes = whole([file('a', 'content')])
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] as number) ^ 1
    const { outcome, inside } = await attack(bytes)
    expect(why(outcome)).toMatch(/a: its hash is not that of what was sent/)
    expect(inside).toHaveLength(1)
  })

  test('a link, and then a file or a folder in its place', async () => {
    for (const after of [file('photos/l/x', 'evil'), folder('photos/l'), file('photos/l', 'evil')]) {
      const tree = [photos, folder('photos/d'), link('photos/l', 'd'), after]
      const { outcome, around, inside } = await attack(whole(tree))
      expect(outcome.status).toBe('rejected')
      expect(around).toEqual(AROUND)
      expect(inside.filter((name) => !name.endsWith('.part'))).toEqual([])
    }
  })

  test('one path twice', async () => {
    const { outcome } = await attack(whole([photos, evil, evil]))
    expect(why(outcome)).toMatch(/has not what was sent/)
  })
})

describe('links that somebody planted are not followed', () => {
  const tree = [photos, evil]
  const part = (offer: Offer): string => `showchain-${Buffer.from(offer.description).toString('hex').slice(0, 16)}.part`

  test.each([
    ['in place of the part', ''],
    ['in place of its files', '/files'],
    ['in place of a folder', '/files/photos'],
  ])('%s', async (_name, at) => {
    const outside = newFolder(root)
    const { outcome } = await attack(whole(tree), (into) => {
      const place = join(into, part(offered(tree)))
      mkdirSync(join(place, 'files'), { recursive: true })
      const link = join(into, `${part(offered(tree))}${at}`)
      rmSync(link, { recursive: true, force: true })
      symlinkSync(outside, link)
    })
    expect(outcome.status).toBe('rejected')
    expect(readdirSync(outside)).toEqual([])
  })

  test('in place of a file: it is replaced', async () => {
    const outside = newFolder(root)
    writeFileSync(join(outside, 'victim'), 'evi')
    const { outcome } = await attack(whole(tree), (into) => {
      const place = join(into, part(offered(tree)), 'files/photos')
      mkdirSync(place, { recursive: true })
      symlinkSync(join(outside, 'victim'), join(place, 'x'))
    })
    expect(why(outcome)).toBe('it succeeded')
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('evi')
  })

  test('in place of the target of --force', async () => {
    const outside = newFolder(root)
    const { outcome } = await attack(whole(tree), (into) => symlinkSync(outside, join(into, 'photos')), true)
    expect(outcome.status).toBe('rejected')
    expect(readdirSync(outside)).toEqual([])
  })
})

test('a stream that ends early leaves a part, and no name is taken', async () => {
  const { outcome, inside } = await attack(whole([photos, evil]).slice(0, -20))
  expect(why(outcome)).toMatch(/ended before the transfer/)
  expect(inside.every((name) => name.endsWith('.part'))).toBe(true)
})
