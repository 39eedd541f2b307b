import { getEventListeners } from 'node:events'
import { Peer, type WaitOptions } from '@showchain/client'
import { describe, expect, test } from 'vitest'
import { connect, type Face, face, failureOf, stateOf, wait } from './bed.ts'

/** What is waited for, in a situation in which it never comes, and the error at its deadline. */
const WAITS: readonly (readonly [
  name: string,
  prepare: (it: Face) => Promise<(options?: WaitOptions) => Promise<unknown>>,
  code: string,
])[] = [
  [
    'registered()',
    async ({ internet, relay }) => {
      const { ticket } = relay
      await relay.kill()
      const host = internet.host('carol')
      const carol = await Peer.open({
        ...{ identity: internet.sim.identity('carol'), runtime: internet.runtime(host) },
        relays: [ticket],
      })
      return (options) => carol.registered(options).finally(() => carol.close())
    },
    'ERR_TIMEOUT',
  ],
  [
    'connect()',
    async ({ alice, bob }) => {
      const { ticket } = bob
      await bob.close()
      return (options) => alice.connect(ticket, options)
    },
    'ERR_CONNECT_FAILED',
  ],
  [
    'openStream()',
    async (it) => {
      const [ours] = await connect(it)
      for (let opened = 0; opened < 256; opened++) await ours.openStream()
      return (options) => ours.openStream(options)
    },
    'ERR_TIMEOUT',
  ],
]

describe.each(WAITS)('%s', (name, prepare, code) => {
  test('fails at its deadline and not before', () =>
    face(`${name} deadline`, async (it) => {
      const start = await prepare(it)
      const { clock } = it.internet.sim
      const started = clock.now()
      const failure = failureOf(start({ timeout: 800 }))
      await wait(it, 799)
      expect(await stateOf(failure)).toBe('pending')
      expect([(await failure).code, clock.now() - started]).toEqual([code, 800])
    }))

  test('fails at once when its signal was aborted before, and sends nothing', () =>
    face(`${name} aborted before`, async (it) => {
      const start = await prepare(it)
      await wait(it, 100)
      const { clock, timeline } = it.internet.sim
      const [started, packets] = [clock.now(), timeline.entries.length]
      const { code: found, cause } = await failureOf(start({ signal: AbortSignal.abort('no more') }))
      expect([found, cause, clock.now() - started]).toEqual(['ERR_ABORTED', 'no more', 0])
      expect(timeline.entries.length).toBe(packets)
    }))

  test('fails at the moment when its signal is aborted, and forgets the signal', () =>
    face(`${name} aborted`, async (it) => {
      const start = await prepare(it)
      const { clock } = it.internet.sim
      const application = new AbortController()
      const failure = failureOf(start({ signal: application.signal }))
      await wait(it, 300)
      const before = await stateOf(failure)
      application.abort('no more')
      const aborted = clock.now()
      const { code: found, cause } = await failure
      expect([before, found, cause, clock.now() - aborted]).toEqual(['pending', 'ERR_ABORTED', 'no more', 0])
      expect(getEventListeners(application.signal, 'abort')).toEqual([])
    }))
})

test('25 s is the deadline where none is given', () =>
  face('default deadline', async (it) => {
    const [ours] = await connect(it)
    for (let opened = 0; opened < 256; opened++) await ours.openStream()
    const started = it.internet.sim.clock.now()
    const { code } = await failureOf(ours.openStream())
    expect([code, it.internet.sim.clock.now() - started]).toEqual(['ERR_TIMEOUT', 25_000])
  }))

test('what succeeds forgets its deadline and its signal', () =>
  face('success', async (it) => {
    const { signal } = new AbortController()
    const connecting = it.alice.connect(it.bob.ticket, { signal, timeout: 10_000 })
    const connection = await connecting
    await connection.openStream({ signal, timeout: 10_000 })
    await it.alice.registered({ signal, timeout: 10_000 })
    await wait(it, 20_000)
    expect([connection.closedBecause, getEventListeners(signal, 'abort')]).toEqual([undefined, []])
  }))

test('a dial that was aborted sends nothing more', () =>
  face('aborted dial', async (it) => {
    const { ticket } = it.bob
    const [there] = it.bob.addresses
    await it.bob.close()
    const application = new AbortController()
    const failure = failureOf(it.alice.connect(ticket, { via: 'direct', signal: application.signal }))
    await wait(it, 700)
    application.abort()
    await failure
    const sent = (): number =>
      it.internet.sim.timeline.entries.filter(
        (entry) => entry.type === 'packet' && entry.from === 'alice' && entry.packet.destination.ip === there?.ip,
      ).length
    const before = sent()
    await wait(it, 60_000)
    expect([before > 0, sent()]).toEqual([true, before])
  }))

test('a dial that ran out of time says what was tried', () =>
  face('tried', async (it) => {
    const { ticket } = it.bob
    await it.bob.close()
    const { message } = await failureOf(it.alice.connect(ticket, { timeout: 1000 }))
    expect(message).toMatch(/direct by .*; punch by .*; relay by /)
    expect(message).toContain('timed out or cancelled')
  }))
