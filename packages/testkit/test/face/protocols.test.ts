/** Streams with a protocol: two programs on one peer, and what nobody takes. */
import type { Connection, Stream } from '@showchain/client'
import { describe, expect, test } from 'vitest'
import { bytesOf, codeOf, connect, type Face, face, failureOf, readAll, stateOf, take, textOf, wait } from './bed.ts'

const CHAT = 'chat/1'
const FILES = 'files/2'
const declared = { bob: { protocols: [CHAT, FILES] } }

/** A stream of a protocol with one text. */
async function say(connection: Connection, protocol: string | undefined, text: string): Promise<Stream> {
  const stream = await connection.openStream({ protocol })
  await stream.write(bytesOf(text))
  stream.end().catch(() => {})
  return stream
}

const heard = async (stream: Stream): Promise<readonly unknown[]> => [stream.protocol, textOf(await readAll(stream))]

describe('two programs on one peer', () => {
  test.each([
    ['that says what it takes', declared],
    ['that says nothing', {}],
  ])('%s: each gets its streams, whoever asks first', (_what, options) =>
    face(
      'two programs',
      async (it) => {
        const [ours, theirs] = await connect(it)
        const chats = [theirs.acceptStream({ protocol: CHAT }), theirs.acceptStream({ protocol: CHAT })]
        const files = theirs.acceptStream({ protocol: FILES })
        await say(ours, FILES, 'file')
        await say(ours, undefined, 'plain')
        for (const text of ['one', 'two']) await say(ours, CHAT, text)
        expect(await Promise.all([...chats, files].map(async (stream) => heard(await stream)))).toEqual([
          [CHAT, 'one'],
          [CHAT, 'two'],
          [FILES, 'file'],
        ])
        expect(await heard(await take(theirs.streams))).toEqual([undefined, 'plain'])
      },
      options,
    ),
  )

  test('streams that came before they are asked for are there', () =>
    face('before', async (it) => {
      const [ours, theirs] = await connect(it)
      await say(ours, CHAT, 'one')
      await say(ours, undefined, 'plain')
      await say(ours, FILES, 'file')
      await wait(it, 1000)
      expect(await heard(await theirs.acceptStream({ protocol: FILES }))).toEqual([FILES, 'file'])
      expect(await heard(await theirs.acceptStream({ protocol: CHAT }))).toEqual([CHAT, 'one'])
      expect(await heard(await theirs.acceptStream())).toEqual([undefined, 'plain'])
    }))

  test('streams of a protocol that nobody asks for come out of `streams`, unless the peer says that it takes it', () =>
    face('nobody asks', async (it) => {
      const [ours, theirs] = await connect(it)
      await say(ours, CHAT, 'one')
      expect(await heard(await take(theirs.streams))).toEqual([CHAT, 'one'])
      const asked = theirs.acceptStream({ protocol: CHAT })
      const next = theirs.streams.next()
      await say(ours, CHAT, 'two')
      expect(await heard(await asked)).toEqual([CHAT, 'two'])
      await say(ours, CHAT, 'three')
      await wait(it, 1000)
      expect(await stateOf(next)).toBe('pending')
    }))

  test('what the peer says that it takes never comes out of `streams`', () =>
    face(
      'declared',
      async (it) => {
        const [ours, theirs] = await connect(it)
        const next = theirs.streams.next()
        await say(ours, CHAT, 'one')
        await wait(it, 1000)
        expect(await stateOf(next)).toBe('pending')
        expect(await heard(await theirs.acceptStream({ protocol: CHAT }))).toEqual([CHAT, 'one'])
      },
      declared,
    ))
})

test('both ends know the protocol; the remote peer sees the stream before anything is written', () =>
  face('at once', async (it) => {
    const [ours, theirs] = await connect(it)
    const stream = await ours.openStream({ protocol: CHAT })
    const accepted = await theirs.acceptStream({ protocol: CHAT })
    expect([stream.protocol, accepted.protocol, accepted.id === stream.id]).toEqual([CHAT, CHAT, true])
    await accepted.write(bytesOf('welcome'))
    expect(textOf(await stream.read())).toBe('welcome')
    expect((await ours.openStream()).protocol).toBeUndefined()
  }))

describe('a protocol that the remote peer does not take', () => {
  const refusals = async (it: Face, act: (stream: Stream) => Promise<unknown>): Promise<readonly unknown[]> => {
    const [ours, theirs] = await connect(it)
    const stream = await ours.openStream({ protocol: 'games/1' })
    const failure = await failureOf(act(stream))
    return [failure.code, failure.message.includes('games/1'), theirs.end, ours.end]
  }

  test.each<[string, (stream: Stream) => Promise<unknown>]>([
    ['read', (stream) => stream.read()],
    ['end', (stream) => stream.end()],
    [
      'write',
      async (stream) => {
        for (;;) await stream.write(new Uint8Array(100_000))
      },
    ],
    ['readable', (stream) => stream.readable.getReader().read()],
  ])('%s fails with ERR_UNKNOWN_PROTOCOL, and the connection goes on', (_what, act) =>
    face(
      'refused',
      async (it) => {
        expect(await refusals(it, act)).toEqual(['ERR_UNKNOWN_PROTOCOL', true, undefined, undefined])
      },
      declared,
    ),
  )

  test('is taken where the peer does not say what it takes', () =>
    face('not declared', async (it) => {
      const [ours, theirs] = await connect(it)
      await say(ours, 'games/1', 'move')
      expect(await heard(await take(theirs.streams))).toEqual(['games/1', 'move'])
    }))

  test('an application cannot send the code: one that is too high is 0', () =>
    face('code', async (it) => {
      const [ours, theirs] = await connect(it)
      const stream = await ours.openStream({ protocol: CHAT })
      const accepted = await theirs.acceptStream({ protocol: CHAT })
      accepted.abort({ streamCode: 2 ** 32 })
      accepted.cancel({ streamCode: 2 ** 32 - 1 })
      expect([await failureOf(stream.read()), await failureOf(stream.end())].map(({ cause }) => cause)).toEqual([
        { streamCode: 0 },
        { streamCode: 2 ** 32 - 1 },
      ])
    }))
})

describe('acceptStream', () => {
  test('fails when the connection ends, after all that came', () =>
    face('end', async (it) => {
      const [ours, theirs] = await connect(it)
      const waiting = failureOf(theirs.acceptStream({ protocol: FILES }))
      await say(ours, CHAT, 'last words')
      await wait(it, 1000)
      await ours.close({ reason: 'enough' })
      expect((await waiting).code).toBe('ERR_CLOSED')
      expect(await heard(await theirs.acceptStream({ protocol: CHAT }))).toEqual([CHAT, 'last words'])
      const { code, message } = await failureOf(theirs.acceptStream({ protocol: CHAT }))
      expect([code, message]).toEqual(['ERR_CLOSED', expect.stringContaining(theirs.closedBecause ?? '?')])
    }))

  test('of a handle that is closed fails, and leaves what comes to others', () =>
    face('handles', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const theirs = await take(it.bob.incoming)
      const waiting = failureOf(one.acceptStream({ protocol: CHAT }))
      const next = other.acceptStream({ protocol: CHAT })
      await one.close()
      expect([(await waiting).code, codeOf(await failureOf(one.acceptStream()))]).toEqual(['ERR_CLOSED', 'ERR_CLOSED'])
      await say(theirs, CHAT, 'hello')
      expect(await heard(await next)).toEqual([CHAT, 'hello'])
    }))

  test('waits as long as it is told, and takes nothing afterwards', () =>
    face('deadline', async (it) => {
      const [ours, theirs] = await connect(it)
      const control = new AbortController()
      const late = failureOf(theirs.acceptStream({ protocol: CHAT, timeout: 500 }))
      const aborted = failureOf(theirs.acceptStream({ protocol: CHAT, signal: control.signal }))
      const patient = theirs.acceptStream({ protocol: CHAT })
      control.abort('why')
      expect([(await late).code, (await aborted).code, (await aborted).cause]).toEqual([
        'ERR_TIMEOUT',
        'ERR_ABORTED',
        'why',
      ])
      await wait(it, 120_000)
      expect(await stateOf(patient)).toBe('pending')
      await say(ours, CHAT, 'at last')
      expect(await heard(await patient)).toEqual([CHAT, 'at last'])
    }))

  test.each([
    ['another key', { protocl: CHAT }],
    ['no text', { protocol: 7 }],
    ['an empty name', { protocol: '' }],
    ['a space', { protocol: 'chat 1' }],
    ['256 characters', { protocol: 'x'.repeat(256) }],
  ])('and openStream refuse %s', (_what, options) =>
    face('options', async (it) => {
      const [ours] = await connect(it)
      const given = options as never
      expect([await failureOf(ours.openStream(given)), await failureOf(ours.acceptStream(given))].map(codeOf)).toEqual([
        'ERR_BAD_ARGUMENT',
        'ERR_BAD_ARGUMENT',
      ])
    }),
  )

  test('and names are not for plaintext', () =>
    face(
      'plaintext',
      async (it) => {
        const [ours] = await connect(it)
        expect(
          [await failureOf(ours.openStream({ protocol: CHAT })), await failureOf(ours.acceptStream())].map(codeOf),
        ).toEqual(['ERR_PLAINTEXT_REFUSED', 'ERR_PLAINTEXT_REFUSED'])
      },
      { both: { plaintext: true } },
    ))
})
