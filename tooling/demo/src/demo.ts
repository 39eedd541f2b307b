/**
 * The demo: a relay and peers go through the seed's five sections; their messages are shown as they
 * are sent.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DialPolicy } from '@showchain/client'
import { generateIdentity, saveIdentity } from '@showchain/crypto'
import { formatEndpoint, OP, parseTicket } from '@showchain/wire'
import { type Expected, ObservedMessages } from './observed-messages.ts'
import { DemoPeer, endAll, startRelay } from './processes.ts'
import type { PeerReport } from './reports.ts'
import type { Row, Show } from './show.ts'

const FILE_BYTES = 1024 * 1024
const STREAM_BYTES = 16 * 1024 * 1024
/** In place of the default, 15 s, so that the demo takes seconds. */
const KEEP_ALIVE_MS = 600

export class Demo {
  readonly #show: Show
  readonly #rows: Row[] = []
  readonly #messages: ObservedMessages
  /** Has the key files. */
  #folder: string | undefined

  constructor(show: Show) {
    this.#show = show
    this.#messages = new ObservedMessages(show)
  }

  /** Runs every step; resolves to true when all of them succeeded. */
  async run(): Promise<boolean> {
    const started = performance.now()
    // Synchronously: `end` must know of the folder when a signal arrives.
    this.#folder = mkdtempSync(join(tmpdir(), 'showchain-demo-'))
    try {
      await this.#steps(this.#folder)
    } catch (error) {
      this.#rows.push({
        section: '',
        what: 'the demo',
        messages: 0,
        result: 'failed',
        detail: (error as Error).message,
      })
    } finally {
      await this.end()
    }
    const ok = this.#rows.every(({ result }) => result === 'ok')
    this.#show.summary(this.#rows, ok, (performance.now() - started) / 1000)
    return ok
  }

  /** Ends every process and removes the key files, at any step. */
  async end(): Promise<void> {
    await endAll()
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #steps(folder: string): Promise<void> {
    const [relayKey, aliceKey, bobKey] = await Promise.all(
      ['relay', 'alice', 'bob'].map((name) => makeKey(folder, name)),
    )
    const { pid, ticket: relay } = await startRelay(relayKey as string, (message) => this.#messages.add(message))
    const [address] = parseTicket(relay).addresses
    this.#messages.name(`${address?.host}:${address?.port}`, 'relay')
    const bob = this.#peer('bob')
    const alice = this.#peer('alice')
    this.#show.process('relay', pid)
    for (const { name, pid } of [alice, bob]) this.#show.process(name, pid)

    const ticket = await this.#step(
      '2',
      'UDP connect (direct): both register with the relay',
      [
        [OP.directRequest, 'bob', 'relay'],
        [OP.challenge, 'relay', 'bob'],
        [OP.directResponse, 'relay', 'bob'],
        [OP.directRequest, 'alice', 'relay'],
        [OP.challenge, 'relay', 'alice'],
        [OP.directResponse, 'relay', 'alice'],
      ],
      'the relay challenges each address before it binds it',
      async () => {
        for (const [peer, identity] of [
          [bob, bobKey],
          [alice, aliceKey],
        ] as const)
          peer.command({ type: 'open', identity: identity as string, relay, keepAlive: KEEP_ALIVE_MS, plaintext: true })
        await alice.next('registered')
        return (await bob.next('registered')).ticket
      },
    )

    await this.#step(
      '1',
      'UDP keep-alive',
      [
        [OP.keepAlive, 'alice', 'relay'],
        [OP.keepAlive, 'relay', 'alice'],
        [OP.keepAlive, 'bob', 'relay'],
        [OP.keepAlive, 'relay', 'bob'],
      ],
      `after ${KEEP_ALIVE_MS} ms without traffic; by default after 15 s`,
      async () => {},
    )

    await this.#step(
      '2',
      'UDP connect (direct): the ticket has the address of Bob',
      [
        [OP.directRequest, 'alice', 'bob'],
        [OP.challenge, 'bob', 'alice'],
        [OP.directResponse, 'bob', 'alice'],
      ],
      'no relay on the path',
      () => this.#connect(alice, bob, ticket, 'direct'),
    )
    await this.#hangUp(alice, bob)

    await this.#step(
      '3',
      'UDP connect (through NAT): rendezvous at the relay, then hole punching',
      [
        [OP.punchRequest, 'alice', 'relay'],
        [OP.punchPassRequest, 'relay', 'bob'],
        [OP.punchAck, 'bob', 'relay'],
        [OP.punchPassAck, 'relay', 'alice'],
        [OP.sameAddressResponse, 'relay', 'alice'],
        [OP.keepAlive, 'alice', 'bob'],
        [OP.keepAlive, 'bob', 'alice'],
        [OP.directRequest, 'alice', 'bob'],
        [OP.directResponse, 'bob', 'alice'],
        [OP.directRequest, 'bob', 'alice'],
        [OP.directResponse, 'alice', 'bob'],
      ],
      'both have the same public address, so the relay sends 0x113 too',
      () => this.#connect(alice, bob, withoutAddresses(ticket), 'punch'),
    )
    await this.#hangUp(alice, bob)

    await this.#step(
      '4',
      'UDP connect (proxy)',
      [
        [OP.proxyRequest, 'alice', 'relay'],
        [OP.proxyResponse, 'relay', 'alice'],
        [OP.proxyData, 'alice', 'relay'],
        [OP.proxyPassData, 'relay', 'bob'],
        [OP.proxyDataAck, 'bob', 'relay'],
        [OP.proxyDataAck, 'relay', 'alice'],
      ],
      'an empty message shows that the path works',
      () => this.#connect(alice, bob, withoutAddresses(ticket), 'relay-only'),
    )

    await this.#transfer(alice, bob)
    await this.#transfer(bob, alice)
    await this.#protected(folder, relay)
  }

  /**
   * The default of two peers: encrypted end to end, first through the relay, then on a direct path.
   */
  async #protected(folder: string, relay: string): Promise<void> {
    const [carol, dave] = [this.#peer('carol'), this.#peer('dave')]
    for (const { name, pid } of [carol, dave]) this.#show.process(name, pid)
    const hashes: string[] = []
    await this.#step(
      'ext',
      `End to end: ${STREAM_BYTES / 1024 / 1024} MiB on one stream of an encrypted connection`,
      [
        [OP.punchRequest, 'carol', 'relay'],
        [OP.punchPassRequest, 'relay', 'dave'],
        [OP.punchAck, 'dave', 'relay'],
        [OP.punchPassAck, 'relay', 'carol'],
      ],
      () => `SHA-256 ${hashes[0]?.slice(0, 16)}… at both peers`,
      async () => {
        for (const peer of [carol, dave]) {
          const identity = await makeKey(folder, peer.name)
          peer.command({ type: 'open', identity, relay, keepAlive: KEEP_ALIVE_MS, plaintext: false })
        }
        await carol.next('registered')
        const { ticket } = await dave.next('registered')
        await this.#connect(carol, dave, withoutAddresses(ticket), 'auto')
        carol.command({ type: 'sendFile', size: STREAM_BYTES })
        const { sha256 } = await carol.next('fileSent')
        const received = await dave.next('received')
        if (received.sha256 !== sha256) throw new Error('the received stream has a different SHA-256')
        hashes.push(sha256)
        this.#show.note(`carol: ${sha256}\n              dave: ${received.sha256}`)
      },
    )
  }

  async #transfer(from: DemoPeer, to: DemoPeer): Promise<void> {
    const hashes: string[] = []
    await this.#step(
      '5',
      `UDP send data (proxy): a 1 MiB file from ${from.name} to ${to.name}`,
      [
        [OP.proxyData, from.name, 'relay'],
        [OP.proxyPassData, 'relay', to.name],
        [OP.proxyDataAck, to.name, 'relay'],
        [OP.proxyDataAck, 'relay', from.name],
      ],
      () => `SHA-256 ${hashes[0]?.slice(0, 16)}… at both peers`,
      async () => {
        from.command({ type: 'sendFile', size: FILE_BYTES })
        const { sha256 } = await from.next('fileSent')
        const received = await to.next('received')
        if (received.sha256 !== sha256) throw new Error('the received file has a different SHA-256')
        hashes.push(sha256)
        this.#show.note(`${from.name}: ${sha256}\n              ${to.name}: ${received.sha256}`)
      },
    )
  }

  async #connect(alice: DemoPeer, bob: DemoPeer, ticket: string, via: DialPolicy): Promise<void> {
    alice.command({ type: 'connect', ticket, via })
    await alice.next('connected')
    await bob.next('incoming')
  }

  async #hangUp(...peers: readonly DemoPeer[]): Promise<void> {
    for (const peer of peers) {
      peer.command({ type: 'closeConnections' })
      await peer.next('closed')
    }
  }

  /** One step: complete when its work is done and every expected message was observed. */
  async #step<Result>(
    section: string,
    title: string,
    expected: readonly Expected[],
    detail: string | (() => string),
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.#show.step(section, title)
    this.#messages.begin()
    const row = { section, what: title }
    try {
      const result = await work()
      await this.#messages.all(expected)
      const { hidden } = this.#messages
      if (hidden > 0) this.#show.note(`… ${hidden} more messages of data`)
      this.#rows.push({
        ...row,
        messages: this.#messages.count,
        result: 'ok',
        detail: typeof detail === 'string' ? detail : detail(),
      })
      return result
    } catch (error) {
      this.#rows.push({ ...row, messages: this.#messages.count, result: 'failed', detail: (error as Error).message })
      throw new Error('the steps after it were skipped')
    }
  }

  #peer(name: string): DemoPeer {
    return new DemoPeer(name, (report: PeerReport) => {
      if (report.type === 'opened') this.#messages.name(formatEndpoint(report.local), name)
      else if (report.type === 'progress')
        this.#show.note(`${name}: ${Math.round((100 * report.done) / report.size)} % of the file is acknowledged`)
      else if (report.type === 'sent') this.#messages.add({ from: name, ...report, to: formatEndpoint(report.to) })
    })
  }
}

async function makeKey(folder: string, name: string): Promise<string> {
  const path = join(folder, `${name}.pem`)
  await saveIdentity(await generateIdentity(), path)
  return path
}

/** A ticket that names relays only, like that of a peer behind a NAT. */
const withoutAddresses = (ticket: string): string => ticket.replace(/&addr=[^&]*/g, '')
