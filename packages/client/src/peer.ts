/** A peer: opens sockets, keeps its registrations, connects and is connected to. */
import { type CryptoProvider, openssl, opensslEndToEnd } from '@showchain/crypto'
import {
  type Endpoint,
  formatEndpoint,
  formatTicket,
  ipFamily,
  type PeerId,
  parseTicket,
  ShowchainError,
  type Ticket,
} from '@showchain/wire'
import { AsyncQueue } from './async/async-queue.ts'
import { type Waiting, type WaitOptions, waitFor } from './async/deadline.ts'
import { Listeners } from './async/listeners.ts'
import { Connection, type TimelineEntry } from './connection.ts'
import {
  ADDRESS_POLICIES,
  type ConnectionHandle,
  type DialAttempt,
  type DialId,
  type DialPolicy,
  duration,
  type NatReport,
  type PeerCounter,
  type PeerEvent,
  PeerMachine,
  type RelayAddress,
} from './core/index.ts'
import { type CheckedOptions, CONGESTION, checkOptions, type PeerOptions, relayAddress } from './options.ts'
import {
  CryptoWorker,
  type DatagramSocket,
  Driver,
  ExtraUdpSocket,
  nodeRandom,
  resolveAddress,
  systemClock,
  traceTaps,
} from './runtime/index.ts'
import { chosenAddresses, localCandidates } from './runtime/local-candidates.ts'

export interface RelayEvent {
  readonly relay: PeerId
  readonly at: Endpoint
  readonly state: 'registered' | 'lost' | 'failed'
  /** This peer's address as the relay sees it. */
  readonly observed?: Endpoint | undefined
  /** Why it is lost or failed, for people. */
  readonly reason?: string | undefined
}

interface PeerEvents {
  relay: [event: RelayEvent]
  /** What the NAT in front of this peer does became known, or changed. */
  nat: [report: NatReport]
  /** Another host uses this identity, as this relay notices: only one of both can be reached at a time. */
  duplicate: [relay: PeerId]
}

export interface ConnectOptions extends WaitOptions {
  /** Which ways to try, and which paths the connection may take later. Default: the policy of the peer. */
  readonly via?: DialPolicy | undefined
}

export class Peer implements AsyncDisposable {
  readonly id: PeerId
  readonly #options: CheckedOptions
  readonly #driver: Driver<PeerMachine>
  readonly #socket: DatagramSocket
  readonly #machine: PeerMachine
  readonly #listeners = new Listeners<PeerEvents>()
  readonly #incoming = new AsyncQueue<Connection>()
  /** As many as the machine has connections. */
  readonly #connections = new Map<ConnectionHandle, Connection>()
  readonly #dials = new Map<DialId, Waiting<Connection>>()
  /** Lines about connections that are not open yet, by their other end; dropped when the dial ends. */
  readonly #notes = new Map<PeerId, TimelineEntry[]>()
  readonly #relays: ReadonlyMap<PeerId, Ticket>
  readonly #registered = new Set<PeerId>()
  /** Relays of the configuration that did not answer when they were asked last. */
  readonly #unreachable = new Set<PeerId>()
  #nat: NatReport | undefined
  #closed = false

  private constructor(
    options: CheckedOptions,
    relays: readonly Ticket[],
    socket: DatagramSocket,
    provider: CryptoProvider,
  ) {
    const { identity, encoding, seedMode, plaintext, policy, addressPolicy, keepAlive, knownKeys } = options
    this.id = identity.id
    this.#options = options
    this.#socket = socket
    this.#relays = new Map(relays.map((relay) => [relay.id, relay]))
    const machine = new PeerMachine({
      ...{ provider, knownKeys, encoding, seedMode, plaintext, policy },
      self: identity.publicKey,
      endToEnd: opensslEndToEnd,
      congestion: CONGESTION[options.congestion],
      random: nodeRandom,
      unixMs: systemClock.unixMs,
      hostCandidates: () => localCandidates(socket.localEndpoints),
      allows: ADDRESS_POLICIES[addressPolicy],
      keepAlive: duration(keepAlive),
    })
    this.#machine = machine
    this.#driver = new Driver({
      machine,
      socket,
      clock: systemClock,
      worker: new CryptoWorker({ provider, identity }),
      openSocket: () => new ExtraUdpSocket(),
      onEvent: (event) => this.#on(event),
      ...traceTaps(options.trace, systemClock),
    })
  }

  /**
   * Opens the sockets and starts to register with the relays; `registered()` waits for that.
   *
   * @throws ShowchainError `ERR_BAD_CONFIG`, `ERR_BAD_TICKET`, `ERR_BAD_ENDPOINT` (the name of a relay or STUN server has no address), `ERR_ADDRESS_IN_USE`.
   */
  static async open(options: PeerOptions): Promise<Peer> {
    const parsed = checkOptions(options)
    if (parsed.relays.some(({ id }) => id === parsed.identity.id))
      throw new ShowchainError('ERR_BAD_TICKET', "It is this peer's own: a relay has an identity of its own.")
    const relays = await Promise.all(
      parsed.relays.map(async (ticket) => ({ ticket, endpoints: await resolveAddress(relayAddress(ticket).address) })),
    )
    const stunServers = await Promise.all(parsed.stunServers.map(resolveAddress))
    const socket = await parsed.openSocket({ listen: parsed.listen, onWarning: parsed.onWarning })
    const peer = new Peer(parsed, parsed.relays, socket, openssl)
    for (const { ticket, endpoints } of relays) {
      const endpoint = peer.#reachable(endpoints)
      if (endpoint === undefined) peer.#unreachable.add(ticket.id)
      else peer.#driver.input((machine, now) => machine.register({ id: ticket.id, endpoint }, now))
    }
    const servers = stunServers.flatMap((endpoints) => peer.#reachable(endpoints) ?? [])
    peer.#driver.input((machine, now) => machine.useStunServers(servers, now))
    return peer
  }

  /** What the NAT in front of this peer does, as far as its STUN servers and relays could tell; undefined before they did. */
  get nat(): NatReport | undefined {
    return this.#nat
  }

  /** Local addresses that the sockets are bound to. */
  get addresses(): readonly Endpoint[] {
    return this.#socket.localEndpoints
  }

  /**
   * What another peer needs to connect to this one: its relays, except those that cannot be reached at the moment, and
   * the addresses that it listens at. A relay that has not answered yet is named: whoever connects tries all of them.
   */
  get ticket(): string {
    const relays = [...this.#relays.values()].filter(({ id }) => !this.#unreachable.has(id)).map(relayAddress)
    const { localEndpoints } = this.#socket
    const bound = this.#relays.size === 0 ? localCandidates(localEndpoints) : chosenAddresses(localEndpoints)
    const addresses = [...this.#options.announce, ...bound.map(({ ip, port }) => ({ host: ip, port }))]
    return formatTicket({ id: this.id, relays: relays.slice(0, 8), addresses: addresses.slice(0, 8) })
  }

  /** Connections that others opened; ends when the peer closes. */
  get incoming(): AsyncIterableIterator<Connection> {
    return this.#incoming
  }

  /** What was counted so far, by name. */
  counters(): Record<PeerCounter, number> {
    return this.#machine.counters()
  }

  on<Name extends keyof PeerEvents>(name: Name, listener: (...args: PeerEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener)
  }

  /**
   * Resolves when this peer is registered with a relay.
   * @throws ShowchainError `ERR_CONNECT_FAILED` when each relay failed once, `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_CLOSED`.
   */
  async registered(options: WaitOptions = {}): Promise<void> {
    if (this.#registered.size > 0) return
    if (this.#relays.size === 0) throw new ShowchainError('ERR_NO_PATH', 'No relay is configured.')
    const failures = new Map<PeerId, string>()
    let off = (): void => {}
    const registered = waitFor<void>(
      options,
      () => {},
      ({ resolve, reject }) => {
        off = this.on('relay', ({ relay, state, at, reason }) => {
          if (state === 'registered') return resolve()
          failures.set(relay, `relay ${relay} at ${formatEndpoint(at)}: ${reason}`)
          if (failures.size === this.#relays.size)
            reject(new ShowchainError('ERR_CONNECT_FAILED', `${[...failures.values()].join('; ')}.`))
        })
      },
    )
    await registered.finally(() => off())
  }

  /**
   * Connects to the peer of a ticket; resolves as soon as one way works. With `auto` the others go on
   * underneath and the connection moves to the best.
   *
   * @throws ShowchainError `ERR_BAD_TICKET`, `ERR_NO_PATH` (the ticket offers no such way), `ERR_CONNECT_FAILED`
   *   with what was tried and why each failed, `ERR_ABORTED`, `ERR_CLOSED`.
   */
  async connect(to: string | Ticket, options: ConnectOptions = {}): Promise<Connection> {
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    const { via = this.#options.policy } = options
    const ticket = typeof to === 'string' ? parseTicket(to) : to
    if (ticket.id === this.id) throw new ShowchainError('ERR_BAD_TICKET', "It is this peer's own.")
    const addresses = (await Promise.all(ticket.addresses.map(resolveAddress)))
      .flat()
      .filter((endpoint) => this.#reaches(endpoint))
    const relays = await Promise.all(
      ticket.relays.map(async ({ id, address }) => ({ id, endpoint: this.#reachable(await resolveAddress(address)) })),
    )
    const usable = relays.filter((relay): relay is RelayAddress => relay.endpoint !== undefined && relay.id !== this.id)
    const called = via === 'relay-only' || via === 'punch' ? 0 : addresses.length
    if (called === 0 && (via === 'direct' || usable.length === 0)) {
      throw new ShowchainError(
        'ERR_NO_PATH',
        `The ticket has ${addresses.length} addresses and ${usable.length} relays that this host can reach; via is ${via}.`,
      )
    }
    let dial: DialId | undefined
    const giveUp = (): void => {
      if (dial !== undefined && !this.#closed)
        this.#driver.input((machine, now) => machine.cancelDial(dial as DialId, now))
    }
    return waitFor<Connection>(options, giveUp, (waiting) => {
      this.#driver.input((machine, now) => {
        dial = machine.dial({ id: ticket.id, policy: via, addresses, relays: usable }, now)
        this.#dials.set(dial, waiting)
      })
    })
  }

  /** Ends every connection and registration, and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#driver.input((machine, now) => machine.close(now))
    for (const { reject } of this.#dials.values()) reject(new ShowchainError('ERR_CLOSED'))
    this.#incoming.end()
    await this.#driver.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Whether a socket is bound for the endpoint's family. */
  #reaches({ ip }: Endpoint): boolean {
    return this.#socket.localEndpoints.some((local) => ipFamily(local.ip) === ipFamily(ip))
  }

  #reachable(endpoints: readonly Endpoint[]): Endpoint | undefined {
    return endpoints.find((endpoint) => this.#reaches(endpoint))
  }

  #on(event: PeerEvent): void {
    switch (event.type) {
      case 'relay':
        return this.#onRelay(event)
      case 'nat':
        this.#nat = event.report
        return this.#listeners.emit('nat', event.report)
      case 'duplicate':
        this.#options.onWarning?.(`Another host uses this identity: relay ${event.relay} knows both.`)
        return this.#listeners.emit('duplicate', event.relay)
      case 'consent':
        return void this.#decide(event)
      case 'open':
        return this.#onOpen(event)
      case 'path':
        return this.#connections.get(event.connection)?.moved(event.path, event.reason)
      case 'datagram':
        return this.#connections.get(event.connection)?.receive(event.bytes)
      case 'stream':
        return this.#connections.get(event.connection)?.onStream(event.stream, event.what)
      case 'streamStopped':
        return this.#connections.get(event.connection)?.onStopped(event.stream, event.code)
      case 'openable':
        return this.#connections.get(event.connection)?.onOpenable()
      case 'closed': {
        const connection = this.#connections.get(event.connection)
        this.#connections.delete(event.connection)
        return connection?.ended(event.reason, event.transport)
      }
      case 'note':
        return this.#onNote(event.remoteId, { at: systemClock.unixMs(), what: event.what })
      case 'dialed': {
        const connection = this.#connections.get(event.connection)
        if (connection !== undefined) this.#take(event.dial)?.resolve(connection)
        return
      }
      case 'dialFailed':
        return this.#dials
          .get(event.dial)
          ?.reject(new ShowchainError('ERR_CONNECT_FAILED', describeAttempts(event.attempts)))
    }
  }

  #take(dial: DialId): Waiting<Connection> | undefined {
    const waiting = this.#dials.get(dial)
    this.#dials.delete(dial)
    return waiting
  }

  #onRelay({ relay, at, state, ...rest }: Extract<PeerEvent, { type: 'relay' }>): void {
    const event = { relay, at, state, ...rest }
    if (this.#relays.has(relay)) {
      const [now, before] =
        state === 'registered' ? [this.#registered, this.#unreachable] : [this.#unreachable, this.#registered]
      before.delete(relay)
      now.add(relay)
    }
    this.#listeners.emit('relay', event)
  }

  async #decide({ id, via, decide }: Extract<PeerEvent, { type: 'consent' }>): Promise<void> {
    const { accept } = this.#options
    let allowed = false
    try {
      if (typeof accept === 'function') allowed = await accept({ id, via })
      else allowed = accept === 'everyone' || (accept !== 'nobody' && accept.includes(id))
    } catch {
      // An application that cannot decide has not said yes.
    }
    if (!this.#closed) this.#driver.input((_machine, now) => decide(allowed, now))
  }

  #onOpen({ connection: handle, remoteId, path, incoming }: Extract<PeerEvent, { type: 'open' }>): void {
    const connection = new Connection({
      remoteId,
      incoming,
      path,
      plaintext: this.#options.plaintext,
      timeline: this.#notes.get(remoteId) ?? [],
      sendDatagram: (bytes, done) =>
        this.#driver.input((machine, now) => machine.sendDatagram(handle, bytes, done, now)),
      maxDatagramSize: () => this.#machine.maxDatagramSize(handle),
      transport: (use) =>
        this.#closed ? undefined : this.#driver.input((machine, now) => machine.useTransport(handle, use, now)),
      statistics: () => this.#machine.statistics(handle),
      readDatagram: () => {
        if (!this.#closed) this.#driver.input((machine) => machine.readDatagram(handle))
      },
      close: () => this.#driver.input((machine, now) => machine.closeConnection(handle, now)),
    })
    this.#notes.delete(remoteId)
    this.#connections.set(handle, connection)
    if (incoming) this.#incoming.push(connection)
  }

  #onNote(remoteId: PeerId, entry: TimelineEntry): void {
    for (const connection of this.#connections.values())
      if (connection.remoteId === remoteId) return connection.note(entry)
    const notes = this.#notes.get(remoteId) ?? []
    if (notes.length === 0) this.#notes.set(remoteId, notes)
    notes.push(entry)
  }
}

/** What was tried and why each failed, in one line. */
const describeAttempts = (attempts: readonly DialAttempt[]): string =>
  `${attempts.map(({ via, at, why }) => `${via} by ${at}: ${why}`).join('; ')}.`
