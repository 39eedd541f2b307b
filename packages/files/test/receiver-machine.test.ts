import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encode,
  FIRST_BYTE,
  FRAME,
  frameHeader,
  MAX_ANNOUNCED,
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_FRAME,
  ReceiverMachine,
} from '../src/core/index.ts'
import { received } from './receiving.ts'
import { newHash, sha256 } from './sha256.ts'
import {
  bytesOf,
  content,
  data,
  entry,
  file,
  folder,
  joined,
  link,
  offered,
  TREE,
  type TreeFile,
  transferOf,
} from './tree.ts'

const WHOLE = transferOf(TREE)
const FILES = { 'photos/a.txt': 'the first file', 'photos/deep/empty': '', 'photos/z.txt': 'the last file' }

const why = (pieces: Iterable<Uint8Array>): string => {
  const { over } = received(pieces)
  return over?.type === 'fault' ? over.why : `no fault, but ${over?.type}`
}

/** An offer of what the tree says, and then whatever. */
const after = (tree: readonly TreeFile[], ...frames: readonly Uint8Array[]): readonly Uint8Array[] => [
  joined([FIRST_BYTE, encode.offer(offered(tree)), ...frames]),
]

describe('a whole transfer', () => {
  test('gives each folder before what is in it, and leaves it when that is complete', () => {
    const { events, files, over } = received([WHOLE])
    expect(events).toEqual([
      'offer',
      'folder photos',
      'file photos/a.txt',
      'folder photos/deep',
      'file photos/deep/empty',
      'file photos/z.txt',
      'content photos/a.txt',
      'complete photos/a.txt',
      'content photos/deep/empty',
      'complete photos/deep/empty',
      'link photos/deep/up',
      'left photos/deep',
      'content photos/z.txt',
      'complete photos/z.txt',
      'left photos',
      'end',
    ])
    expect(files).toEqual(FILES)
    expect(over).toEqual({ type: 'end' })
  })

  test('is the same however its bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (lengths) => {
        const pieces: Uint8Array[] = []
        for (let at = 0, turn = 0; at < WHOLE.length; turn++) {
          const length = lengths[turn % lengths.length] as number
          pieces.push(WHOLE.slice(at, at + length))
          at += length
        }
        expect(received(pieces)).toEqual(received([WHOLE]))
      }),
    )
  })

  test('may have zeros in place of data, and several names', () => {
    const zeros = entry('file', 'zeros', { size: 1000 })
    const tree = [file('a', 'x'), { entry: zeros, content: new Uint8Array(1000) }]
    const { over, events } = received(
      after(
        tree,
        ...tree.map((each) => encode.entry(each.entry)),
        content(bytesOf('x')),
        joined([encode.content(0), encode.zeros(1000), encode.hash(sha256(new Uint8Array(1000)))]),
        encode.end(),
      ),
    )
    expect(events).toContain('zeros')
    expect(over).toEqual({ type: 'end' })
  })

  test('goes on from what was asked for, or from the beginning', () => {
    for (const position of [5, 0]) {
      const machine = new ReceiverMachine(newHash)
      const tree = [file('a', 'half of it')]
      machine.receive(after(tree, encode.entry((tree[0] as TreeFile).entry))[0] as Uint8Array)
      expect(machine.next()?.type).toBe('offer')
      machine.accept()
      expect(machine.next()?.type).toBe('file')
      machine.want({ position: 5, hash: new Uint8Array(32) })
      machine.receive(encode.content(position))
      expect(machine.next()).toMatchObject({ type: 'content', position })
      machine.receive(
        joined([data(bytesOf('half of it').slice(position)), encode.hash(new Uint8Array(32)), encode.end()]),
      )
      expect(machine.next()?.type).toBe('data')
      expect(machine.next()?.type).toBe('complete')
      expect(machine.next()?.type).toBe('end')
    }
  })

  test('of a text is the text', () => {
    expect(received([joined([FIRST_BYTE, encode.text('hello')])]).over).toEqual({ type: 'text', text: 'hello' })
  })
})

describe('bytes that are not those of a transfer', () => {
  test('each bit that is flipped gives a fault, a file that is not whole, or another mode or time', () => {
    for (let bit = 0; bit < 8 * WHOLE.length; bit++) {
      const flipped = Uint8Array.from(WHOLE)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      const { over, events, files } = received([flipped])
      if (over?.type !== 'end') continue
      expect(events).toEqual(received([WHOLE]).events)
      for (const [path, text] of Object.entries(files)) expect(FILES).toHaveProperty([path], text)
    }
  })

  test('none that is cut short comes to its end', () => {
    for (let length = 0; length < WHOLE.length; length++)
      expect(received([WHOLE.slice(0, length)]).over?.type).toBe('fault')
  })

  test('random ones never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(WHOLE.length), (bytes, at) => {
        expect(received([WHOLE.slice(0, at), bytes]).over?.type).toMatch(/fault|end|stopped|text/)
      }),
    )
  })

  test.each([
    ['another version', [Uint8Array.of(2)], /version 2/],
    ['a frame that is too long', [joined([FIRST_BYTE, frameHeader(FRAME.text, MAX_FRAME + 1)])], /too long/],
    ['a frame of no type', [joined([FIRST_BYTE, frameHeader(0x70, 0)])], /not valid/],
    ['a text that is not UTF-8', [joined([FIRST_BYTE, frameHeader(FRAME.text, 1), Uint8Array.of(0xff)])], /not valid/],
    ['an entry before the offer', [joined([FIRST_BYTE, encode.entry(entry('file', 'a'))])], /not its turn/],
    ['data before an entry', after([file('a', 'x')], data(bytesOf('x'))), /not its turn/],
    ['a second offer', after([file('a', 'x')], encode.offer(offered(TREE))), /not its turn/],
    ["a receiver's frame", after([file('a', 'x')], encode.done()), /not its turn/],
  ])('%s is a fault', (_name, pieces, sentence) => {
    expect(why(pieces)).toMatch(sentence)
  })
})

describe('what a receiver does not take', () => {
  test.each([
    ['an absolute path', '/etc/passwd', /folder in it/],
    ['the folder above', '..', /\.\. in it/],
    ['the folder itself', '.', /\.\. in it/],
    ['an empty name', '', /empty/],
    ['a newline', 'a\nb', /control characters/],
    ['an escape character', 'a\x1b[2J', /control characters/],
    ['DEL', 'a\x7f', /control characters/],
    ['a C1 control', 'a\u009b2J', /control characters/],
    ['a name that is too long', 'x'.repeat(256), /longer than 255/],
    ['a place where parts are', 'showchain-0123456789abcdef.part', /parts of transfers/],
    ['such a place in capitals', 'SHOWCHAIN-0123456789ABCDEF.PART', /parts of transfers/],
    ['a folder in a name', 'a/b', /folder in it/],
  ])('offers %s', (_name, path, sentence) => {
    const offer = offered([file('a', '')], { names: [bytesOf(path)] })
    expect(why([joined([FIRST_BYTE, encode.offer(offer)])])).toMatch(sentence)
  })

  test.each([
    ['..', 'photos/../../etc/passwd', /\.\. in it/],
    ['an absolute path', '/etc/passwd', /is absolute/],
    ['an empty name', 'photos//a', /empty/],
    ['a newline', 'photos/a\nb', /control characters/],
    ['too many folders', `photos/${'d/'.repeat(MAX_DEPTH)}a`, /folders deep/],
    ['too many bytes', `photos/${'d'.repeat(250)}${`/${'d'.repeat(250)}`.repeat(16)}`, /longer than 4096/],
    ['no folder before it', 'photos/deep/a', /behind its folder/],
    ['another name than was offered', '.bashrc', /was not offered/],
  ])('has in a folder %s', (_name, path, sentence) => {
    const tree = [folder('photos'), file('photos/a', '')]
    const frames = [encode.entry(entry('folder', 'photos')), encode.entry(entry('file', path))]
    expect(why(after(tree, ...frames))).toMatch(sentence)
  })

  test.each([
    ['an absolute target', 'photos/l', '/etc', /absolute/],
    ['a target above', 'photos/l', '..', /leads out/],
    ['a target far above', 'photos/deep/l', '../../..', /leads out/],
    ['a target above by way of a name', 'photos/deep/l', 'x/../../..', /behind a name/],
    ['no target', 'photos/l', '', /leads nowhere/],
    ['control characters', 'photos/l', 'a\nb', /control characters/],
    ['no folder around it', 'l', 'photos', /leads out/],
  ])('links: %s', (_name, path, target, sentence) => {
    const tree = [folder('photos'), folder('photos/deep'), link(path, target)]
    expect(why(after(tree, ...tree.map((each) => encode.entry(each.entry))))).toMatch(sentence)
  })

  test.each(['../a', '../deep', 'x', './x', '..', 'x/y/'])('links to %s are taken', (target) => {
    const tree = [folder('photos'), folder('photos/deep'), link('photos/deep/l', target)]
    expect(received([transferOf(tree)]).over).toEqual({ type: 'end' })
  })

  test('takes names with every other byte', () => {
    const legal = Array.from({ length: 256 }, (_, byte) => byte).filter(
      (byte) => byte >= 0x20 && byte !== 0x2f && byte !== 0x7f,
    )
    // each alone: bytes that are no UTF-8 as well
    const tree = [
      folder('photos'),
      ...legal.map((byte) => {
        const path = Uint8Array.of(...bytesOf('photos/x'), byte)
        return { entry: entry('file', '', { path }), content: new Uint8Array() }
      }),
    ]
    expect(received([transferOf(tree)]).over).toEqual({ type: 'end' })
  })

  test.each([
    ['a million entries', offered(TREE, { entries: 1_000_000 }), new RegExp(`more than ${MAX_ENTRIES}`)],
    ['more files than entries', offered(TREE, { files: 7 }), /cannot be/],
    ['no name', offered(TREE, { names: [] }), /cannot be/],
    ['a name twice', offered(TREE, { names: [bytesOf('a'), bytesOf('a')] }), /one name twice/],
  ])('an offer with %s', (_name, offer, sentence) => {
    expect(why([joined([FIRST_BYTE, encode.offer(offer)])])).toMatch(sentence)
  })

  const one = file('a', 'ten bytes!')
  const two = file('b', 'x')
  test.each([
    ['more entries than offered', offered([one]), [encode.entry(one.entry), encode.entry(one.entry)], /not offered/],
    ['more bytes than offered', offered([one], { bytes: 9 }), [encode.entry(one.entry)], /more comes than was offered/],
    [
      'more files than offered',
      offered([one, folder('b')]),
      [encode.entry(one.entry), encode.entry(two.entry)],
      /more comes than was offered/,
    ],
    [
      'less than offered',
      offered([one, two]),
      [encode.entry(one.entry), content(one.content), encode.end()],
      /not everything/,
    ],
    [
      'others than described',
      offered([one], { description: new Uint8Array(32) }),
      [encode.entry(one.entry), content(one.content), encode.end()],
      /not everything/,
    ],
    ['an end before the content', offered([one]), [encode.entry(one.entry), encode.end()], /before the content/],
    [
      'a file that is longer than announced',
      offered([one]),
      [encode.entry(one.entry), encode.content(0), data(bytesOf('eleven bytes'))],
      /longer than announced/,
    ],
    [
      'zeros that are longer than announced',
      offered([one]),
      [encode.entry(one.entry), encode.content(0), encode.zeros(2 ** 53 - 1)],
      /longer than announced/,
    ],
    [
      'a file that is shorter than announced',
      offered([one]),
      [encode.entry(one.entry), content(bytesOf('nine byte'))],
      /shorter than announced/,
    ],
    [
      'a position that was not asked for',
      offered([one]),
      [encode.entry(one.entry), encode.content(3)],
      /where it was not asked to/,
    ],
  ])('%s', (_name, offer, frames, sentence) => {
    expect(why([joined([FIRST_BYTE, encode.offer(offer), ...frames])])).toMatch(sentence)
  })

  test('more announced than it keeps', () => {
    const tree = Array.from({ length: MAX_ANNOUNCED + 1 }, (_, at) => file(`${at}`, 'x'))
    expect(why(after(tree, ...tree.map((each) => encode.entry(each.entry))))).toMatch(/too much before its content/)
  })

  test('says why in one printable line', () => {
    const offer = offered([file('a', '')], { names: [bytesOf('a\x1b[2J\n\u202e')] })
    expect(why([joined([FIRST_BYTE, encode.offer(offer)])])).toMatch(/^[\x20-\x7e]+$/)
  })
})
