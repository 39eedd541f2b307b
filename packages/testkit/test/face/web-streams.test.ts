import { ReadableStream, TransformStream } from 'node:stream/web'
import { describe, expect, test } from 'vitest'
import { bytesOf, codeOf, connect, contents, face, failureOf, same, stateOf, streamOf, textOf, wait } from './bed.ts'

const PIECE = 64 * 1024
const MUCH = 48 * PIECE

const gather = async (readable: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
  const pieces: Uint8Array[] = []
  for await (const piece of readable) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** So many pieces, made when they are asked for. */
const source = (pieces: number, made = { count: 0 }): ReadableStream<Uint8Array> =>
  new ReadableStream(
    {
      pull: (controller) => {
        controller.enqueue(contents(PIECE, made.count++))
        if (made.count === pieces) controller.close()
      },
    },
    { highWaterMark: 0 },
  )

describe('a stream as Web streams', () => {
  test('is the same pair however often it is asked for', () =>
    face('same', async (it) => {
      const [ours] = await streamOf(await connect(it))
      const { readable, writable } = ours
      expect([ours.readable === readable, ours.writable === writable]).toEqual([true, true])
    }))

  test('is piped from and to others, whole and in order', () =>
    face('pipe', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(PIECE, 99))
      const sent = source(10).pipeTo(ours.writable)
      const received = await gather(theirs.readable.pipeThrough(new TransformStream<Uint8Array, Uint8Array>()))
      await sent
      const expected = [99, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((salt) => contents(PIECE, salt))
      expect(same(received, Buffer.concat(expected))).toBe(true)
    }))

  test('closes its writable when the remote peer has everything, and not before', () =>
    face('close', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      it.internet.sim.network.filter = () => false
      const closing = ours.writable.close()
      await wait(it, 2000)
      const before = await stateOf(closing)
      it.internet.sim.network.filter = undefined
      await closing
      expect([before, textOf(await gather(theirs.readable))]).toEqual(['pending', 'first'])
    }))

  test('asks a source for no more than the remote peer reads', () =>
    face('back-pressure', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(0x100))
      const made = { count: 0 }
      const sent = source(MUCH / PIECE, made).pipeTo(ours.writable)
      await wait(it, 10_000)
      const stopped = made.count
      await wait(it, 30_000)
      expect([stopped > 0, stopped < MUCH / PIECE / 2, made.count]).toEqual([true, true, stopped])
      const received = await gather(theirs.readable)
      await sent
      expect(received.length).toBe(MUCH + 0x100)
    }))

  test('reads nothing ahead of its reader', () =>
    face('lazy', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const { readable } = theirs
      await ours.write(bytesOf(' and more'))
      await wait(it, 1000)
      // What the Web stream has not taken is still there for plain calls.
      expect([textOf(await theirs.read()), readable.locked]).toEqual(['first and more', false])
    }))

  test('errors its readable with the code when the remote peer aborts its writable', () =>
    face('abort', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const reader = theirs.readable.getReader()
      await reader.read()
      const reading = failureOf(reader.read())
      await ours.writable.abort({ streamCode: 5 })
      const { code, cause } = await reading
      expect([code, cause, await reader.closed.catch(codeOf)]).toEqual([
        'ERR_STREAM_RESET',
        { streamCode: 5 },
        'ERR_STREAM_RESET',
      ])
    }))

  test('errors its writable with the code when the remote peer cancels its readable', () =>
    face('cancel', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const writer = ours.writable.getWriter()
      const writing = failureOf(writer.write(contents(MUCH)))
      const closed = failureOf(writer.closed)
      await wait(it, 1000)
      await theirs.readable.cancel({ streamCode: 6 })
      const { code, cause } = await writing
      expect([code, cause, (await closed).code]).toEqual(['ERR_STREAM_RESET', { streamCode: 6 }, 'ERR_STREAM_RESET'])
    }))

  test('is cancelled by a loop that is left, and the writer learns of it', () =>
    face('break', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      for await (const piece of theirs.readable) if (textOf(piece) === 'first') break
      await wait(it, 1000)
      expect((await failureOf(ours.write(bytesOf('more')))).code).toBe('ERR_STREAM_RESET')
    }))

  test('fails in both directions when the connection ends', () =>
    face('closed', async (it) => {
      const connections = await connect(it)
      const [ours] = await streamOf(connections)
      const [reader, writer] = [ours.readable.getReader(), ours.writable.getWriter()]
      const pending = [failureOf(reader.read()), failureOf(writer.write(contents(MUCH)))]
      writer.closed.catch(() => {})
      await wait(it, 1000)
      await connections[1].close()
      expect((await Promise.all(pending)).map(({ code }) => code)).toEqual(['ERR_CLOSED', 'ERR_CLOSED'])
    }))
})
