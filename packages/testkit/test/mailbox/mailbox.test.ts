/** Peers, their relay and its mailbox on the simulated internet: codes as applications use them. */
import type { Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { type CodeOffer, type MailboxOptions, mailboxOf, offerCode, takeCode } from '@showchain/mailbox'
import { Mailbox, type ServeOptions } from '@showchain/mailbox/server'
import { parseTicket, ShowchainError, type Ticket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimRelay } from '../../src/index.ts'

interface Place {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly mailbox: Mailbox
  /** The mailbox's own peer. */
  readonly peer: Peer
  readonly at: Ticket
  readonly options: MailboxOptions
  readonly alice: Peer
  readonly bob: Peer
  offer(options?: MailboxOptions): Promise<CodeOffer>
  take(code: string, options?: MailboxOptions): Promise<Ticket>
}

/** Alice and Bob behind NATs of their own, and a relay with a mailbox. */
async function place(seed: string, scenario: (place: Place) => Promise<void>, serve: ServeOptions = {}): Promise<void> {
  await Internet.run(seed, { latency: duration(20) }, async (internet) => {
    const relay = await internet.relay()
    const runtime = internet.runtime(internet.host('a clock'))
    const peer = await internet.peer({ name: 'mailbox', policy: 'relay-only', idleTimeout: 30_000 })
    const mailbox = Mailbox.serve(peer, { clock: runtime.clock, ...serve })
    const at = mailboxOf({ ...parseTicket(relay.ticket), mailbox: mailbox.id }) as Ticket
    const alice = await internet.peer({ name: 'alice', behind: nat.T3() })
    const bob = await internet.peer({ name: 'bob', behind: nat.T3() })
    const options = { runtime }
    await scenario({
      ...{ internet, relay, mailbox, peer, at, options, alice, bob },
      offer: (more = {}) => offerCode(alice, at, { ...options, ...more }),
      take: (code, more = {}) => takeCode(bob, at, code, { ...options, ...more }),
    })
  })
}

const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof ShowchainError ? error.code : String(error)),
  )
/** The same slot with other words. */
const wrong = (code: string): string => code.replace(/-.*/, code.includes('abandon') ? '-zoo-zone' : '-abandon-ability')

test('a relay without a mailbox has none', () => {
  const { relay } = { relay: parseTicket(`showchain:${'A'.repeat(43)}?addr=192.0.2.1:4400`) }
  expect(mailboxOf(relay)).toBeUndefined()
})

describe('two peers with the same code', () => {
  test("have each other's tickets, and connect by them", () =>
    place('right', async ({ offer, take, alice, bob, mailbox }) => {
      await using offered = await offer()
      expect(offered.code).toMatch(/^1-[a-z]+-[a-z]+$/)
      expect(offered.lifetime).toBe(600_000)
      const ticket = await take(offered.code.toUpperCase())
      expect(ticket.id).toBe(alice.id)
      expect((await offered.taken).id).toBe(bob.id)
      expect((await bob.connect(ticket)).remoteId).toBe(alice.id)
      expect(mailbox.counters()).toMatchObject({ runsDone: 1, runsWrong: 0 })
    }))

  test('know each other before one of them can connect', () =>
    place('door', async ({ internet, at, options, take, bob }) => {
      const allowed = new Set<string>()
      const carol = await internet.peer({ name: 'carol', behind: nat.T3(), accept: ({ id }) => allowed.has(id) })
      const offered = await offerCode(carol, at, options)
      void offered.taken.then(({ id }) => allowed.add(id))
      const connection = await bob.connect(await take(offered.code), { timeout: 2000 })
      expect(connection.remoteId).toBe(carol.id)
    }))

  test('do not tell the mailbox where they are', () =>
    place('hidden', async ({ offer, take, peer, alice, bob }) => {
      const offered = await offer()
      const running = take(offered.code)
      await offered.taken
      const at = peer.inspect().connections.flatMap(({ remoteId, paths }) => paths.map(({ kind }) => [remoteId, kind]))
      expect(at.length).toBeGreaterThan(0)
      for (const [, kind] of at) expect(kind).toBe('relay')
      await running
      expect(new Set([alice.id, bob.id]).size).toBe(2)
    }))

  test('may give other tickets than their own', () =>
    place('other tickets', async ({ offer, take, alice }) => {
      const bare = `showchain:${alice.id}`
      const offered = await offer({ ticket: () => bare })
      expect(await take(offered.code)).toEqual(parseTicket(bare))
    }))
})

describe('a wrong code', () => {
  test('is told to both ends, and cannot be tried again', () =>
    place('wrong', async ({ offer, take, mailbox }) => {
      const offered = await offer()
      expect(await failureOf(take(wrong(offered.code)))).toBe('ERR_CODE_WRONG')
      expect(await failureOf(offered.taken)).toBe('ERR_CODE_WRONG')
      expect(await failureOf(take(offered.code))).toBe('ERR_CODE_UNKNOWN')
      expect(mailbox.counters()).toMatchObject({ runsDone: 0, runsWrong: 1 })
    }))

  test('with a word that there is not does not spend the right one', () =>
    place('typed wrong', async ({ offer, take, alice }) => {
      const offered = await offer()
      expect(await failureOf(take(`${offered.code}x`.replace(/-\w+x$/, '-velvat')))).toBe('ERR_BAD_CODE')
      expect((await take(offered.code)).id).toBe(alice.id)
    }))
})

describe('a code ends', () => {
  test('after ten minutes', () =>
    place('expired', async ({ internet, offer, take }) => {
      const offered = await offer()
      const failure = failureOf(offered.taken)
      await internet.wait(duration(601_000))
      expect(await failure).toBe('ERR_CODE_EXPIRED')
      expect(await failureOf(take(offered.code))).toBe('ERR_CODE_UNKNOWN')
    }))

  test('when its offer is closed, and leaves the slot free', () =>
    place('closed', async ({ internet, offer, take, mailbox }) => {
      const offered = await offer()
      await offered.close()
      await internet.wait(duration(1000))
      expect(mailbox.stats()).toMatchObject({ clients: 0, slots: 0, connections: 0 })
      expect(await failureOf(take(offered.code))).toBe('ERR_CODE_UNKNOWN')
    }))

  test('by a signal', () =>
    place('signal', async ({ internet, offer, mailbox }) => {
      const controller = new AbortController()
      const offered = await offer({ signal: controller.signal })
      controller.abort()
      expect(await failureOf(offered.taken)).toBe('ERR_ABORTED')
      await internet.wait(duration(1000))
      expect(mailbox.stats()).toMatchObject({ clients: 0, slots: 0 })
    }))

  test('when its peer dies, as soon as the mailbox notices', () =>
    place('dead', async ({ internet, offer, mailbox }) => {
      const offered = await offer()
      // Alice's router is off.
      internet.sim.network.filter = (_packet, { name }) => name !== 'router1' && name !== 'alice'
      await internet.wait(duration(31_000))
      expect(mailbox.stats()).toMatchObject({ clients: 0, slots: 0, connections: 0 })
      expect(mailbox.counters()).toMatchObject({ slotsLeft: 1 })
      await offered.close()
      expect(await failureOf(offered.taken)).toMatch(/^ERR_/)
    }))

  test('when the mailbox goes, at both ends', () =>
    place('going', async ({ internet, offer, take, mailbox }) => {
      const offered = await offer()
      await mailbox.close()
      expect(await failureOf(offered.taken)).toBe('ERR_MAILBOX_FAILED')
      await internet.wait(duration(1000))
      expect(await failureOf(take(offered.code, { timeout: 5000 }))).toMatch(/ERR_CONNECT_FAILED|ERR_TIMEOUT/)
    }))

  test('when the mailbox dies', () =>
    place('died', async ({ internet, offer, relay }) => {
      const offered = await offer()
      const failure = failureOf(offered.taken)
      internet.sim.network.filter = (_packet, { name }) => name !== relay.host.name && name !== 'mailbox'
      await internet.wait(duration(301_000))
      expect(await failure).toBe('ERR_MAILBOX_FAILED')
    }))

  test('when the one who came leaves in the middle', () =>
    place('left', async ({ offer, at, bob }) => {
      const offered = await offer()
      const connection = await bob.connect(at, { via: 'relay-only' })
      const stream = await connection.openStream()
      await stream.write(Uint8Array.of(1, 2, 0, 4, 0, 0, 0, 1))
      await stream.read()
      await connection.close()
      expect(await failureOf(offered.taken)).toBe('ERR_CODE_SPENT')
    }))
})

describe('a mailbox', () => {
  test('refuses a source that comes too often, whatever its id', () =>
    place(
      'often',
      async ({ take }) => {
        const failures: string[] = []
        for (let count = 0; count < 21; count++) failures.push(await failureOf(take('9-abandon-ability')))
        expect(failures.filter((code) => code === 'ERR_CODE_UNKNOWN').length).toBeGreaterThanOrEqual(20)
        expect(failures.at(-1)).toBe('ERR_MAILBOX_BUSY')
      },
      // As fast as it can: no time passes for the rate.
      { sourceOf: () => 'one address' },
    ))

  test('closes a connection that asks for nothing', () =>
    place('idle', async ({ internet, at, bob, mailbox }) => {
      const connection = await bob.connect(at, { via: 'relay-only' })
      await internet.wait(duration(11_000))
      expect(connection.end?.by).toBe('remote')
      expect(mailbox.stats().connections).toBe(0)
    }))

  test('has 8 streams on a connection', () =>
    place('streams', async ({ internet, at, bob }) => {
      const connection = await bob.connect(at, { via: 'relay-only' })
      const open = async (): Promise<void> => (await connection.openStream()).write(Uint8Array.of(1))
      for (let count = 0; count < 8; count++) await open()
      await internet.wait(duration(1000))
      expect(connection.end).toBeUndefined()
      await open()
      await internet.wait(duration(1000))
      expect(connection.end).toMatchObject({ by: 'remote', code: 2 })
    }))

  test('has 64 connections of one source, whatever their ids', () =>
    place(
      'connections',
      async ({ internet, relay, at, mailbox, options }) => {
        const peers: Peer[] = []
        for (let count = 0; count <= 64; count++)
          peers.push(await internet.peer({ name: `peer ${count}`, relays: [relay] }))
        const connections = await Promise.all(peers.map((peer) => peer.connect(at, { via: 'relay-only' })))
        for (const connection of connections) void connection.openStream().catch(() => {})
        await internet.wait(duration(1000))
        expect(connections.filter(({ end }) => end?.by === 'remote' && end.code === 2)).toHaveLength(1)
        const late = await internet.peer({ name: 'late', relays: [relay] })
        expect(await failureOf(offerCode(late, at, options))).toBe('ERR_MAILBOX_BUSY')
        expect(mailbox.stats().connections).toBe(64)
      },
      { sourceOf: () => 'one address' },
    ))
})
