/** The demo: a relay and two peers go through the seed's five sections, and what they say is shown as they say it. */
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
/** A keep-alive comes after 15 s of silence; nobody wants to watch that. */
const KEEP_ALIVE_MS = 600

export class Demo {
  readonly #show: Show
  readonly #rows: Row[] = []
  readonly #messages: ObservedMessages
  /** Where the key files are. */
  #folder: string | undefined

  constructor(show: Show) {
    this.#show = show
    this.#messages = new ObservedMessages(show)
  }

  /** Runs every step; true when all of them worked. */
  async run(): Promise<boolean> {
    const started = performance.now()
    // At once: a signal must not come between making it and knowing of it.
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

  /** Leaves nothing behind, wherever the demo is. */
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
      'the relay challenges each address, then binds it',
      async () => {
        for (const [peer, identity] of [
          [bob, bobKey],
          [alice, aliceKey],
        ] as const)
          peer.tell({ type: 'open', identity: identity as string, relay, keepAlive: KEEP_ALIVE_MS, plaintext: true })
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
      `after ${KEEP_ALIVE_MS} ms of silence here, 15 s in life`,
      async () => {},
    )

    await this.#step(
      '2',
      'UDP connect (direct): Alice knows where Bob listens',
      [
        [OP.directRequest, 'alice', 'bob'],
        [OP.challenge, 'bob', 'alice'],
        [OP.directResponse, 'bob', 'alice'],
      ],
      'no relay in between',
      () => this.#connect(alice, bob, ticket, 'direct'),
    )
    await this.#hangUp(alice, bob)

    await this.#step(
      '3',
      'UDP connect (through NAT): the relay introduces both',
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
      'same public address, so 0x113 as well',
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
      'an empty message shows that Bob is there',
      () => this.#connect(alice, bob, withoutAddresses(ticket), 'relay-only'),
    )

    await this.#transfer(alice, bob)
    await this.#transfer(bob, alice)
    await this.#protected(folder, relay)
  }

  /** What two peers of ours do: protected from end to end, relay first and direct underneath. */
  async #protected(folder: string, relay: string): Promise<void> {
    const [carol, dave] = [this.#peer('carol'), this.#peer('dave')]
    const hashes: string[] = []
    await this.#step(
      'ext',
      `End to end: ${STREAM_BYTES / 1024 / 1024} MiB on one stream of a protected connection`,
      [
        [OP.proxyRequest, 'carol', 'relay'],
        [OP.punchRequest, 'carol', 'relay'],
        [OP.directRequest, 'carol', 'dave'],
        [OP.directResponse, 'dave', 'carol'],
      ],
      () => `SHA-256 ${hashes[0]?.slice(0, 16)}… at both ends`,
      async () => {
        for (const peer of [carol, dave]) {
          const identity = await makeKey(folder, peer.name)
          peer.tell({ type: 'open', identity, relay, keepAlive: KEEP_ALIVE_MS, plaintext: false })
        }
        await carol.next('registered')
        const { ticket } = await dave.next('registered')
        await this.#connect(carol, dave, withoutAddresses(ticket), 'auto')
        carol.tell({ type: 'sendFile', size: STREAM_BYTES })
        const { sha256 } = await carol.next('fileSent')
        const received = await dave.next('received')
        if (received.sha256 !== sha256) throw new Error('the stream arrived with another SHA-256')
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
      () => `SHA-256 ${hashes[0]?.slice(0, 16)}… at both ends`,
      async () => {
        from.tell({ type: 'sendFile', size: FILE_BYTES })
        const { sha256 } = await from.next('fileSent')
        const received = await to.next('received')
        if (received.sha256 !== sha256) throw new Error('the file arrived with another SHA-256')
        hashes.push(sha256)
        this.#show.note(`${from.name}: ${sha256}\n              ${to.name}: ${received.sha256}`)
      },
    )
  }

  async #connect(alice: DemoPeer, bob: DemoPeer, ticket: string, via: DialPolicy): Promise<void> {
    alice.tell({ type: 'connect', ticket, via })
    await alice.next('connected')
    await bob.next('incoming')
  }

  async #hangUp(...peers: readonly DemoPeer[]): Promise<void> {
    for (const peer of peers) {
      peer.tell({ type: 'closeConnections' })
      await peer.next('closed')
    }
  }

  /** One step: done when its work is done and every expected message was seen. */
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
      throw new Error('the steps after it were not tried')
    }
  }

  #peer(name: string): DemoPeer {
    return new DemoPeer(name, (report: PeerReport) => {
      if (report.type === 'opened') this.#messages.name(formatEndpoint(report.local), name)
      else if (report.type === 'progress')
        this.#show.note(`${name} has ${Math.round((100 * report.done) / report.size)} % of the file acknowledged`)
      else if (report.type === 'sent') this.#messages.add({ from: name, ...report, to: formatEndpoint(report.to) })
    })
  }
}

async function makeKey(folder: string, name: string): Promise<string> {
  const path = join(folder, `${name}.pem`)
  await saveIdentity(await generateIdentity(), path)
  return path
}

/** The ticket as it is of somebody behind a NAT: only the relay knows the way. */
const withoutAddresses = (ticket: string): string => ticket.replace(/&addr=[^&]*/g, '')
