/** `connect` with `reconnect`: dials again when a connection is lost, and not when it was closed. */
import type { Connection, ConnectionEnd, Peer, ReconnectingConnection } from '@showchain/client'
import { describe, expect, test } from 'vitest'
import { bytesOf, codeOf, type Face, face, failureOf, readAll, stateOf, take, textOf, wait } from './bed.ts'

const QUICK = { both: { idleTimeout: 6000 } }

/** Answers each stream of each connection. */
async function echo(peer: Peer): Promise<void> {
  for await (const connection of peer.incoming) void answer(connection).catch(() => {})
}
async function answer(connection: Connection): Promise<void> {
  for await (const stream of connection.streams) {
    await stream.write(await readAll(stream))
    await stream.end()
  }
}

async function ask(connection: Connection | undefined, text: string): Promise<string> {
  if (connection === undefined) throw new Error('There is no connection.')
  const stream = await connection.openStream()
  await stream.write(bytesOf(text))
  const ended = stream.end()
  const answered = textOf(await readAll(stream))
  await ended
  return answered
}

/** Nothing from Bob's addresses arrives until the function is called. */
function silence({ internet, bob }: Face): () => void {
  const { network } = internet.sim
  const addresses = bob.addresses.map(({ ip, port }) => `${ip} ${port}`)
  network.filter = ({ source }) => !addresses.includes(`${source.ip} ${source.port}`)
  return () => {
    network.filter = undefined
  }
}

/** What happens to it, in order. */
function noted(link: ReconnectingConnection): string[] {
  const found: string[] = []
  link.on('lost', () => found.push('lost'))
  link.on('failed', ({ code }) => found.push(code))
  link.on('connected', () => found.push('connected'))
  link.on('close', ({ by }) => found.push(`close ${by}`))
  return found
}

describe('a connection that is lost', () => {
  test('while the relay is the only path, and that is killed, is dialled again when it is back', () =>
    face(
      'relay killed',
      async (it) => {
        void echo(it.bob)
        const link = await it.alice.connect(it.bob.ticket, { via: 'relay-only', reconnect: true })
        const happened = noted(link)
        const first = link.current
        const stream = await first?.openStream()
        await stream?.write(bytesOf('never answered'))
        void it.relay.kill()
        expect(await first?.closed).toMatchObject({ by: 'failure' })
        expect([link.current, link.end]).toEqual([undefined, undefined])
        // Nothing of the connection before goes on in the next one.
        expect((await stream?.closed)?.error?.code).toBe('ERR_CLOSED')
        await wait(it, 60_000)
        expect(link.current).toBeUndefined()
        await it.relay.start()
        await it.alice.registered()
        const { value: second } = await link[Symbol.asyncIterator]().next()
        expect([second === first, await ask(second, 'again')]).toEqual([false, 'again'])
        expect([happened[0], happened.at(-1), new Set(happened.slice(1, -1))]).toEqual([
          'lost',
          'connected',
          new Set(['ERR_CONNECT_FAILED']),
        ])
        await link.close()
      },
      QUICK,
    ))

  test('since the other end has restarted is dialled again, and has none of its streams', () =>
    face(
      'restarts',
      async (it) => {
        void echo(it.bob)
        const link = await it.alice.connect(it.bob.ticket, { reconnect: true })
        const connections: Connection[] = []
        const following = (async () => {
          for await (const connection of link) connections.push(connection)
        })()
        // As after `kill -9`: it says nothing more, and what is started again has another address.
        silence(it)
        await it.bob.close()
        await wait(it, 10_000)
        expect([connections.length, link.current]).toEqual([1, undefined])
        const again = await it.internet.peer({ name: 'bob again', identity: it.internet.sim.identity('bob') })
        void echo(again)
        await wait(it, 90_000)
        expect(connections.length).toBe(2)
        expect(await ask(link.current, 'hello')).toBe('hello')
        await link.close({ code: 4 })
        await following
        expect(link.end).toMatchObject({ by: 'local', code: 4 })
      },
      QUICK,
    ))

  test('is given up after so many dials that failed in a row; the handle tells why', () =>
    face(
      'gives up',
      async (it) => {
        const link = await it.alice.connect(it.bob.ticket, { via: 'direct', timeout: 2000, reconnect: { attempts: 3 } })
        const happened = noted(link)
        silence(it)
        const { by, reason } = await link.closed
        expect([by, reason]).toEqual(['failure', expect.stringContaining('then 3 dials failed: ')])
        expect(happened).toEqual(['lost', 'ERR_CONNECT_FAILED', 'ERR_CONNECT_FAILED', 'close failure'])
        await wait(it, 600_000)
        expect(it.alice.inspect()).toMatchObject({ dials: [], connections: [] })
        const { done } = await link[Symbol.asyncIterator]().next()
        expect(done).toBe(true)
      },
      QUICK,
    ))

  test('is dialled with pauses that grow, up to one and a half minutes', () =>
    face(
      'pauses',
      async (it) => {
        const pauses: number[] = []
        const link = await it.alice.connect(it.bob.ticket, {
          via: 'direct',
          timeout: 1000,
          reconnect: { attempts: 12 },
        })
        link.on('lost', (_end, delay) => pauses.push(delay))
        link.on('failed', (_error, delay) => pauses.push(delay))
        silence(it)
        await link.closed
        for (const [index, pause] of pauses.entries()) {
          const middle = Math.min(1000 * 2 ** index, 60_000)
          expect(pause, `pause ${index}`).toBeGreaterThanOrEqual(middle / 2)
          expect(pause, `pause ${index}`).toBeLessThan(middle * 1.5)
        }
        expect(pauses.length).toBe(12)
      },
      QUICK,
    ))
})

describe('a connection that is closed is not dialled again', () => {
  const ends: readonly [
    string,
    (it: Face, link: ReconnectingConnection, theirs: Connection) => Promise<void>,
    ConnectionEnd['by'],
  ][] = [
    ['by the other end', async (_it, _link, theirs) => theirs.close({ code: 5 }), 'remote'],
    ['when the other peer closes', async (it) => it.bob.close(), 'remote'],
    ['by its handle', async (_it, link) => link.close({ code: 5 }), 'local'],
    ['by the handle of the connection', async (_it, link) => link.current?.close(), 'local'],
    ['when its peer closes', async (it) => it.alice.close(), 'local'],
  ]
  test.each(ends)('%s', (_what, end, by) =>
    face('closed', async (it) => {
      const link = await it.alice.connect(it.bob.ticket, { reconnect: true })
      const happened = noted(link)
      const theirs = await take(it.bob.incoming)
      await end(it, link, theirs)
      expect((await link.closed).by).toBe(by)
      await wait(it, 600_000)
      expect([happened, link.current, await stateOf(it.bob.incoming.next())]).toEqual([
        [`close ${by}`],
        undefined,
        it.bob.inspect().relays.length === 0 ? 'done' : expect.stringMatching(/pending|done/),
      ])
    }),
  )

  test('by a signal, at any time: with a connection, in a pause, in a dial', () =>
    face(
      'signal',
      async (it) => {
        for (const after of [0, 7000, 8500]) {
          const control = new AbortController()
          const link = await it.alice.connect(it.bob.ticket, { via: 'direct', signal: control.signal, reconnect: true })
          const back = silence(it)
          await wait(it, after)
          control.abort()
          await link.closed
          back()
          expect([link.current, link.end?.by], `${after}`).toEqual([undefined, expect.stringMatching(/local|failure/)])
          await wait(it, 120_000)
          expect(it.alice.inspect()).toMatchObject({ dials: [], connections: [] })
        }
      },
      QUICK,
    ))

  test('when its peer closes in a pause: nothing is left behind', () =>
    face(
      'peer closes',
      async (it) => {
        const link = await it.alice.connect(it.bob.ticket, { via: 'direct', reconnect: true })
        const lost = new Promise<void>((resolve) => link.on('lost', () => resolve()))
        silence(it)
        await lost
        await it.alice.close()
        expect((await link.closed).by).toBe('local')
      },
      QUICK,
    ))
})

test('a first dial that fails is not repeated', () =>
  face('first', async (it) => {
    silence(it)
    const dial = it.alice.connect(it.bob.ticket, { via: 'direct', timeout: 3000, reconnect: true })
    expect(codeOf(await failureOf(dial))).toMatch(/ERR_TIMEOUT|ERR_CONNECT_FAILED/)
    expect(it.alice.inspect().dials).toEqual([])
  }))

test.each([
  ['no', { reconnect: false }],
  ['a number', { reconnect: 3 }],
  ['none', { reconnect: { attempts: 0 } }],
  ['another key', { reconnect: { tries: 3 } }],
  ['early data', { reconnect: true, early: Uint8Array.of(1) }],
])('options are checked: %s', (_what, options) =>
  face('options', async (it) => {
    expect((await failureOf(it.alice.connect(it.bob.ticket, options as never))).code).toBe('ERR_BAD_ARGUMENT')
  }),
)
