import { type Duplex, Readable, Transform } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { toDuplex } from '@showchain/client'
import { describe, expect, test } from 'vitest'
import { bytesOf, codeOf, connect, contents, face, failureOf, same, streamOf, textOf, wait } from './bed.ts'

const PIECE = 64 * 1024
const MUCH = 48 * PIECE

/** Everything up to its end. Unlike iteration it leaves the writing half as it is. */
async function gather(duplex: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = []
  duplex.on('data', (piece) => pieces.push(piece))
  await finished(duplex, { writable: false })
  return Buffer.concat(pieces)
}

const once = (duplex: Duplex, name: string): Promise<unknown> => new Promise((resolve) => duplex.once(name, resolve))

describe('a stream as a Duplex of Node', () => {
  test('is piped through both ends, whole and in order', () =>
    face('pipeline', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(PIECE, 9))
      const there = toDuplex(theirs)
      const echo = pipeline(there, new Transform({ transform: (chunk, _, done) => done(null, chunk) }), there)
      const here = toDuplex(ours)
      const sent = pipeline(Readable.from([1, 2, 3].map((salt) => contents(PIECE, salt))), here, { end: true })
      const back = await gather(here)
      await Promise.all([echo, sent])
      expect(same(back, Buffer.concat([9, 1, 2, 3].map((salt) => contents(PIECE, salt))))).toBe(true)
    }))

  test('finishes when the remote peer has everything, and not before', () =>
    face('finish', async (it) => {
      const [ours] = await streamOf(await connect(it))
      const duplex = toDuplex(ours)
      it.internet.sim.network.filter = () => false
      duplex.end(bytesOf(' and last'))
      const finish = once(duplex, 'finish')
      await wait(it, 2000)
      const before = duplex.writableFinished
      it.internet.sim.network.filter = undefined
      await finish
      expect([before, duplex.writableFinished]).toEqual([false, true])
      duplex.destroy()
    }))

  test('holds back a writer whose reader does not read', () =>
    face('back-pressure', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const duplex = toDuplex(ours)
      let written = 0
      const sent = pipeline(async function* () {
        for (; written < MUCH; written += PIECE) yield contents(PIECE)
      }, duplex)
      await wait(it, 10_000)
      const stopped = written
      await wait(it, 30_000)
      expect([stopped > 0, stopped < MUCH / 2, written]).toEqual([true, true, stopped])
      const there = toDuplex(theirs)
      there.end()
      const [received] = await Promise.all([gather(there), sent, gather(duplex)])
      expect(received.length).toBe(MUCH + 'first'.length)
    }))

  test('that is destroyed resets one direction and stops the other', () =>
    face('destroy', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      expect(textOf(await theirs.read())).toBe('first')
      const duplex = toDuplex(ours)
      duplex.destroy()
      await once(duplex, 'close')
      await wait(it, 1000)
      const errors = [await failureOf(theirs.read()), await failureOf(theirs.write(bytesOf('x')))]
      expect(errors.map(({ code }) => code)).toEqual(['ERR_STREAM_RESET', 'ERR_STREAM_RESET'])
    }))

  test('that is destroyed with a code tells it in both directions', () =>
    face('destroy with a code', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      expect(textOf(await theirs.read())).toBe('first')
      toDuplex(ours)
        .on('error', () => {})
        .destroy(Object.assign(new Error('no more'), { streamCode: 7 }))
      await wait(it, 1000)
      const errors = [await failureOf(theirs.read()), await failureOf(theirs.write(bytesOf('x')))]
      expect(errors.map(({ cause }) => cause)).toEqual([{ streamCode: 7 }, { streamCode: 7 }])
    }))

  test('is destroyed with the code when the remote peer aborts', () =>
    face('abort', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const duplex = toDuplex(theirs)
      duplex.resume()
      const ended = finished(duplex).catch((error) => error)
      ours.abort({ streamCode: 4 })
      const error = await ended
      expect([codeOf(error), error.cause]).toEqual(['ERR_STREAM_RESET', { streamCode: 4 }])
    }))

  test('can still be written when the remote peer has ended its direction', () =>
    face('half open', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const there = toDuplex(theirs)
      const ended = ours.end()
      expect(textOf(await gather(there))).toBe('first')
      await ended
      there.end(bytesOf('answer'))
      expect(textOf(await ours.read())).toBe('answer')
    }))

  test('reads what came before the connection ended, then fails', () =>
    face('closed', async (it) => {
      const connections = await connect(it)
      const [, theirs] = await streamOf(connections, contents(100_000))
      await wait(it, 5000)
      await connections[0].close()
      await wait(it, 1000)
      const pieces: Buffer[] = []
      const duplex = toDuplex(theirs)
      const ended = finished(duplex).catch(codeOf)
      duplex.on('data', (piece) => pieces.push(piece))
      expect([await ended, same(Buffer.concat(pieces), contents(100_000))]).toEqual(['ERR_CLOSED', true])
    }))
})
