/** Every way in which both halves of a stream can end frees it, and settles what waited. */
import type { Stream } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  codeOf,
  connect,
  contents,
  face,
  failureOf,
  readAll,
  stateOf,
  streamOf,
  take,
  textOf,
  wait,
} from './bed.ts'

/** More than may be open at once. */
const MANY = 300

const WRITES = {
  end: (stream: Stream) => stream.end(),
  abort: async (stream: Stream) => stream.abort(),
  'writable.close': (stream: Stream) => stream.writable.close(),
  'writable.abort': (stream: Stream) => stream.writable.abort(),
}

const READS = {
  'read to the end': (stream: Stream) => readAll(stream).catch(() => undefined),
  'cancel at once': async (stream: Stream) => stream.cancel(),
  'cancel after the end': async (stream: Stream) => {
    await readAll(stream).catch(() => undefined)
    stream.cancel()
  },
  'readable.cancel': (stream: Stream) => stream.readable.cancel(),
  'for await': async (stream: Stream) => {
    try {
      for await (const piece of stream.readable) expect(piece.length).toBeGreaterThan(0)
    } catch (error) {
      expect(codeOf(error)).toBe('ERR_STREAM_RESET')
    }
  },
}

type Way<Ways> = keyof Ways & string
const ways = <Ways extends object>(of: Ways): Way<Ways>[] => Object.keys(of) as Way<Ways>[]

describe('streams are forgotten at both ends', () => {
  test.each(ways(WRITES).flatMap((write) => ways(READS).map((read) => [write, read] as const)))(
    'when one writes and %s, and the other %s',
    (write, read) =>
      face(`ends ${write} ${read}`, async (it) => {
        const connections = await connect(it)
        for (let count = 0; count < MANY; count++) {
          const [ours, theirs] = await streamOf(connections)
          const halves = [WRITES[write](ours), READS[read](theirs), theirs.end(), READS[read](ours)]
          await Promise.all(halves.map((half) => half.catch((error) => expect(codeOf(error)).toMatch(/ERR_/))))
        }
      }),
    60_000,
  )

  test('when everything was read before reading is given up', () =>
    face('read, then cancelled', async (it) => {
      const connections = await connect(it)
      for (let count = 0; count < MANY; count++) {
        const [ours, theirs] = await streamOf(connections, contents(2000))
        const ended = ours.end()
        expect((await readAll(theirs)).length).toBe(2000)
        theirs.cancel()
        await Promise.all([ended, theirs.end(), readAll(ours)])
        ours.cancel()
      }
    }))
})

describe('what was given up settles at once', () => {
  /** A stream whose reader does not read, with more written than it takes. */
  const blocked = async (it: Parameters<typeof connect>[0]) => {
    const connections = await connect(it)
    const [ours, theirs] = await streamOf(connections)
    return { ours, theirs, pending: ours.write(contents(8_000_000)) }
  }

  test('a write and an end that wait, by abort()', () =>
    face('abort settles', async (it) => {
      const { ours, pending } = await blocked(it)
      const ending = failureOf(ours.end())
      await it.internet.wait(duration(2000))
      ours.abort()
      const began = it.internet.sim.clock.now()
      expect([(await failureOf(pending)).code, (await ending).code]).toEqual(['ERR_CLOSED', 'ERR_CLOSED'])
      expect(it.internet.sim.clock.now()).toBe(began)
    }))

  test('writer.abort() though a write waits, and the write', () =>
    face('writer.abort settles', async (it) => {
      const connections = await connect(it)
      const [ours] = await streamOf(connections)
      const writer = ours.writable.getWriter()
      const pending = writer.write(contents(8_000_000)).then(
        () => 'written',
        () => 'failed',
      )
      await it.internet.wait(duration(2000))
      const began = it.internet.sim.clock.now()
      await writer.abort('no more')
      expect([await pending, it.internet.sim.clock.now()]).toEqual(['failed', began])
      await expect(writer.closed).rejects.toBe('no more')
    }))

  test('pipeTo with a signal, once the stream is given up', () =>
    face('pipeTo settles', async (it) => {
      const connections = await connect(it)
      const [ours] = await streamOf(connections)
      const controller = new AbortController()
      const pull = (into: ReadableStreamDefaultController<Uint8Array>): void => into.enqueue(contents(1_000_000))
      const source = new ReadableStream<Uint8Array>({ pull })
      const { signal } = controller
      const failed = source.pipeTo(ours.writable as WritableStream<Uint8Array>, { signal }).then(
        () => false,
        () => true,
      )
      await it.internet.wait(duration(2000))
      const began = it.internet.sim.clock.now()
      controller.abort('enough')
      ours.abort()
      expect([await failed, it.internet.sim.clock.now()]).toEqual([true, began])
    }))

  test('a read that waits, by cancel()', () =>
    face('cancel settles', async (it) => {
      const connections = await connect(it)
      const [, theirs] = await streamOf(connections)
      await theirs.read()
      const pending = failureOf(theirs.read())
      expect(await stateOf(pending)).toBe('pending')
      theirs.cancel()
      expect((await pending).code).toBe('ERR_CLOSED')
      expect((await failureOf(theirs.read())).code).toBe('ERR_CLOSED')
    }))

  test('reader.cancel() though a read waits', () =>
    face('reader.cancel settles', async (it) => {
      const connections = await connect(it)
      const [, theirs] = await streamOf(connections)
      const reader = theirs.readable.getReader()
      await reader.read()
      const pending = reader.read()
      await reader.cancel()
      expect(await pending).toEqual({ value: undefined, done: true })
      await reader.closed
    }))
})

describe('nothing vanishes without an error', () => {
  test.each([
    ['end', (stream: Stream): unknown => stream.end().catch(() => {})],
    ['abort', (stream: Stream): unknown => stream.abort()],
  ] as const)('write() after %s() is refused', (_how, giveUp) =>
    face(`write after ${_how}`, async (it) => {
      const [ours] = await streamOf(await connect(it))
      giveUp(ours)
      expect((await failureOf(ours.write(bytesOf('lost')))).code).toBe('ERR_CLOSED')
    }),
  )

  test('end() after abort() is refused, and after end() it is the same end', () =>
    face('end after', async (it) => {
      const connections = await connect(it)
      const [ours] = await streamOf(connections)
      ours.abort()
      expect((await failureOf(ours.end())).code).toBe('ERR_CLOSED')
      const [other, theirs] = await streamOf(connections)
      const ends = Promise.all([other.end(), other.end()])
      await readAll(theirs)
      await ends
      await other.end()
    }))
})

describe('what write() is given', () => {
  const view = new Uint8Array([0, 65, 66, 67, 0]).subarray(1, 4)
  test.each([
    ['an ArrayBuffer', view.slice().buffer],
    ['a Buffer', Buffer.from('ABC')],
    ['a DataView', new DataView(view.buffer, 1, 3)],
    ['another typed array', new Int8Array(view.buffer, 1, 3)],
    ['a part of a buffer', view],
  ])('%s is taken as its bytes', (what, bytes) =>
    face(`given ${what}`, async (it) => {
      const connections = await connect(it)
      const [ours, theirs] = await streamOf(connections)
      await ours.write(bytes)
      await ours.end()
      expect(textOf(await readAll(theirs))).toBe('firstABC')
      await connections[0].sendDatagram(bytes)
      expect(textOf(await take(connections[1][Symbol.asyncIterator]()))).toBe('ABC')
    }),
  )

  test.each([['text'], [4], [null], [undefined], [{}], [[1, 2]], [{ length: 3 }], [new Blob(['x'])], [true], [10n]])(
    '%s is refused by a typed error, and the stream goes on',
    (wrong) =>
      face('given nothing', async (it) => {
        const connections = await connect(it)
        const [ours, theirs] = await streamOf(connections)
        expect((await failureOf(ours.write(wrong as never))).code).toBe('ERR_BAD_ARGUMENT')
        expect((await failureOf(connections[0].sendDatagram(wrong as never))).code).toBe('ERR_BAD_ARGUMENT')
        await ours.write(bytesOf(', last'))
        await ours.end()
        expect(textOf(await readAll(theirs))).toBe('first, last')
      }),
  )
})

test.each(['alice', 'bob'] as const)(
  'a read settles when the acknowledgement of the end and the goodbye come at once, from %s',
  (from) =>
    face(`last words of ${from}`, async (it) => {
      const connections = await connect(it)
      const [ours, theirs] = await streamOf(connections)
      const [leaver, leaves, stays] = from === 'alice' ? [connections[0], ours, theirs] : [connections[1], theirs, ours]
      if (from === 'bob') await theirs.write(bytesOf('first'))
      await stays.read()
      const reading = failureOf(stays.read())
      const ending = stays.end()
      while ((await leaves.read()) !== undefined);
      await leaver.close({ code: 1 })
      await wait(it, 1000)
      expect([await stateOf(ending), await stateOf(reading), (await reading).code]).toEqual([
        'done',
        'done',
        'ERR_CLOSED',
      ])
    }),
)
