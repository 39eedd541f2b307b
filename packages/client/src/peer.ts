/** A peer: opens sockets, keeps its registrations, connects and is connected to. */
import {
  type Endpoint,
  formatEndpoint,
  type PeerId,
  parseTicket,
  quote,
  ShowchainError,
  type Ticket,
} from '@showchain/wire'
import { type Waiting, type WaitOptions, waitFor } from './async/deadline.ts'
import type { Connection } from './connection.ts'
import { ConnectionPort } from './connection-port.ts'
import {
  ADDRESS_POLICIES,
  type DialId,
  type DialPolicy,
  duration,
  type NatReport,
  type PeerCounter,
  PeerMachine,
} from './core/index.ts'
import { type CheckedOptions, CONGESTION, checkOptions, type PeerOptions, relayAddress } from './options.ts'
import { PeerEvents, type PeerListeners } from './peer-events.ts'
import { Reachability } from './reachability.ts'
import { type CountedSocket, checkPrimitives, Driver, NetworkWatch, QlogRecorder, traceTaps } from './runtime/index.ts'

export interface ConnectOptions extends WaitOptions {
  /**
   * Which ways to try, and which paths the connection may take later.
   * @default the policy of the peer
   */
  readonly via?: DialPolicy | undefined
}

export class Peer implements AsyncDisposable {
  readonly id: PeerId
  readonly #options: CheckedOptions
  readonly #driver: Driver<PeerMachine>
  readonly #socket: CountedSocket
  readonly #machine: PeerMachine
  readonly #events: PeerEvents
  readonly #reachability: Reachability
  readonly #networkWatch: NetworkWatch
  /** What waits for a registration or a connection, until it is settled. */
  readonly #waits = new Set<Waiting<never>['reject']>()
  #closed = false

  private constructor(options: CheckedOptions, socket: CountedSocket) {
    const { identity, encoding, seedMode, plaintext, policy, addressPolicy, keepAlive, knownKeys, runtime } = options
    const { clock, random, provider, endToEnd } = runtime
    this.id = identity.id
    this.#options = options
    this.#socket = socket
    this.#reachability = new Reachability({ runtime, socket, allows: ADDRESS_POLICIES[addressPolicy] })
    const machine = new PeerMachine({
      ...{ provider, random, endToEnd, knownKeys, encoding, seedMode, plaintext, policy },
      self: identity.publicKey,
      congestion: CONGESTION[options.congestion],
      observe: (connection) => {
        const sink = options.qlog?.(connection)
        return sink && new QlogRecorder(sink, connection, clock)
      },
      unixMs: () => clock.unixMs(),
      hostCandidates: () => this.#reachability.candidates,
      allows: ADDRESS_POLICIES[addressPolicy],
      keepAlive: duration(keepAlive),
      idleTimeout: duration(options.idleTimeout),
    })
    this.#machine = machine
    this.#events = new PeerEvents({
      ...{ plaintext, clock, accept: options.accept, onWarning: options.onWarning },
      relays: new Set(options.relays.map(({ id }) => id)),
      input: (command) => {
        if (!this.#closed) this.#driver.input((_machine, now) => command(now))
      },
      port: (handle) => new ConnectionPort(this.#driver, machine, handle),
    })
    this.#networkWatch = new NetworkWatch({
      clock,
      localAddresses: () => runtime.localAddresses(),
      failures: () => socket.counters.sendFailed,
      changed: () => this.#driver.input((peerMachine, now) => peerMachine.networkChanged(now)),
    })
    this.#driver = new Driver({
      ...{ machine, socket, clock },
      worker: runtime.worker(identity),
      openSocket: () => runtime.openExtraSocket(),
      onEvent: (event) => this.#events.on(event),
      ...traceTaps(options.trace, clock),
    })
  }

  /**
   * Opens the sockets and starts to register with the relays; `registered()` waits for that.
   *
   * @throws ShowchainError `ERR_BAD_CONFIG`, `ERR_BAD_TICKET`, `ERR_CANNOT_RESOLVE` (a relay or STUN
   *   server), `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_RUNTIME` (no cryptography for
   *   protected connections)
   */
  static async open(options: PeerOptions): Promise<Peer> {
    const parsed = checkOptions(options)
    const { runtime, listen, onWarning } = parsed
    if (!parsed.plaintext) checkPrimitives(runtime)
    if (parsed.relays.some(({ id }) => id === parsed.identity.id))
      throw new ShowchainError('ERR_BAD_TICKET', "It is this peer's own: a relay has an identity of its own.")
    const relays = await Promise.all(
      parsed.relays.map(async ({ id, ...ticket }) => ({
        id,
        endpoints: await runtime.resolve(relayAddress({ id, ...ticket }).address),
      })),
    )
    const stunServers = await Promise.all(parsed.stunServers.map((server) => runtime.resolve(server)))
    const peer = new Peer(parsed, await runtime.openSocket({ listen, onWarning }))
    for (const { id, endpoints } of relays) {
      const endpoint = peer.#reachability.own(endpoints)
      if (endpoint === undefined) peer.#events.unreachable.add(id)
      else peer.#driver.input((machine, now) => machine.register({ id, endpoint }, now))
    }
    const servers = stunServers.flatMap((endpoints) => peer.#reachability.first(endpoints) ?? [])
    peer.#driver.input((machine, now) => machine.useStunServers(servers, now))
    return peer
  }

  /**
   * What the NAT in front of this peer does, as far as its STUN servers and relays could tell;
   * undefined before they did.
   */
  get nat(): NatReport | undefined {
    return this.#events.nat
  }

  /** Local addresses that the sockets are bound to. */
  get addresses(): readonly Endpoint[] {
    return this.#socket.localEndpoints
  }

  /**
   * What another peer needs to connect to this one: its relays, except those that cannot be reached
   * at the moment, and the addresses at which it listens. A relay that has not answered yet is
   * named, since a peer that connects tries all of them.
   */
  get ticket(): string {
    const { relays, announce } = this.#options
    const reachable = relays.filter(({ id }) => !this.#events.unreachable.has(id))
    return this.#reachability.ticket({ id: this.id, relays: reachable, announce, relayed: relays.length > 0 })
  }

  /**
   * A handle for each connection for which a remote peer called `connect`, also when this one did
   * too; ends when the peer closes.
   */
  get incoming(): AsyncIterableIterator<Connection> {
    return this.#events.incoming
  }

  /** What was counted so far, by name. */
  counters(): Record<PeerCounter, number> {
    return this.#machine.counters()
  }

  /** @returns a function that removes the listener */
  on<Name extends keyof PeerListeners>(name: Name, listener: (...args: PeerListeners[Name]) => void): () => void {
    return this.#events.listeners.on(name, listener)
  }

  /**
   * Resolves when this peer is registered with a relay.
   * @throws ShowchainError `ERR_NO_PATH` (no relay is configured), `ERR_CONNECT_FAILED` (each relay
   *   failed once), `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_CLOSED`
   */
  async registered(options: WaitOptions = {}): Promise<void> {
    const { registered, listeners } = this.#events
    const { relays } = this.#options
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    if (registered.size > 0) return
    if (relays.length === 0) throw new ShowchainError('ERR_NO_PATH', 'No relay is configured.')
    const failures = new Map<PeerId, string>()
    let off = (): void => {}
    const start = ({ resolve, reject }: Waiting<void>): void => {
      off = listeners.on('relay', ({ relay, state, at, reason }) => {
        if (state === 'registered') return void resolve()
        failures.set(relay, `relay ${relay} at ${formatEndpoint(at)}: ${reason}`)
        if (failures.size === relays.length)
          reject(new ShowchainError('ERR_CONNECT_FAILED', `${[...failures.values()].join('; ')}.`))
      })
    }
    await this.#wait(options, () => {}, start).finally(() => off())
  }

  /**
   * Connects to the peer of a ticket; resolves as soon as one way works. With `auto` the others go
   * on underneath and the connection moves to the best path. Two peers have one connection: each
   * call gives a handle of its own, and closing the last one closes the connection.
   *
   * @throws ShowchainError `ERR_BAD_TICKET`, `ERR_NO_PATH` (the ticket offers no such way),
   *   `ERR_CONNECT_FAILED` with what was tried and why each way failed, as text and as
   *   `cause.attempts`, `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_CLOSED`
   */
  async connect(to: string | Ticket, options: ConnectOptions = {}): Promise<Connection> {
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    const { via = this.#options.policy } = options
    const ticket = typeof to === 'string' ? parseTicket(to) : to
    if (ticket.id === this.id) throw new ShowchainError('ERR_BAD_TICKET', "It is this peer's own.")
    const { found: addresses, forbidden } = await this.#reachability.addressesOf(ticket)
    const { found: relays, forbidden: forbiddenRelays } = await this.#reachability.relaysOf(ticket, this.id)
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    const called = via === 'relay-only' || via === 'punch' ? 0 : addresses.length
    if (called === 0 && (via === 'direct' || relays.length === 0)) {
      const found = `${addresses.length} addresses and ${relays.length} relays`
      const others = [...forbidden, ...forbiddenRelays]
      const not =
        others.length === 0
          ? ''
          : ` The address policy forbids ${others.join(', ')} (${quote(this.#options.addressPolicy)}).`
      throw new ShowchainError(
        'ERR_NO_PATH',
        `The ticket has ${found} that this host can reach; via is ${quote(via)}.${not}`,
      )
    }
    let dial: DialId | undefined
    const giveUp = (): void => {
      if (dial !== undefined && !this.#closed)
        this.#driver.input((machine, now) => machine.cancelDial(dial as DialId, now))
    }
    return this.#wait<Connection>(options, giveUp, (waiting) => {
      this.#driver.input((machine, now) => {
        dial = machine.dial({ id: ticket.id, policy: via, addresses, relays }, now)
        this.#events.dialling(dial, ticket.id, waiting)
      })
    })
  }

  /** Ends every connection and registration, and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#networkWatch.close()
    for (const reject of this.#waits) reject(new ShowchainError('ERR_CLOSED'))
    this.#events.close()
    this.#driver.input((machine, now) => machine.close(now))
    await this.#driver.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** As `waitFor`; closing the peer ends it too. */
  #wait<Result>(options: WaitOptions, giveUp: () => void, start: (waiting: Waiting<Result>) => void): Promise<Result> {
    let fail: Waiting<Result>['reject'] = () => {}
    const waiting = waitFor<Result>(this.#options.runtime.clock, options, giveUp, ({ resolve, reject }) => {
      fail = reject
      this.#waits.add(fail)
      start({ resolve, reject })
    })
    return waiting.finally(() => this.#waits.delete(fail))
  }
}
