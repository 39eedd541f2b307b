/** The vectors that docs/mailbox.md names: bytes that every implementation writes and reads alike. */
import { readFileSync } from 'node:fs'
import { AEAD_TAG_BYTES, opensslEndToEnd } from '@showchain/crypto'
import { Cpace, lvCat } from '@showchain/crypto/cpace'
import { fromUtf8, peerIdToBytes, utf8 } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { encode, FIRST_BYTE, type Frame, FrameReader, OVER, type OverReason } from '../src/core/index.ts'
import { Bed, bytesOfHex, hexOf, MAILBOX, repeatable, ticketOf } from './bed.ts'

interface Vectors {
  readonly frames: readonly { readonly name: string; readonly hex: string }[]
  readonly refused: readonly { readonly name: string; readonly hex: string }[]
  readonly run: {
    readonly mailbox: string
    readonly words: string
    readonly number: number
    readonly offering: {
      readonly scalar: string
      readonly ticket: string
      readonly key: string
      readonly wrote: string
    }
    readonly taking: {
      readonly session: string
      readonly scalar: string
      readonly ticket: string
      readonly key: string
      readonly wrote: string
    }
  }
}
const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vectors

const share = new Uint8Array(32).fill(0x11)
const confirmation = new Uint8Array(64).fill(0x22)
const sealed = new Uint8Array(17).fill(0x33)

/** What is written, by the name of its vector. */
const FRAMES: Readonly<Record<string, readonly [bytes: Uint8Array, frame: Frame]>> = {
  offer: [encode.offer(), { type: 'offer' }],
  'take 7': [encode.take(7), { type: 'take', number: 7 }],
  'take 9999': [encode.take(9999), { type: 'take', number: 9999 }],
  'slot 300': [encode.slot(300, 600), { type: 'slot', number: 300, seconds: 600 }],
  ...Object.fromEntries(
    (Object.keys(OVER) as OverReason[]).map((reason) => [
      `over: ${reason}`,
      [encode.over(reason), { type: 'over', reason }] as const,
    ]),
  ),
  start: [
    encode.start(new Uint8Array(16).fill(0x44), share),
    { type: 'start', session: new Uint8Array(16).fill(0x44), share },
  ],
  reply: [encode.reply(share), { type: 'reply', share }],
  proof: [encode.proof(confirmation, sealed), { type: 'proof', confirmation, sealed }],
  done: [encode.done(confirmation, sealed), { type: 'done', confirmation, sealed }],
  wrong: [encode.wrong(), { type: 'wrong' }],
}

function read(bytes: Uint8Array): Frame | 'bad' | undefined {
  const reader = new FrameReader()
  reader.push(Buffer.concat([FIRST_BYTE, bytes]))
  return reader.next()?.frame ?? (reader.bad ? 'bad' : undefined)
}

describe('the vectors', () => {
  test('are all that is written', () => {
    expect(vectors.frames).toEqual(Object.entries(FRAMES).map(([name, [bytes]]) => ({ name, hex: hexOf(bytes) })))
  })

  test.each(vectors.frames)('$name is read, and its type and length are what they are', ({ name, hex }) => {
    const bytes = bytesOfHex(hex)
    expect(read(bytes)).toEqual(FRAMES[name]?.[1])
    for (let bit = 0; bit < 24; bit++) {
      const other = bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      expect(read(other)).not.toEqual(FRAMES[name]?.[1])
    }
  })

  test.each(vectors.refused)('$name is not read', ({ hex }) => {
    expect(read(bytesOfHex(hex))).toBe('bad')
  })

  test('of a whole run are what both ends write', () => {
    const { run } = vectors
    const bed = new Bed()
    const [offering, taking] = [bed.offer(run.words), bed.take(run.number, run.words)]
    expect([run.mailbox, run.offering.ticket, run.taking.ticket]).toEqual([MAILBOX, ticketOf(1), ticketOf(2)])
    expect(hexOf(offering.said)).toBe(run.offering.wrote)
    expect(hexOf(taking.said)).toBe(run.taking.wrote)
  })

  test('of a whole run come of its inputs by CPace, and its tickets open under its keys', () => {
    const { run } = vectors
    const session = bytesOfHex(run.taking.session)
    const number = Uint8Array.of(0, 0, 0, run.number)
    const channel = lvCat(utf8('showchain mailbox 1'), peerIdToBytes(MAILBOX), number)
    const inputs = { password: utf8(run.words), channel, session }
    const taking = new Cpace('initiator', inputs, utf8('take'), { bytes: () => bytesOfHex(run.taking.scalar) })
    const offering = new Cpace('responder', inputs, utf8('offer'), { bytes: () => bytesOfHex(run.offering.scalar) })
    const [take, offer] = [taking.finish(offering.message), offering.finish(taking.message)]
    const wrote = { taking: run.taking.wrote, offering: run.offering.wrote }
    expect(wrote.taking).toContain(hexOf(encode.start(session, taking.message.share)))
    expect(wrote.offering).toContain(hexOf(encode.reply(offering.message.share)))
    for (const [end, keys, purpose] of [
      ['taking', take, 'showchain mailbox 1 take'],
      ['offering', offer, 'showchain mailbox 1 offer'],
    ] as const) {
      const key = keys?.key(purpose) as Uint8Array
      expect(hexOf(key)).toBe(run[end].key)
      const tag = keys?.confirmation as Uint8Array
      const last = bytesOfHex(wrote[end]).slice(-(run[end].ticket.length + AEAD_TAG_BYTES))
      expect(wrote[end]).toContain(hexOf(tag) + hexOf(last))
      const opened = opensslEndToEnd.aead(key).open(new Uint8Array(12), tag, last) as Uint8Array
      expect(fromUtf8(opened)).toBe(run[end].ticket)
    }
    expect(repeatable(2).bytes(16)).toEqual(session)
  })
})
