import { Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { Relay } from '@showchain/server/runtime'
import { describe, expect, test } from 'vitest'
import { Internet, nat } from '../../src/index.ts'
import { bytesOf, connect, face, failureOf, readAll, stateOf, streamOf, take, textOf, wait } from './bed.ts'

describe('a peer', () => {
  test('is reached by its ticket, and both ends know the other and who called', () =>
    face('ticket', async (it) => {
      const [ours, theirs] = await connect(it)
      expect([ours.remoteId, theirs.remoteId]).toEqual([it.bob.id, it.alice.id])
      expect([ours.incoming, theirs.incoming]).toEqual([false, true])
      expect([ours.protected, theirs.protected]).toEqual([true, true])
    }))

  test('connects through the relay while nothing else works, and moves to a direct path when one does', () =>
    Internet.run('move', { latency: duration(20) }, async (internet) => {
      const relay = await internet.relay()
      const alice = await internet.peer({ name: 'alice', behind: nat.T3() })
      const bob = await internet.peer({ name: 'bob', behind: nat.T2() })
      const { network } = internet.sim
      network.filter = ({ source, destination }) => relay.ips.includes(source.ip) || relay.ips.includes(destination.ip)
      const connection = await alice.connect(bob.ticket)
      const path = connection.path
      const moves: string[] = []
      connection.on('path', ({ kind }) => moves.push(kind))
      network.filter = undefined
      internet.until(() => connection.path.kind === 'direct')
      expect([path, moves]).toMatchObject([{ kind: 'relay', relay: relay.identity.id }, ['direct']])
      expect(connection.statistics?.path).toEqual(connection.path)
    }))

  test('that comes to another network registers anew within a second, and keeps its connections', () =>
    Internet.run('another network', { latency: duration(10) }, async (internet) => {
      await internet.relay()
      const host = internet.host('alice', { behind: internet.router({ nat: nat.T3() }) })
      const alice = await internet.peer({ name: 'alice', host })
      const bob = await internet.peer({ name: 'bob', behind: nat.T3() })
      const connection = await alice.connect(bob.ticket)
      const theirs = await take(bob.incoming)
      await internet.wait(duration(20_000))
      const seen = new Promise<string | undefined>((resolve) => {
        alice.on('relay', ({ observed }) => resolve(observed?.ip))
      })
      const cafe = internet.router({ nat: nat.T3(), lan: '10.7.0' })
      internet.move(host, cafe)
      const moved = internet.sim.clock.now()
      expect(cafe.ips).toContain(await seen)
      expect(internet.sim.clock.now() - moved).toBeLessThanOrEqual(1100)
      const stream = await connection.openStream()
      await stream.write(bytesOf('from the café'))
      const arrived = await take(theirs.streams)
      expect(textOf(await arrived.read())).toBe('from the café')
    }))

  test('registers with a relay of the public API, and both close without leaving anything', () =>
    Internet.run('public relay', { latency: duration(10) }, async (internet) => {
      const place = (name: string) => {
        const host = internet.host(name)
        return { host, identity: internet.sim.identity(name), runtime: internet.runtime(host) }
      }
      const [at, here, there] = [place('relay'), place('alice'), place('bob')]
      const { identity, runtime } = at
      const relay = await Relay.open({ identity, runtime, listen: [{ host: '0.0.0.0', port: 3478 }] })
      const open = (own: typeof at) =>
        Peer.open({ identity: own.identity, runtime: own.runtime, relays: [relay.ticket] })
      const [alice, bob] = [await open(here), await open(there)]
      await Promise.all([alice.registered(), bob.registered()])
      const connection = await alice.connect(bob.ticket, { via: 'relay-only' })
      expect(connection.path).toMatchObject({ kind: 'relay', relay: relay.id })
      await Promise.all([alice.close(), bob.close(), relay.drain()])
      expect([at, here, there].map(({ host }) => host.openSockets)).toEqual([0, 0, 0])
    }))

  test('carries two connections to two peers, each for itself', () =>
    face('two connections', async (it) => {
      const carol = await it.internet.peer({ name: 'carol' })
      const toBob = await connect(it)
      const toCarol = await connect({ ...it, bob: carol })
      const [, atBob] = await streamOf(toBob, bytesOf('for Bob'))
      const [ours, atCarol] = await streamOf(toCarol, bytesOf('for Carol'))
      expect([textOf(await atBob.read()), textOf(await atCarol.read())]).toEqual(['for Bob', 'for Carol'])
      await toBob[0].close()
      await atCarol.write(bytesOf('still here'))
      expect([textOf(await ours.read()), toBob[0].closedBecause === undefined]).toEqual(['still here', false])
    }))

  test('tells of its relay when it is registered, when it is lost, and no longer once the listener is removed', () =>
    face('relay events', async (it) => {
      const states: string[] = []
      const off = it.alice.on('relay', ({ state }) => states.push(state))
      await it.relay.kill()
      await wait(it, 120_000)
      it.relay.start()
      await wait(it, 120_000)
      off()
      await it.relay.kill()
      await wait(it, 120_000)
      expect([states[0], states.at(-1)]).toEqual(['lost', 'registered'])
    }))
})

test('the same seed gives the same timeline, though applications await', async () => {
  const play = async (): Promise<string> => {
    let timeline = ''
    await face(
      'repeated',
      async (it) => {
        const connections = await connect(it)
        const streams = await Promise.all([streamOf(connections), streamOf(connections)])
        await Promise.all(streams.map(([ours]) => ours.end()))
        await Promise.all(streams.map(([, theirs]) => readAll(theirs)))
        timeline = it.internet.timeline()
      },
      { conditions: { loss: 0.1, jitter: duration(20) } },
    )
    return timeline
  }
  const [first, second] = [await play(), await play()]
  expect(first.split('\n').length).toBeGreaterThan(50)
  expect(second).toBe(first)
})

test.each([
  ['direct', 'smaller', 20, 40],
  ['direct', 'larger', 20, 40],
  ['relay-only', 'smaller', 40, 80],
  ['relay-only', 'larger', 40, 80],
] as const)(
  'connect() by %s from the %s id resolves after %i ms; the first record of the other end is there after %i',
  (via, id, resolved, proven) =>
    face('who agrees', async (it) => {
      const { sim } = it.internet
      const [smaller, larger] = it.alice.id < it.bob.id ? [it.alice, it.bob] : [it.bob, it.alice]
      const [from, to] = id === 'smaller' ? [smaller, larger] : [larger, smaller]
      const began = sim.clock.now()
      const connection = await from.connect(to.ticket, { via })
      const at = sim.clock.now() - began
      const came = (): number => {
        const { direct, relay } = connection.statistics ?? {}
        return (direct?.received ?? 0) + (relay?.received ?? 0)
      }
      while (came() === 0) await wait(it, 1)
      // The next look is a millisecond later.
      expect([at, Math.floor((sim.clock.now() - began) / 10) * 10]).toEqual([resolved, proven])
    }),
)

describe('who may connect', () => {
  test.each([
    ['nobody', 'nobody' as const],
    ['an empty list', []],
    ['a callback that says no', () => false],
    [
      'a callback that throws',
      () => {
        throw new Error('the application failed')
      },
    ],
    ['a callback that is rejected', () => Promise.reject(new Error('the application failed'))],
  ])('%s: the dial fails as with an absent peer, and no connection comes in', (name, accept) =>
    face(
      `refused: ${name}`,
      async (it) => {
        const { code } = await failureOf(it.alice.connect(it.bob.ticket))
        expect([code, await stateOf(it.bob.incoming.next())]).toEqual(['ERR_CONNECT_FAILED', 'pending'])
      },
      { bob: { accept } },
    ),
  )

  test('a callback that agrees later, and is asked for the id of the caller', async () => {
    const asked: string[] = []
    const later = { decide: (_allowed: boolean): void => {} }
    const accept = ({ id }: { id: string }): Promise<boolean> => {
      asked.push(id)
      return new Promise((resolve) => {
        later.decide = resolve
      })
    }
    await face(
      'asked',
      async (it) => {
        const connecting = it.alice.connect(it.bob.ticket)
        await wait(it, 1000)
        expect(await stateOf(connecting)).toBe('pending')
        later.decide(true)
        const { remoteId } = await connecting
        expect([remoteId, new Set(asked)]).toEqual([it.bob.id, new Set([it.alice.id])])
      },
      { bob: { accept } },
    )
  })
})

describe('options that cannot be', () => {
  test('a relay with the identity of the peer itself is refused', () =>
    Internet.run('own relay', {}, async (internet) => {
      const relay = await internet.relay({ name: 'relay' })
      await expect(internet.peer({ name: 'relay', host: internet.host('elsewhere'), relays: [relay] })).rejects.toThrow(
        "It is this peer's own",
      )
    }))

  test('a ticket of the peer itself, and text that is no ticket, are refused', () =>
    face('own ticket', async ({ alice }) => {
      const errors = await Promise.all([alice.ticket, 'showchain:nonsense'].map((to) => failureOf(alice.connect(to))))
      expect(errors.map(({ code }) => code)).toEqual(['ERR_BAD_TICKET', 'ERR_BAD_TICKET'])
    }))

  test('a way that the ticket does not offer fails at once', () =>
    face('no path', async ({ alice, bob, internet }) => {
      const started = internet.sim.clock.now()
      const [relays] = [bob.ticket.replace(/&?addr=[^&]*/g, '')]
      const { code } = await failureOf(alice.connect(relays, { via: 'direct' }))
      expect([code, internet.sim.clock.now() - started]).toEqual(['ERR_NO_PATH', 0])
    }))
})

describe('closing a peer', () => {
  test('ends the iteration over its incoming connections', () =>
    face('incoming ends', async ({ alice }) => {
      const waiting = alice.incoming.next()
      await alice.close()
      expect([(await waiting).done, (await alice.incoming.next()).done]).toEqual([true, true])
    }))

  test('closes every connection at both ends', () =>
    face('close all', async (it) => {
      const [ours, theirs] = await connect(it)
      const reasons: string[] = []
      for (const each of [ours, theirs]) each.on('close', (reason) => reasons.push(reason))
      await it.alice.close()
      await wait(it, 1000)
      expect([reasons.length, ours.closedBecause, theirs.closedBecause]).toEqual([2, ...reasons])
    }))

  test('fails what is under way and what comes later, and closing twice is closing once', () =>
    face('closed', async (it) => {
      const { ticket } = it.bob
      const dave = await it.internet.peer({ name: 'dave', relays: [] })
      const called = await it.internet.peer({ name: 'called', relays: [], accept: 'nobody' })
      const pending = [dave.connect(called.ticket), dave.connect(called.ticket)].map(failureOf)
      await wait(it, 100)
      pending.push(failureOf(dave.connect(ticket)))
      await dave.close()
      await dave.close()
      const errors = await Promise.all([...pending, failureOf(dave.connect(ticket)), failureOf(dave.registered())])
      expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('ERR_CLOSED'))
    }))

  test('fails a pending registered()', () =>
    face('closed while registering', async (it) => {
      const { ticket } = it.relay
      await it.relay.kill()
      const runtime = it.internet.runtime(it.internet.host('dave'))
      const dave = await Peer.open({ identity: it.internet.sim.identity('dave'), relays: [ticket], runtime })
      const registering = failureOf(dave.registered())
      await wait(it, 100)
      await dave.close()
      expect((await registering).code).toBe('ERR_CLOSED')
    }))

  test('happens at the end of the block that uses it', () =>
    face('using', async (it) => {
      const host = it.internet.host('short-lived')
      {
        await using dave = await Peer.open({
          identity: it.internet.sim.identity('dave'),
          runtime: it.internet.runtime(host),
        })
        await using connection = await dave.connect(it.bob.ticket)
        expect([connection.closedBecause, host.openSockets]).toEqual([undefined, 1])
      }
      expect(host.openSockets).toBe(0)
      const theirs = await take(it.bob.incoming)
      await wait(it, 1000)
      expect(theirs.closedBecause).toBeDefined()
    }))

  test('leaves what a stream acknowledged before readable at the remote peer', () =>
    face('goodbye', async (it) => {
      const connections = await connect(it)
      const [ours, theirs] = await streamOf(connections)
      const reading = readAll(theirs)
      await ours.end()
      await it.alice.close()
      expect(textOf(await reading)).toBe('first')
    }))
})

describe('a dial that failed', () => {
  test('leaves no lines for the timeline of the next connection to that peer', async () => {
    let present = false
    await face(
      'notes',
      async (it) => {
        const { code } = await failureOf(it.alice.connect(it.bob.ticket))
        const failed = it.internet.sim.clock.unixMs()
        await wait(it, 60_000)
        present = true
        const { timeline } = await it.alice.connect(it.bob.ticket)
        expect([code, timeline.filter(({ at }) => at <= failed)]).toEqual(['ERR_CONNECT_FAILED', []])
        expect(timeline.length).toBeGreaterThan(0)
      },
      { bob: { accept: () => present } },
    )
  })
})
