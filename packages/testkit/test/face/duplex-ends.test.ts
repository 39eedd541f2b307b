/** Every way in which both halves of a stream can end through Node's Duplex, at each end. */
import { type Duplex, PassThrough } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { type Stream, toDuplex } from '@showchain/client'
import { describe, expect, test } from 'vitest'
import { connect, contents, face, readAll, streamOf, wait } from './bed.ts'

/** Waits until the half is over, one way or another. */
const over = (duplex: Duplex, half: 'readable' | 'writable'): Promise<void> =>
  finished(duplex, { [half === 'readable' ? 'writable' : 'readable']: false }).catch(() => {})

const closed = (duplex: Duplex): Promise<unknown> =>
  duplex.closed ? Promise.resolve() : new Promise((resolve) => duplex.once('close', resolve))

const coded = (streamCode: number): Error => Object.assign(new Error('no more'), { streamCode })

/** What the application at one end does; each ends both halves. */
const WAYS: Readonly<Record<string, (stream: Stream, duplex: () => Duplex) => Promise<unknown>>> = {
  'end, and read to the end': async (_, duplex) => {
    const both = duplex()
    both.resume().end()
    await closed(both)
  },
  'end with bytes, and read to the end': async (_, duplex) => {
    const both = duplex()
    both.resume().end(contents(3000))
    await closed(both)
  },
  'read to the end, then end': async (_, duplex) => {
    const both = duplex()
    await over(both.resume(), 'readable')
    both.end()
    await closed(both)
  },
  'end, then destroy without reading': async (_, duplex) => {
    const both = duplex()
    both.end()
    both.destroy()
    await closed(both)
  },
  'read to the end, then destroy without an end': async (_, duplex) => {
    const both = duplex()
    await over(both.resume(), 'readable')
    both.destroy()
    await closed(both)
  },
  destroy: async (_, duplex) => closed(duplex().destroy()),
  'destroy with a code': async (_, duplex) => closed(duplex().destroy(coded(7))),
  'destroy while a read and a write wait': async (_, duplex) => {
    const both = duplex()
    both.resume().write(contents(2_000_000))
    both.destroy(coded(8))
    await closed(both)
  },
  'iterate to the end': async (_, duplex) => {
    const both = duplex()
    both.end()
    for await (const piece of both) expect(piece.length).toBeGreaterThan(0)
  },
  'break off an iteration': async (_, duplex) => {
    for await (const piece of duplex()) if (piece.length > 0) break
  },
  'a pipeline back': async (_, duplex) => {
    const both = duplex()
    await pipeline(both, new PassThrough(), both)
  },
  'plain end and read': (stream) => Promise.all([stream.end(), readAll(stream)]),
  'plain abort and cancel': async (stream) => {
    stream.abort()
    stream.cancel()
  },
}

/** Errors by which the other end's way, or one's own, may end a call. */
const MAY_FAIL = /^ERR_(STREAM_RESET|CLOSED|STREAM_PREMATURE_CLOSE)$|^no more$/

/** Ways that wait for the other end's end: two of them wait for ever, by either one's wish. */
const WAIT = ['read to the end, then end', 'read to the end, then destroy without an end', 'a pipeline back']
/** Who opened the stream gets nothing from one that waits, and so has nothing to break off at. */
const waitsForEver = (ours: string, theirs: string): boolean =>
  WAIT.includes(theirs) && (WAIT.includes(ours) || (ours === 'break off an iteration' && theirs !== 'a pipeline back'))

describe('a stream is forgotten at both ends', () => {
  test.each(Object.keys(WAYS))('when one does "%s", whatever the other does', (ours) =>
    face(`duplex ends: ${ours}`, async (it) => {
      const connections = await connect(it)
      for (const theirs of Object.keys(WAYS)) {
        if (waitsForEver(ours, theirs)) continue
        const streams = await streamOf(connections)
        const doing = [ours, theirs].map((way, end) => {
          const stream = streams[end] as Stream
          const play = WAYS[way] as (stream: Stream, duplex: () => Duplex) => Promise<unknown>
          return play(stream, () => toDuplex(stream).on('error', () => {}))
        })
        for (const each of await Promise.allSettled(doing))
          if (each.status === 'rejected') expect(each.reason.code ?? each.reason.message, theirs).toMatch(MAY_FAIL)
        await wait(it, 2000)
        expect(
          connections.map(({ statistics }) => statistics?.streams),
          theirs,
        ).toEqual([0, 0])
      }
    }),
  )
})
