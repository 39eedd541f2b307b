import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  connect,
  contents,
  type Face,
  face,
  failureOf,
  readAll,
  same,
  stateOf,
  streamOf,
  take,
  textOf,
  wait,
} from './bed.ts'

/** Bytes of one write. */
const PIECE = 64 * 1024
/** More than any window and buffer of a connection at its start. */
const MUCH = 48 * PIECE

test.each([
  ['an end alone', 'alice', ''],
  ['an end alone', 'bob', ''],
  ['a write and an end', 'alice', 'all'],
  ['a write and an end', 'bob', 'all'],
])('%s on a first stream is acknowledged within a round trip, when %s dials', (_, dials, text) =>
  face('first', async (it) => {
    const both = dials === 'alice' ? it : { ...it, alice: it.bob, bob: it.alice }
    const ours = await both.alice.connect(both.bob.ticket, { via: 'direct' })
    const stream = await ours.openStream()
    const { clock } = it.internet.sim
    const at = clock.now()
    if (text !== '') await stream.write(bytesOf(text))
    await stream.end()
    // Both latencies, and what an acknowledgement waits for.
    expect(clock.now() - at).toBeLessThanOrEqual(21)
  }),
)

describe('a stream', () => {
  test('carries bytes in order both ways, and ends each way for itself', () =>
    face('both ways', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(100_000, 1))
      await ours.write(contents(70_000, 2))
      const ended = ours.end()
      const there = await readAll(theirs)
      expect(same(there, Buffer.concat([contents(100_000, 1), contents(70_000, 2)]))).toBe(true)
      await ended
      await theirs.write(contents(50_000, 3))
      const back = readAll(ours)
      await theirs.end()
      expect([same(await back, contents(50_000, 3)), ours.id]).toEqual([true, theirs.id])
    }))

  test('resolves its end when the remote peer has everything, and not before', () =>
    face('end', async (it) => {
      const [ours] = await streamOf(await connect(it))
      it.internet.sim.network.filter = () => false
      const ended = ours.end()
      await wait(it, 3000)
      const before = await stateOf(ended)
      it.internet.sim.network.filter = undefined
      await ended
      expect(before).toBe('pending')
    }))

  test('that is not read holds up no other', () =>
    face('independent', async (it) => {
      const connections = await connect(it)
      const [unread] = await streamOf(connections)
      const stuck = unread.write(contents(MUCH))
      await wait(it, 5000)
      const [ours, theirs] = await streamOf(connections, contents(30_000, 4))
      await ours.end()
      expect([same(await readAll(theirs), contents(30_000, 4)), await stateOf(stuck)]).toEqual([true, 'pending'])
      const failed = failureOf(stuck)
      await connections[0].close()
      expect((await failed).code).toBe('ERR_CLOSED')
    }))

  test('settles each of many writes, whenever they begin: none waits for a wake-up that another one took', () =>
    face('writers', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(100))
      const there = readAll(theirs)
      const writes = [ours.write(contents(MUCH))]
      // while the buffer becomes empty, and full again
      for (let count = 0; count < 200; count++) {
        await wait(it, 1)
        writes.push(ours.write(contents(count % 50 === 49 ? 8 * PIECE : 100)))
      }
      await wait(it, 30_000)
      expect(new Set(await Promise.all(writes.map(stateOf)))).toEqual(new Set(['done']))
      await ours.end()
      expect((await there).length).toBe(MUCH + 4 * 8 * PIECE + 197 * 100)
    }))

  test('of a lower priority number is sent first', () =>
    face(
      'priority',
      async (it) => {
        const [ours, theirs] = await connect(it)
        const ends: string[] = []
        const send = async (name: string, priority: number): Promise<void> => {
          const stream = await ours.openStream({ priority })
          await stream.write(Buffer.concat([bytesOf(name), contents(200_000)]))
          await stream.end()
        }
        const sending = Promise.all([send('later', 5), send('first', 1)])
        const read = async (): Promise<void> => {
          const stream = await take(theirs.streams)
          const name = textOf((await readAll(stream)).subarray(0, 5))
          ends.push(name)
        }
        await Promise.all([read(), read(), sending])
        expect(ends).toEqual(['first', 'later'])
      },
      { conditions: { bandwidth: 500_000 } },
    ))
})

describe('back-pressure', () => {
  /** Writes piece by piece, as far as the reader lets it. */
  const writing = async (it: Face) => {
    const [ours, theirs] = await streamOf(await connect(it), contents(PIECE, 0))
    const state = { accepted: PIECE }
    const all = (async () => {
      for (let at = PIECE; at < MUCH; at += PIECE) {
        await ours.write(contents(PIECE, at / PIECE))
        state.accepted += PIECE
      }
      await ours.end()
    })()
    return { theirs, state, all }
  }
  const EVERYTHING = Buffer.concat(Array.from({ length: MUCH / PIECE }, (_, index) => contents(PIECE, index)))

  test('a writer stops when the reader does, and goes on when it reads', () =>
    face('back-pressure', async (it) => {
      const { theirs, state, all } = await writing(it)
      await wait(it, 10_000)
      const stopped = state.accepted
      await wait(it, 30_000)
      expect([stopped > 0, stopped < MUCH / 2, state.accepted]).toEqual([true, true, stopped])
      const read = await readAll(theirs)
      await all
      expect([same(read, EVERYTHING), state.accepted]).toEqual([true, MUCH])
    }))

  test('a writer is never further ahead of a slow reader than the windows allow', () =>
    face('slow reader', async (it) => {
      const { theirs, state, all } = await writing(it)
      const ahead: number[] = []
      let read = 0
      for (let piece = await theirs.read(); piece !== undefined; piece = await theirs.read()) {
        read += piece.length
        await wait(it, 500)
        ahead.push(state.accepted - read)
      }
      await all
      expect([read, Math.max(...ahead) <= MUCH / 2]).toEqual([MUCH, true])
    }))
})

describe('abandoning a half', () => {
  test('abort() resets the stream: the reader gets its code, and what was not read is gone', () =>
    face('abort', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      expect(textOf(await theirs.read())).toBe('first')
      const reading = failureOf(theirs.read())
      ours.abort({ streamCode: 7 })
      const { code, cause } = await reading
      expect([code, cause, (await failureOf(theirs.read())).code]).toEqual([
        'ERR_STREAM_RESET',
        { streamCode: 7 },
        'ERR_STREAM_RESET',
      ])
    }))

  test('cancel() asks the remote peer to stop: what it writes and ends fails with the code', () =>
    face('cancel', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const writing = failureOf(ours.write(contents(MUCH)))
      await wait(it, 1000)
      theirs.cancel({ streamCode: 9 })
      const { code, cause } = await writing
      const later = [await failureOf(ours.write(bytesOf('more'))), await failureOf(ours.end())]
      expect([code, cause, ...later.map((error) => error.code)]).toEqual([
        'ERR_STREAM_RESET',
        { streamCode: 9 },
        'ERR_STREAM_RESET',
        'ERR_STREAM_RESET',
      ])
    }))

  test.each([
    ['nothing', undefined],
    ['an error', new Error('no')],
    ['a code that is no number', { streamCode: 'seven' }],
    ['a negative code', { streamCode: -1 }],
    ['a fraction', { streamCode: 1.5 }],
  ])('with %s as the reason the code is 0', (name, reason) =>
    face(`no code: ${name}`, async (it) => {
      const connections = await connect(it)
      const [cancelled, theirs] = await streamOf(connections)
      theirs.cancel(reason)
      const [aborted, reader] = await streamOf(connections)
      aborted.abort(reason)
      await wait(it, 1000)
      const errors = await Promise.all([failureOf(cancelled.write(bytesOf('more'))), failureOf(readAll(reader))])
      expect(errors.map(({ cause }) => cause)).toEqual([{ streamCode: 0 }, { streamCode: 0 }])
    }),
  )

  test('an aborted stream never reads as complete, whatever of it arrived', () =>
    face('truncated', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(50_000))
      await wait(it, 5000)
      ours.abort({ streamCode: 3 })
      await wait(it, 1000)
      const { code, cause } = await failureOf(readAll(theirs))
      expect([code, cause]).toEqual(['ERR_STREAM_RESET', { streamCode: 3 }])
    }))

  test('a stream that arrived whole, FIN included, is read to its end', () =>
    face('whole before', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(50_000))
      await ours.end()
      ours.abort({ streamCode: 3 })
      await wait(it, 1000)
      expect(same(await readAll(theirs), contents(50_000))).toBe(true)
    }))

  test('one direction leaves the other as it is', () =>
    face('half', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      ours.abort({ streamCode: 1 })
      await theirs.write(bytesOf('still'))
      const ended = theirs.end()
      expect(textOf(await readAll(ours))).toBe('still')
      await ended
    }))
})

describe('256 streams at a time', () => {
  /** Opens them all, and gives the first to the remote peer. */
  const full = async (it: Face) => {
    const connections = await connect(it)
    const [first, theirs] = await streamOf(connections)
    for (let opened = 1; opened < 256; opened++) await streamOf(connections)
    return { connection: connections[0], first, theirs }
  }
  /** Ends a stream in both directions. */
  const finish = async ({
    first,
    theirs,
  }: Pick<Awaited<ReturnType<typeof full>>, 'first' | 'theirs'>): Promise<void> => {
    const ends = Promise.all([first.end(), theirs.end()])
    await Promise.all([readAll(first), readAll(theirs), ends])
  }

  test('the next waits, and opens when one has ended', () =>
    face('the 257th', async (it) => {
      const { connection, ...streams } = await full(it)
      const opening = connection.openStream()
      await wait(it, 5000)
      const before = await stateOf(opening)
      await finish(streams)
      const stream = await opening
      await stream.write(bytesOf('opened'))
      expect([before, stream.id > streams.first.id]).toEqual(['pending', true])
    }))

  test('an aborted signal opens none, though there is room', () =>
    face('aborted with room', async (it) => {
      const [ours] = await connect(it)
      const { code, cause } = await failureOf(ours.openStream({ signal: AbortSignal.abort('no more') }))
      expect([code, cause, (await ours.openStream()).id < 2]).toEqual(['ERR_ABORTED', 'no more', true])
    }))

  test('one that ends lets the first of the waiting calls open', () =>
    face('in order', async (it) => {
      const { connection, ...streams } = await full(it)
      const waiting = [connection.openStream(), connection.openStream()]
      await finish(streams)
      await waiting[0]
      await wait(it, 5000)
      expect(await Promise.all(waiting.map(stateOf))).toEqual(['done', 'pending'])
      await connection.close()
      expect((await failureOf(waiting[1] as Promise<unknown>)).code).toBe('ERR_CLOSED')
    }))

  test('an aborted openStream() takes no place from the next', () =>
    face('given up', async (it) => {
      const { connection, ...streams } = await full(it)
      const application = new AbortController()
      const gone = failureOf(connection.openStream({ signal: application.signal }))
      const waiting = connection.openStream()
      application.abort()
      await finish(streams)
      expect([(await gone).code, await waiting.then(() => 'opened')]).toEqual(['ERR_ABORTED', 'opened'])
    }))

  test('an openStream() that waits fails when the connection ends', () =>
    face('closed', async (it) => {
      const { connection } = await full(it)
      const waiting = failureOf(connection.openStream())
      await connection.close()
      expect([(await waiting).code, (await failureOf(connection.openStream())).code]).toEqual([
        'ERR_CLOSED',
        'ERR_CLOSED',
      ])
    }))
})

describe.each([
  ['the remote peer closes', 1],
  ['this end closes', 0],
] as const)('when %s the connection', (name, closing) => {
  test('everything that arrived can still be read, up to its end', () =>
    face(`unread, ${name}`, async (it) => {
      const connections = await connect(it)
      const [whole, wholeThere] = await streamOf(connections)
      const [open, openThere] = await streamOf(connections, bytesOf('but not the end'))
      await wholeThere.write(contents(150_000, 6))
      await wholeThere.end()
      await openThere.write(contents(90_000, 7))
      await wait(it, 5000)
      await connections[closing].close()
      await wait(it, 1000)
      expect(connections[0].closedBecause).toBeDefined()
      expect(same(await readAll(whole), contents(150_000, 6))).toBe(true)
      const pieces: Uint8Array[] = []
      const { code } = await failureOf(readAll(open, pieces))
      expect([same(Buffer.concat(pieces), contents(90_000, 7)), code]).toEqual([true, 'ERR_CLOSED'])
    }))

  test('a stream that was not taken yet can be taken and read', () =>
    face(`not taken, ${name}`, async (it) => {
      const [ours, theirs] = await connect(it)
      const stream = await theirs.openStream()
      await stream.write(bytesOf('last words'))
      await stream.end()
      await [ours, theirs][closing]?.close()
      await wait(it, 1000)
      const taken = await take(ours.streams)
      expect([textOf(await readAll(taken)), (await ours.streams.next()).done]).toEqual(['last words', true])
    }))

  test('reading, writing and ending that are under way fail, and so does what comes later', () =>
    face(`under way, ${name}`, async (it) => {
      const connections = await connect(it)
      const [stream] = await streamOf(connections)
      const [other] = await streamOf(connections)
      it.internet.sim.network.filter = ({ bytes }) => bytes.length < 100
      const pending = [stream.read(), stream.write(contents(MUCH)), other.end()].map(failureOf)
      await wait(it, 100)
      it.internet.sim.network.filter = undefined
      await connections[closing].close()
      const errors = await Promise.all(pending)
      errors.push(await failureOf(stream.read()), await failureOf(stream.write(bytesOf('x'))))
      expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('ERR_CLOSED'))
    }))
})
