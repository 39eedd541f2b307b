/** One rule for the signal and the options of every call that waits. */
import { getEventListeners } from 'node:events'
import { Peer } from '@showchain/client'
import type { CountedSocket } from '@showchain/client/runtime'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  codeOf,
  connect,
  contents,
  type Face,
  face,
  failureOf,
  readAll,
  stateOf,
  streamOf,
  textOf,
  wait,
} from './bed.ts'

type Start = (options?: { signal?: AbortSignal }) => Promise<unknown>

interface Call {
  readonly name: string
  /** What it would do at once. */
  readonly ready: (it: Face) => Promise<Start>
  /** What never comes. */
  readonly pending: (it: Face) => Promise<Start>
  readonly plaintext?: true
}

/** More than a stream's send buffer and window take. */
const MUCH = 4 * 1024 * 1024

const opening = (it: Face, hang: boolean): Start => {
  const runtime = it.internet.runtime(it.internet.host('carol'))
  const openSocket = hang ? (): Promise<CountedSocket> => new Promise(() => {}) : runtime.openSocket
  const identity = it.internet.sim.identity('carol')
  return (options) => Peer.open({ identity, runtime: { ...runtime, openSocket } }, options).then((peer) => peer.close())
}

const CALLS: readonly Call[] = [
  {
    name: 'Peer.open',
    ready: async (it) => opening(it, false),
    pending: async (it) => opening(it, true),
  },
  {
    name: 'peer.registered',
    ready:
      async ({ alice }) =>
      (options) =>
        alice.registered(options),
    pending: async ({ internet, relay }) => {
      const { ticket } = relay
      await relay.kill()
      const runtime = internet.runtime(internet.host('carol'))
      const carol = await Peer.open({ identity: internet.sim.identity('carol'), runtime, relays: [ticket] })
      return (options) => carol.registered(options).finally(() => carol.close())
    },
  },
  {
    name: 'peer.connect',
    ready:
      async ({ alice, bob }) =>
      (options) =>
        alice.connect(bob.ticket, options),
    pending: async ({ alice, bob }) => {
      const { ticket } = bob
      await bob.close()
      return (options) => alice.connect(ticket, options)
    },
  },
  {
    name: 'connection.openStream',
    ready: async (it) => {
      const [ours] = await connect(it)
      return (options) => ours.openStream(options)
    },
    pending: async (it) => {
      const [ours] = await connect(it)
      for (let opened = 0; opened < 256; opened++) await ours.openStream()
      return (options) => ours.openStream(options)
    },
  },
  {
    name: 'connection.sendDatagram',
    plaintext: true,
    ready: async (it) => {
      const [ours] = await connect(it)
      return (options) => ours.sendDatagram(bytesOf('datagram'), options)
    },
    pending: async (it) => {
      const [ours] = await connect(it)
      it.internet.sim.network.filter = () => false
      return (options) => ours.sendDatagram(bytesOf('datagram'), options)
    },
  },
  {
    name: 'stream.read',
    ready: async (it) => {
      const [, theirs] = await streamOf(await connect(it), bytesOf('first'))
      return (options) => theirs.read(options)
    },
    pending: async (it) => {
      const [ours] = await streamOf(await connect(it))
      return (options) => ours.read(options)
    },
  },
  {
    name: 'stream.write',
    ready: async (it) => {
      const [ours] = await streamOf(await connect(it))
      return (options) => ours.write(bytesOf('more'), options)
    },
    pending: async (it) => {
      const [ours] = await streamOf(await connect(it))
      return (options) => ours.write(contents(MUCH), options)
    },
  },
  {
    name: 'stream.end',
    ready: async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      // Where it is not ended, the connection's end ends it.
      readAll(theirs).catch(() => {})
      return (options) => ours.end(options)
    },
    pending: async (it) => {
      const [ours] = await streamOf(await connect(it))
      it.internet.sim.network.filter = () => false
      return (options) => ours.end(options)
    },
  },
]

describe.each(CALLS)('$name', ({ name, ready, pending, plaintext = false }) => {
  const play = (what: string, prepare: Call['ready'], scenario: (it: Face, start: Start) => Promise<void>) =>
    face(`${name} ${what}`, async (it) => scenario(it, await prepare(it)), { both: { plaintext } })

  test.each([
    ['would succeed', ready],
    ['would wait', pending],
  ])('with a signal that was aborted before does nothing, where it %s', (what, prepare) =>
    play(`before ${what}`, prepare, async (it, start) => {
      await wait(it, 2000)
      const { clock, timeline } = it.internet.sim
      const [at, packets] = [clock.now(), timeline.entries.length]
      const { code, cause } = await failureOf(start({ signal: AbortSignal.abort('no more') }))
      expect([code, cause, clock.now(), timeline.entries.length]).toEqual(['ERR_ABORTED', 'no more', at, packets])
    }),
  )

  test('ends its wait at the moment when its signal is aborted, and forgets the signal', () =>
    play('during', pending, async (it, start) => {
      const application = new AbortController()
      const failure = failureOf(start({ signal: application.signal }))
      await wait(it, 300)
      const before = await stateOf(failure)
      const at = it.internet.sim.clock.now()
      application.abort('no more')
      const { code, cause } = await failure
      expect([before, code, cause, it.internet.sim.clock.now() - at]).toEqual(['pending', 'ERR_ABORTED', 'no more', 0])
      expect(getEventListeners(application.signal, 'abort')).toEqual([])
    }))

  test('forgets its signal when it has succeeded: a later abort changes nothing', () =>
    play('after', ready, async (it, start) => {
      const application = new AbortController()
      const result = await start({ signal: application.signal })
      const listeners = getEventListeners(application.signal, 'abort')
      application.abort()
      await wait(it, 1000)
      const ended = typeof result === 'object' && result !== null && 'end' in result ? result.end : undefined
      expect([listeners, typeof ended === 'function' ? undefined : ended]).toEqual([[], undefined])
    }))

  test.each([
    ['null', null],
    ['text', 'signal'],
    ['an unknown key', { sginal: new AbortController().signal }],
    ['a signal that is none', { signal: 'abort' }],
    ['an AbortController for its signal', { signal: new AbortController() }],
    [
      'an object that throws when it is read',
      {
        get signal() {
          throw new Error('read')
        },
      },
    ],
  ])('refuses %s as options, and can be called again', (what, options) =>
    play(`options ${what}`, ready, async (_, start) => {
      const refused = await failureOf(start(options as object))
      expect([refused.code, await start().then(() => 'done', codeOf)]).toEqual(['ERR_BAD_ARGUMENT', 'done'])
    }),
  )
})

describe('options of calls', () => {
  test.each([
    [{ via: 'carrier pigeon' }, 'via'],
    [{ via: 7 }, 'via'],
    [{ via: 'relay' }, 'via'],
    [{ timeout: -1 }, 'timeout'],
    [{ timeout: Number.NaN }, 'timeout'],
    [{ timeout: Number.POSITIVE_INFINITY }, 'timeout'],
    [{ timeout: '5' }, 'timeout'],
    [{ priority: 1 }, 'priority'],
  ])('connect() refuses %j', (options, key) =>
    face(`connect ${JSON.stringify(options)}`, async ({ alice, bob }) => {
      const { code, message } = await failureOf(alice.connect(bob.ticket, options as object))
      expect([code, message.includes(key)]).toEqual(['ERR_BAD_ARGUMENT', true])
    }),
  )

  test.each([[{}], [42], [null], [undefined], [{ id: 'x', relays: [], addresses: [] }]])(
    'connect() refuses %j as a ticket',
    (to) =>
      face(`ticket ${JSON.stringify(to)}`, async ({ alice }) => {
        expect((await failureOf(alice.connect(to as string))).code).toBe('ERR_BAD_TICKET')
      }),
  )

  test.each([[{ priority: 'high' }], [{ priority: Number.NaN }], [{ timeout: -5 }], [{ via: 'auto' }]])(
    'openStream() refuses %j',
    (options) =>
      face(`openStream ${JSON.stringify(options)}`, async (it) => {
        const [ours] = await connect(it)
        expect((await failureOf(ours.openStream(options as object))).code).toBe('ERR_BAD_ARGUMENT')
      }),
  )

  test('Peer.open refuses an unknown key, and opens no socket', () =>
    face('open', async ({ internet }) => {
      const host = internet.host('carol')
      const options = { identity: internet.sim.identity('carol'), runtime: internet.runtime(host), realys: [] }
      const { code, message } = await failureOf(Peer.open(options as never))
      expect([code, message.includes('realys'), host.openSockets]).toEqual(['ERR_BAD_CONFIG', true, 0])
    }))

  test('on() refuses an event that there is not, and a listener that is no function', () =>
    face('on', async (it) => {
      const [ours] = await connect(it)
      const attempts = [
        () => it.alice.on('relays' as never, () => {}),
        () => it.alice.on('relay', undefined as never),
        () => ours.on('end' as never, () => {}),
        () => ours.on('close', {} as never),
        () => ours.on('toString' as never, () => {}),
      ]
      for (const attempt of attempts) {
        let caught: unknown
        try {
          attempt()
        } catch (error) {
          caught = error
        }
        expect(codeOf(caught)).toBe('ERR_BAD_ARGUMENT')
      }
    }))
})

describe('what was aborted loses nothing', () => {
  test('read: what comes is there for the next call', () =>
    face('read later', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it))
      const aborting = new AbortController()
      const aborted = failureOf(ours.read({ signal: aborting.signal }))
      aborting.abort()
      await aborted
      await theirs.write(bytesOf('later'))
      expect(textOf(await ours.read())).toBe('later')
    }))

  test('write and end: the bytes and the end arrive', () =>
    face('written', async (it) => {
      const [ours, theirs] = await streamOf(await connect(it), contents(1))
      const aborting = new AbortController()
      const written = failureOf(ours.write(contents(MUCH), { signal: aborting.signal }))
      await wait(it, 100)
      aborting.abort()
      expect((await written).code).toBe('ERR_ABORTED')
      const giving = new AbortController()
      const ended = failureOf(ours.end({ signal: giving.signal }))
      giving.abort()
      const all = await readAll(theirs)
      expect([all.length, (await ended).code]).toEqual([MUCH + 1, 'ERR_ABORTED'])
    }))

  test('a socket that was opened too late is closed', () =>
    face('late socket', async ({ internet }) => {
      const host = internet.host('carol')
      const runtime = internet.runtime(host)
      let open = (): void => {}
      const openSocket: typeof runtime.openSocket = (options) =>
        new Promise((resolve) => {
          open = () => resolve(runtime.openSocket(options))
        })
      const aborting = new AbortController()
      const identity = internet.sim.identity('carol')
      const failure = failureOf(
        Peer.open({ identity, runtime: { ...runtime, openSocket } }, { signal: aborting.signal }),
      )
      aborting.abort()
      expect((await failure).code).toBe('ERR_ABORTED')
      open()
      await wait({ internet } as Face, 1)
      expect(host.openSockets).toBe(0)
    }))
})
