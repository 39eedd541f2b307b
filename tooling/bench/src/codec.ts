/**
 * The codec: every message there and back in both encodings, beside what JSON.stringify and
 * JSON.parse take for the same members in the same run; and a binary message looked at in place.
 */
import { type MessageVector, messageOf, readVectors } from '@showchain/testkit'
import { decode, encode, type Message, MessageView, OP, rewriteOp } from '@showchain/wire'
import type { Effort } from './effort.ts'
import { type Cell, type Figure, type FigureTable, type Findings, type Row, times } from './figures.ts'
import { type CodePath, timeBatches } from './timing.ts'

/** Calls that are timed together: some 100 µs, a thousand times the clock's own cost. */
const BATCH = 100
/**
 * Messages beside those without extension fields: the longest request, and data that fills a
 * datagram.
 */
const LONG_ONES: readonly string[] = [
  'directRequest/2048/first-contact',
  'proxyData/2048/full',
  'proxyPassData/2048/full',
]
/**
 * How often each path is walked before anything is timed, so that the first message has no code of
 * its own.
 */
const SHARED_WARM_UP = 2000

const NO_JSON = 'too long'

interface Subject {
  readonly vector: MessageVector
  readonly message: Message
  readonly binary: Uint8Array
  /** Undefined when it does not fit a datagram. */
  readonly json: Uint8Array | undefined
}

function subjects(): readonly Subject[] {
  const { messages } = readVectors('messages-2048.json')
  return messages
    .filter(({ name }) => name.endsWith('/seed') || LONG_ONES.includes(name))
    .map((vector) => ({
      vector,
      message: messageOf(vector.message) as Message,
      binary: Uint8Array.from(Buffer.from(vector.binary, 'hex')),
      json: vector.jsonFits ? Uint8Array.from(Buffer.from(vector.json, 'hex')) : undefined,
    }))
}

interface Paths {
  readonly binary: CodePath
  readonly json: CodePath | undefined
  /** The same by the runtime's own JSON. */
  readonly native: CodePath
}

function writing({ vector, message, json }: Subject): Paths {
  return {
    binary: () => encode(message, 'binary'),
    json: json === undefined ? undefined : () => encode(message, 'json'),
    native: () => JSON.stringify(vector.message),
  }
}

function reading({ vector, binary, json }: Subject): Paths {
  const text = JSON.stringify(vector.message)
  return {
    binary: () => decode(binary),
    json: json === undefined ? undefined : () => decode(json),
    native: () => JSON.parse(text),
  }
}

export async function codec(effort: Effort): Promise<Findings> {
  const all = subjects()
  const ways = [
    { title: 'Codec: messages to datagrams', native: 'JSON.stringify', pathsOf: writing },
    { title: 'Codec: datagrams to messages', native: 'JSON.parse', pathsOf: reading },
  ]
  for (const subject of all)
    for (const { pathsOf } of ways) {
      const { binary, json, native } = pathsOf(subject)
      for (let round = 0; round < SHARED_WARM_UP; round++) for (const path of [binary, json, native]) path?.()
    }
  const tables: FigureTable[] = []
  for (const { title, native, pathsOf } of ways) {
    const rows: Row[] = []
    for (const subject of all) rows.push(await rowOf(subject, pathsOf(subject), effort))
    tables.push({
      title,
      columns: ['message', 'bytes', 'bytes JSON', 'binary', 'JSON', native, 'binary', 'JSON'],
      rows,
      references: [native],
      notes: [
        `The last two columns: how many times what ${native} takes for the same members, between object and string.`,
      ],
    })
  }
  return { tables: [...tables, await inPlace(all, effort)] }
}

async function rowOf({ vector, binary, json }: Subject, paths: Paths, effort: Effort): Promise<Row> {
  const walked = paths.json === undefined ? [paths.binary, paths.native] : [paths.binary, paths.native, paths.json]
  const [inBinary, native, inJson] = (await timeBatches(walked, BATCH, 'ns', effort)) as [Figure, Figure, Figure?]
  const cells: Cell[] = [
    String(binary.length),
    json === undefined ? NO_JSON : String(json.length),
    inBinary,
    inJson ?? NO_JSON,
    native,
    times(inBinary, native),
    inJson === undefined ? NO_JSON : times(inJson, native),
  ]
  return { name: vector.name.replace('/2048', '').replace('/seed', ''), cells }
}

/**
 * What a relay does with a proxied message: look where its fields lie, copy its front, change the
 * op code.
 */
async function inPlace(all: readonly Subject[], effort: Effort): Promise<FigureTable> {
  const full = all.find(({ vector }) => vector.name === 'proxyData/2048/full') as Subject
  const view = new MessageView()
  const bytes = full.binary.slice()
  const [looked, rewritten, passed, decoded] = (await timeBatches(
    [
      () => view.parse(bytes),
      () => {
        const found = view.parse(bytes)
        rewriteOp(bytes, OP.proxyData)
        return found
      },
      () => {
        view.parse(bytes)
        const front = bytes.slice(0, view.end)
        rewriteOp(front, OP.proxyPassData)
        return front
      },
      () => decode(bytes),
    ],
    BATCH,
    'ns',
    effort,
  )) as [Figure, Figure, Figure, Figure]
  return {
    title: 'Codec: 0x123 of 1200 bytes in place',
    columns: ['what', 'time', 'of decoding it'],
    rows: [
      { name: 'MessageView: where each field lies, checked for form', cells: [looked, times(looked, decoded)] },
      { name: 'MessageView and rewriteOp', cells: [rewritten, times(rewritten, decoded)] },
      { name: 'MessageView, copy and rewriteOp', cells: [passed, times(passed, decoded)] },
      { name: 'decode', cells: [decoded, times(decoded, decoded)] },
    ],
    notes: [],
  }
}
