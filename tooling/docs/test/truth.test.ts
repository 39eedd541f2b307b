import { basename } from 'node:path'
import { encode, MAX_COUNTER, type Message, OP, peerIdFromBytes, sessionIdFromBytes } from '@showchain/wire'
import { FRAME, HANDSHAKE_KIND, writeCertificate, writeHandshakePayload } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { facts } from './truth/facts.ts'
import { FALSE_SENTENCES } from './truth/false-sentences.ts'
import { flat, helpTexts, pages, read, sources, type Text } from './truth/texts.ts'

const protocol = read('docs/protocol.md')
const security = read('docs/security.md')

/** GitHub's anchor of a heading. */
const anchors = (page: string): readonly string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

function falseSentencesOf({ name, text }: Text): readonly string[] {
  const words = flat(text)
  return FALSE_SENTENCES.flatMap(({ pattern, why, truth }) => {
    const found = pattern.exec(words)
    return found === null ? [] : [`${name}: "${found[0]}". ${why} (docs/${truth})`]
  })
}

describe('sentences that docs/security.md denies', () => {
  test('stand in no page, README and changeset', () => {
    expect(pages().flatMap(falseSentencesOf)).toEqual([])
  })

  test('stand in no comment, log, error, option and name of a test', () => {
    expect(sources().flatMap(falseSentencesOf)).toEqual([])
  })

  test('stand in no help of a program', () => {
    const helps = helpTexts()
    expect(helps.filter(({ text }) => text.includes('Usage:'))).toHaveLength(helps.length)
    expect(helps.flatMap(falseSentencesOf)).toEqual([])
  })

  test.each(FALSE_SENTENCES)('are found: $example', (row) => {
    expect(falseSentencesOf({ name: 'a page', text: `True.\n * ${row.example.replaceAll(' ', '\n * ')}\n` })).toEqual(
      expect.arrayContaining([expect.stringContaining(row.why)]),
    )
  })

  test.each(FALSE_SENTENCES)('have their truth where the table says: $truth', ({ truth }) => {
    const [page, anchor] = truth.split('#')
    expect(anchors(page === 'security.md' ? security : protocol)).toContain(anchor)
  })
})

describe('docs/security.md', () => {
  test('names what a hostile peer sends as the benchmark does', () => {
    const played = read('tooling/bench/src/hostile-attacks.ts')
    const table = security.slice(security.indexOf('<!-- hostile -->'), security.indexOf('A gap costs more'))
    const named = [...table.matchAll(/^\| (.*?) \|/gm)].map(([, name = '']) => name).slice(2)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => !played.includes(`'${name}'`))).toEqual([])
  })
})

describe('docs/protocol.md', () => {
  test('names no op code that the message table does not have', () => {
    const known = [...Object.values(OP)].map((op) => op.toString(16))
    // The range that is ours, of which two are used.
    const named = [...protocol.matchAll(/0x(1[0-9a-f]{2})\b/gi)].map((match) => (match[1] as string).toLowerCase())
    expect(named.filter((op) => !known.includes(op) && op !== '1e0' && op !== '1ff')).toEqual([])
  })

  test('tells of each message who sends it and what for', () => {
    const from = protocol.slice(protocol.indexOf('## Who sends what'), protocol.indexOf('## Consent'))
    const missing = Object.entries(OP).filter(
      ([name, op]) => !from.includes(`0x${op.toString(16).toUpperCase()} ${name}`),
    )
    expect(missing).toEqual([])
  })

  test('has each frame with its type', () => {
    const rows = [...protocol.matchAll(/^\| 0x([0-9a-f]{2})(?:–0x0f)? \| ([A-Z_]+) \|/gm)].map(
      ([, type = '', name = '']) => [name.toLowerCase().replaceAll('_', ''), Number.parseInt(type, 16)] as const,
    )
    const frames = Object.entries(FRAME).map(
      ([name, type]) =>
        [name === 'close' ? 'connectionclose' : name.toLowerCase().replace('withlength', ''), type] as const,
    )
    expect(rows.filter(([name]) => name !== '')).toEqual(expect.arrayContaining(frames))
    expect(rows).toHaveLength(frames.length)
  })

  test('has each kind of a handshake message', () => {
    expect(Object.values(HANDSHAKE_KIND)).toEqual([0, 1, 2, 3])
    expect(flat(protocol)).toContain('kind is 0, 1, 2 or 3.')
  })

  test.each([
    [2048, 294],
    [3072, 422],
    [4096, 550],
  ])('has the sizes that follow from RSA-%i', (bits, spkiBytes) => {
    const signature = bits / 8
    const certificate = writeCertificate({
      notBefore: 0,
      notAfter: 0,
      spki: new Uint8Array(spkiBytes),
      signature: new Uint8Array(signature),
    })
    const payload = writeHandshakePayload({
      ...{ dialled: false, namedStreams: false, connectionId: new Uint8Array(8), current: undefined, certificate },
    })
    // Noise: ephemeral key, static key with a tag, payload with a tag.
    const [second, third] = [32 + 48 + payload.length + 16, 48 + payload.length + 16]
    expect(protocol).toContain(`| RSA-${bits} | ${certificate.length} | ${second} | ${third} |`)
    const [binary, json] = [mostData(signature, 'binary'), mostData(signature, 'json')]
    expect(protocol).toContain(`| RSA-${bits} | ${binary} | ${json} |`)
  })

  test('is cited in sources by headings that it has', () => {
    const headings = [...protocol.matchAll(/^#+ (.*?)(?: \(ext\))?$/gm)].map((match) => match[1] as string)
    const wrong = sources().flatMap(({ name, text }) =>
      [...flat(text).matchAll(/docs\/protocol\.md, (?!The )([A-Z].{0,40})/g)]
        .map((match) => match[1] as string)
        .filter((cited) => !headings.some((heading) => cited.startsWith(heading)))
        .map((cited) => `${name}: ${cited}`),
    )
    expect(wrong).toEqual([])
  })
})

/** Bytes of data that a 0x123 of this signature takes, and the 0x124 in JSON as well. */
function mostData(signature: number, encoding: 'binary' | 'json'): number {
  const fields = {
    target: peerIdFromBytes(new Uint8Array(32)),
    id: peerIdFromBytes(new Uint8Array(32).fill(1)),
    session: sessionIdFromBytes(new Uint8Array(16)),
    seq: MAX_COUNTER,
    ts: MAX_COUNTER,
  }
  const fits = (message: Message, how: 'binary' | 'json'): boolean => {
    try {
      return encode(message, how).length > 0
    } catch {
      return false
    }
  }
  let most = 0
  for (let length = 1; length <= 1200; length++) {
    const data = new Uint8Array(length)
    const sent = fits({ op_code: OP.proxyData, ...fields, data, sign: new Uint8Array(signature) }, encoding)
    if (sent && fits({ op_code: OP.proxyPassData, ...fields, data }, 'json')) most = length
  }
  return most
}

test.each(facts())('$page states what the sources have: $sentence', ({ page, sentence }) => {
  expect(flat(read(page))).toContain(sentence)
})

test('docs/nat-lab.md names every scenario of the lab', () => {
  const scenarios = sources()
    .filter(({ name }) => name.startsWith('tooling/natlab/src/scenarios/'))
    .flatMap(({ text }) => [...text.matchAll(/^ +name: '([a-z\d-]+)'/gm)].map((match) => match[1] as string))
  expect(scenarios.length).toBeGreaterThan(10)
  expect(scenarios.filter((name) => !read('docs/nat-lab.md').includes(`\`${name}\``))).toEqual([])
})

test('docs/security.md names test files that exist', () => {
  const files = sources().map(({ name }) => basename(name))
  const named = [...security.matchAll(/`([\w-]+\.test\.ts)`/g)].map((match) => match[1] as string)
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !files.includes(name))).toEqual([])
})

test.each(pages().filter(({ name }) => name.startsWith('docs/')))(
  'the lines of $name have at most 100 characters, outside tables, code and links',
  ({ text }) => {
    const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '').split('\n')
    const long = prose.filter((line) => line.length > 100 && !line.startsWith('|') && !/\]\([^)]*\)/.test(line))
    expect(long).toEqual([])
  },
)
