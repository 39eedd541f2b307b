import type { Connection, Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Internet } from '../../src/index.ts'
import { bytesOf, type Face, face, failureOf, readAll, stateOf, take, textOf, wait } from './bed.ts'

/** Sends a text on a stream of its own, and gives what came back. */
async function ask(connection: Connection, text: string): Promise<string> {
  const stream = await connection.openStream()
  await stream.write(bytesOf(text))
  const ended = stream.end()
  const answer = textOf(await readAll(stream))
  await ended
  return answer
}

/** Answers every stream that the remote peer opens. */
function answer(connection: Connection): void {
  const answering = async (): Promise<void> => {
    for await (const stream of connection.streams) {
      const text = textOf(await readAll(stream))
      await stream.write(bytesOf(`${text}?`))
      await stream.end()
    }
  }
  // It may end in the middle.
  answering().catch(() => {})
}

/** Answers on every connection that comes in. @returns how many came in */
function serve(peer: Peer): () => number {
  let count = 0
  const accepting = async (): Promise<void> => {
    for await (const connection of peer.incoming) {
      count++
      answer(connection)
    }
  }
  void accepting()
  return () => count
}

const isOpen = ({ end }: Connection): boolean => end === undefined

/** The connections that came in since the last look. */
const looks = new WeakMap<Peer, Promise<IteratorResult<Connection>>>()
async function came(peer: Peer): Promise<readonly Connection[]> {
  const found: Connection[] = []
  for (;;) {
    const next = looks.get(peer) ?? peer.incoming.next()
    looks.set(peer, next)
    if ((await stateOf(next)) === 'pending') return found
    found.push((await next).value)
    looks.delete(peer)
  }
}

describe('two parts of a program that connect to one peer', () => {
  test.each([
    ['one after the other', false],
    ['at once', true],
  ])('%s: each has a handle; closing one leaves the other, closing the last closes the connection', (_, atOnce) =>
    face('two handles', async (it) => {
      const served = serve(it.bob)
      const first = it.alice.connect(it.bob.ticket)
      if (!atOnce) await first
      const [one, other] = await Promise.all([first, it.alice.connect(it.bob.ticket)])
      expect(await Promise.all([ask(one, 'a'), ask(other, 'b')])).toEqual(['a?', 'b?'])
      expect([one === other, served()]).toEqual([false, 1])
      await one.close()
      expect([one.end, other.end]).toEqual([{ by: 'local', code: 0, reason: 'closed by this side' }, undefined])
      expect([(await failureOf(one.openStream())).code, one.statistics]).toEqual(['ERR_CLOSED', undefined])
      expect(await ask(other, 'c')).toBe('c?')
      await other.close()
      expect(other.end?.by).toBe('local')
      await wait(it, 1000)
      const again = await it.alice.connect(it.bob.ticket)
      expect([await ask(again, 'd'), served()]).toEqual(['d?', 2])
    }),
  )

  test('the remote peer is told of a close only by the last handle, with its code', () =>
    face('code of the last', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const theirs = await take(it.bob.incoming)
      await one.close({ code: 7, reason: 'first' })
      await wait(it, 1000)
      expect([one.end?.code, theirs.end]).toEqual([7, undefined])
      await other.close({ code: 9 })
      await wait(it, 1000)
      expect(theirs.end).toMatchObject({ by: 'remote', code: 9 })
    }))

  test('closing a handle ends its streams at both ends with its code, and no others', () =>
    face('streams of a handle', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const theirs = await take(it.bob.incoming)
      const [ours, others] = [await one.openStream(), await other.openStream()]
      await ours.write(bytesOf('ours'))
      await others.write(bytesOf('others'))
      const [atBob, atBobToo] = [await take(theirs.streams), await take(theirs.streams)]
      await Promise.all([atBob, atBobToo].map((stream) => stream.write(bytesOf('came'))))
      await wait(it, 1000)
      const reading = failureOf(ours.read().then(() => ours.read()))
      await one.close({ code: 5 })
      const writing = failureOf(ours.write(bytesOf('more')))
      expect([(await reading).code, (await writing).code]).toEqual(['ERR_CLOSED', 'ERR_CLOSED'])
      await wait(it, 1000)
      const left = await failureOf(readAll(atBob))
      const refused = await failureOf(atBob.write(bytesOf('late')))
      expect([left.cause, refused.cause]).toEqual([{ streamCode: 5 }, { streamCode: 5 }])
      expect([textOf(await others.read()), textOf(await atBobToo.read())]).toEqual(['came', 'others'])
    }))

  test('what arrived on a stream before its handle was closed stays readable', () =>
    face('unread of a handle', async (it) => {
      const [one] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const theirs = await take(it.bob.incoming)
      const stream = await theirs.openStream()
      await stream.write(bytesOf('before'))
      const arrived = await take(one.streams)
      await wait(it, 1000)
      await one.close()
      expect(textOf(await arrived.read())).toBe('before')
      expect((await failureOf(arrived.read())).code).toBe('ERR_CLOSED')
    }))

  test('what waits on a handle settles when it is closed: streams, datagrams, openStream', () =>
    face('waiting on a handle', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const theirs = await take(it.bob.incoming)
      for (let n = 0; n < 256; n++) await other.openStream()
      const opening = failureOf(one.openStream())
      const waiting = [one.streams.next(), one[Symbol.asyncIterator]().next()]
      await one.close()
      expect([(await opening).code, ...(await Promise.all(waiting)).map(({ done }) => done)]).toEqual([
        'ERR_CLOSED',
        true,
        true,
      ])
      // What comes now is for the handle that is left.
      const datagram = other[Symbol.asyncIterator]().next()
      await theirs.sendDatagram(bytesOf('hello'))
      expect(textOf((await datagram).value)).toBe('hello')
    }))

  test('streams and datagrams go to the handle that asks first, each once', () =>
    face('who asks first', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const theirs = await take(it.bob.incoming)
      const asked = [other.streams.next(), one.streams.next()]
      for (const text of ['first', 'second']) await (await theirs.openStream()).write(bytesOf(text))
      const texts = await Promise.all(asked.map(async (each) => textOf(await (await each).value?.read())))
      expect(texts).toEqual(['first', 'second'])
    }))

  test('both are told of moves and of the end', () =>
    face('told', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      const told: string[] = []
      for (const each of [one, other]) each.on('close', (reason) => told.push(reason))
      await it.bob.close()
      await wait(it, 1000)
      expect(told).toEqual(['closed by the remote peer', 'closed by the remote peer'])
    }))
})

describe('one of two connects to one peer that wait', () => {
  test.each([
    ['first', 'auto', 0],
    ['second', 'auto', 1],
    ['first', 'direct', 0],
    ['second', 'direct', 1],
  ] as const)('the %s is aborted, by %s, at every moment of a dial: the other one connects', (_, via, which) =>
    face('one aborted', async (it) => {
      for (let ms = 0; ms < 20; ms += 5) {
        const bob = await it.internet.peer({ name: `bob ${ms}` })
        const served = serve(bob)
        const aborting = new AbortController()
        const connecting = [0, 1].map((n) =>
          it.alice.connect(bob.ticket, n === which ? { via, signal: aborting.signal } : { via }),
        )
        const outcomes = Promise.allSettled(connecting)
        const began = it.internet.sim.clock.now()
        await wait(it, ms)
        aborting.abort()
        const [aborted, other] = which === 0 ? await outcomes : (await outcomes).toReversed()
        expect([aborted?.status, other?.status], `${ms} ms`).toEqual(['rejected', 'fulfilled'])
        // By what was sent for both, and not by a handshake that begins later.
        expect(it.internet.sim.clock.now() - began).toBeLessThanOrEqual(60)
        expect(await ask((await connecting[1 - which]) as Connection, 'still')).toBe('still?')
        expect(served()).toBe(1)
      }
    }),
  )

  test('one that is aborted leaves nothing that keeps the connection of another handle open', () =>
    face('aborted beside a handle', async (it) => {
      const first = await it.alice.connect(it.bob.ticket)
      const aborting = new AbortController()
      const second = failureOf(it.alice.connect(it.bob.ticket, { signal: aborting.signal }))
      await wait(it, 5)
      aborting.abort()
      expect((await second).code).toBe('ERR_ABORTED')
      await first.close()
      await wait(it, 1000)
      expect((await take(it.bob.incoming)).end?.by).toBe('remote')
    }))

  test('both are aborted, at every moment of a dial: no connection is left that only one end knows', () =>
    face('all aborted', async (it) => {
      for (let ms = 0; ms <= 100; ms += 10) {
        const signal = new AbortController()
        const connecting = [0, 1].map(() => it.alice.connect(it.bob.ticket, { signal: signal.signal }))
        const outcomes = Promise.allSettled(connecting)
        await wait(it, ms)
        signal.abort()
        for (const outcome of await outcomes) if (outcome.status === 'fulfilled') await outcome.value.close()
        // Whoever sent the last message of the handshake learns by silence that nobody is there.
        await wait(it, 400_000)
        // A remote peer that was called may complete what was begun: then both have it from `incoming`.
        const [theirs, ours] = [await came(it.bob), await came(it.alice)]
        expect([ms, theirs.filter(isOpen).length]).toEqual([ms, ours.filter(isOpen).length])
        for (const each of ours) await each.close()
        await wait(it, 1000)
        expect(theirs.filter(isOpen)).toEqual([])
      }
    }))

  test('the last handle is closed while another connect waits: it gets a connection that works', () =>
    face('closed under a dial', async (it) => {
      serve(it.bob)
      const first = await it.alice.connect(it.bob.ticket)
      const connecting = it.alice.connect(it.bob.ticket)
      await first.close()
      expect(await ask(await connecting, 'anew')).toBe('anew?')
    }))
})

describe('two peers that dial each other', () => {
  const directly = (it: Face, ms: number): Promise<readonly [Connection, Connection]> => {
    const ours = it.alice.connect(it.bob.ticket)
    const theirs = wait(it, ms).then(() => it.bob.connect(it.alice.ticket))
    return Promise.all([ours, theirs])
  }

  test.each(['at once', 'the other way round'])(
    '%s: one connection, out of connect and out of incoming at both ends',
    (order) =>
      face(`glare ${order}`, async ({ alice, bob, ...it }) => {
        const both = order === 'at once' ? { ...it, alice, bob } : { ...it, alice: bob, bob: alice }
        const counts = [serve(both.alice), serve(both.bob)]
        const [ours, theirs] = await directly(both, 0)
        expect([ours.incoming, theirs.incoming]).toEqual([false, false])
        expect(await Promise.all([ask(ours, 'from Alice'), ask(theirs, 'from Bob')])).toEqual([
          'from Alice?',
          'from Bob?',
        ])
        expect(counts.map((count) => count())).toEqual([1, 1])
      }),
  )

  test('each part closes its handle: the connection goes on until nobody has one', () =>
    face('glare and close', async (it) => {
      const [ours, theirs] = await directly(it, 0)
      const [atAlice, atBob] = [await take(it.alice.incoming), await take(it.bob.incoming)]
      expect([atAlice.incoming, atBob.incoming, atAlice.remoteId]).toEqual([true, true, it.bob.id])
      await ours.close()
      await theirs.close()
      await wait(it, 1000)
      expect([atAlice.end, atBob.end]).toEqual([undefined, undefined])
      await atAlice.close()
      await wait(it, 1000)
      expect([atAlice.end?.by, atBob.end?.by]).toEqual(['local', 'remote'])
    }))

  test('where nobody takes what comes in, the handles of connect are the only ones', () =>
    face('glare, nobody accepts', async (it) => {
      const [ours, theirs] = await directly(it, 0)
      await ours.close()
      await wait(it, 1000)
      expect([ours.end?.by, theirs.end?.by]).toEqual(['local', 'remote'])
      expect((await take(it.alice.incoming)).end?.by).toBe('local')
    }))

  test('with any delay between both, both have it from connect, and it carries streams both ways', () =>
    Internet.run('delays', { latency: duration(10) }, async (internet) => {
      const relay = await internet.relay()
      // 60 ms after the first call the connection is open at both ends.
      for (let ms = 0; ms <= 100; ms += 10) {
        const alice = await internet.peer({ name: `alice ${ms}` })
        const bob = await internet.peer({ name: `bob ${ms}` })
        const counts = [serve(alice), serve(bob)]
        const [ours, theirs] = await directly({ internet, relay, alice, bob }, ms)
        // Who calls when the connection is open tells the remote peer nothing: that has it already.
        answer(ours)
        expect([await ask(ours, 'a'), await ask(theirs, 'b'), counts[1]?.()], `${ms} ms`).toEqual(['a?', 'b?', 1])
      }
    }))

  test('connect() to a peer whose connection came in gives a handle of its own', () =>
    face('connect after incoming', async (it) => {
      const ours = await it.alice.connect(it.bob.ticket)
      const theirs = await take(it.bob.incoming)
      const back = await it.bob.connect(it.alice.ticket)
      expect([theirs.incoming, back.incoming]).toEqual([true, false])
      await theirs.close()
      const asking = ask(back, 'back')
      const stream = await take(ours.streams)
      await stream.write(bytesOf(`${textOf(await readAll(stream))}!`))
      await stream.end()
      expect([await asking, ours.end]).toEqual(['back!', undefined])
      await back.close()
      await wait(it, 1000)
      expect(ours.end?.by).toBe('remote')
    }))

  test('one gives up while the other one still dials: the connection of the other one is there', () =>
    face('glare, one gives up', async (it) => {
      const served = serve(it.bob)
      const signal = new AbortController()
      const ours = it.alice.connect(it.bob.ticket)
      await wait(it, 30)
      const aborted = failureOf(it.bob.connect(it.alice.ticket, { signal: signal.signal }))
      await wait(it, 5)
      signal.abort()
      expect([(await aborted).code, await ask(await ours, 'there'), served()]).toEqual(['ERR_ABORTED', 'there?', 1])
    }))
})
