/**
 * A peer on any system: opens sockets, keeps its registrations, connects and is connected to. It knows
 * neither Node nor a browser; whoever opens it says which (peer.ts).
 */
import { type Endpoint, type PeerId, ShowchainError, type Ticket } from '@showchain/wire'
import { carriesRecord } from '@showchain/wire/end-to-end'
import type { Waiting, WaitOptions } from './async/deadline.ts'
import { orAborted, type SignalOptions, signalOf, throwIfAborted } from './async/signals.ts'
import { Waits } from './async/waits.ts'
import type { Call } from './call.ts'
import {
  type ConnectOptions,
  checkConnectOptions,
  checkReconnectingOptions,
  checkWaitOptions,
  type PingOptions,
  type ReconnectingOptions,
  reconnects,
  ticketFor,
} from './call-options.ts'
import { Calls } from './calls.ts'
import type { Connection } from './connection.ts'
import { ConnectionPort } from './connection-port.ts'
import type { Pong } from './connection-reports.ts'
import type { NatReport, PeerCounter, PeerMachine, PortMapping } from './core/index.ts'
import { inspectPeer, type PeerInspection } from './inspection.ts'
import type { Lan, lanOf } from './lan.ts'
import { locatorOf } from './locate.ts'
import { machineOf, networksOf, openerOf } from './machine-of.ts'
import { Names } from './names.ts'
import { NO_PORT_MAPPING, type PeerPortMapping } from './no-port-mapping.ts'
import type { CheckedOptions } from './options.ts'
import { PeerEvents, type PeerListeners } from './peer-events.ts'
import { pingOnce } from './ping-once.ts'
import type { portMappingOf } from './port-mapping.ts'
import { Reachability } from './reachability.ts'
import { ReconnectingConnection } from './reconnecting.ts'
import { awaitRegistration } from './registered.ts'
import type { RelayEvent } from './relay-event.ts'
import { Driver } from './runtime/driver.ts'
import { NetworkWatch } from './runtime/network-watch.ts'
import { checkPrimitives } from './runtime/primitives.ts'
import type { CountedSocket } from './runtime/socket.ts'
import { traceTaps } from './runtime/trace.ts'
import { PEER_WORKER_LIMITS } from './runtime/worker.ts'
import { StunServers } from './stun-servers.ts'

/** What a peer has only where there is UDP: systems without it need not load it. */
export interface WithUdp {
  readonly lanOf: typeof lanOf
  readonly portMappingOf: typeof portMappingOf
}

/** A peer, however it was opened. */
export abstract class PeerBase implements AsyncDisposable {
  readonly id: PeerId
  readonly #options: CheckedOptions
  readonly #driver: Driver<PeerMachine>
  readonly #socket: CountedSocket
  readonly #machine: PeerMachine
  readonly #events: PeerEvents
  readonly #reachability: Reachability
  readonly #networkWatch: NetworkWatch
  readonly #names: Names
  readonly #stunServers: StunServers
  readonly #portMapping: PeerPortMapping
  readonly #calls: Calls
  /** What waits for a registration or a connection. */
  readonly #waits: Waits
  /** Undefined: LAN discovery is off. */
  #lan: Lan | undefined
  #closed = false

  protected constructor(options: CheckedOptions, socket: CountedSocket, withUdp?: WithUdp) {
    const { identity, plaintext, addressPolicy, protocols, relays, onWarning, runtime } = options
    const { clock } = runtime
    this.id = identity.id
    this.#options = options
    this.#socket = socket
    this.#waits = new Waits(clock)
    this.#names = new Names(runtime, () => this.#networkWatch.addresses)
    this.#reachability = new Reachability({
      ...{ socket, self: this.id, policy: addressPolicy },
      localAddresses: () => this.#networkWatch.addresses,
      mapped: () => this.#portMapping.addresses,
      nat64: this.#names.nat64,
    })
    this.#machine = machineOf(options, socket, this.#reachability)
    this.#events = new PeerEvents({
      ...{ plaintext, clock, accept: options.accept, protocols: protocols ?? [], relays, onWarning },
      input: (command) => {
        if (!this.#closed) this.#driver.input((_machine, now) => command(now))
      },
      port: (handle) => new ConnectionPort(this.#driver, this.#machine, handle),
    })
    this.#networkWatch = new NetworkWatch({
      clock,
      localAddresses: () => runtime.localAddresses(),
      networks: networksOf(options),
      failures: () => socket.counters.sendFailed,
      changed: () => {
        this.#driver.input((peerMachine, now) => peerMachine.networkChanged(now))
        this.#portMapping.networkChanged()
        this.#lan?.networkChanged()
      },
    })
    this.#portMapping = withUdp?.portMappingOf(options, socket, this.#machine, this.#events) ?? NO_PORT_MAPPING
    this.#driver = new Driver({
      ...{ machine: this.#machine, socket, clock },
      worker: runtime.worker(identity, PEER_WORKER_LIMITS),
      openSocket: openerOf(runtime),
      onEvent: (event) => this.#events.on(event),
      ...traceTaps(options.trace, clock),
    })
    this.#calls = new Calls({
      ...{ names: this.#names, reachability: this.#reachability, events: this.#events, lan: () => this.#lan },
      input: (command) => (this.#closed ? undefined : this.#driver.input(command)),
    })
    const locating = {
      ...{ names: this.#names, reachability: this.#reachability, input: this.#driver.input.bind(this.#driver) },
      onRelay: (event: RelayEvent) => this.#events.onRelay(event),
    }
    for (const relay of relays) this.#events.locators.push(locatorOf(relay, locating))
    this.#stunServers = new StunServers({
      ...{ addresses: options.stunServers, names: this.#names, onWarning: options.onWarning },
      reaches: (endpoint) => this.#reachability.reaches(endpoint),
      answered: () => this.nat?.mapped !== undefined,
      use: (servers) => this.#driver.input((peerMachine, now) => peerMachine.useStunServers(servers, now)),
    })
  }

  /** @internal @param make calls the constructor of who opens it */
  protected static async openOn<Made extends PeerBase>(
    options: CheckedOptions,
    wait: SignalOptions | undefined,
    make: (socket: CountedSocket) => Made,
    withUdp?: WithUdp,
  ): Promise<Made> {
    const signal = signalOf(wait)
    const { runtime, listen, onWarning, plaintext, lanDiscovery, policy } = options
    if (!plaintext) checkPrimitives(runtime)
    const linkLocal = lanDiscovery && policy !== 'relay-only'
    const opening = runtime.openSocket({ listen, onWarning, borrows: carriesRecord, linkLocal })
    const socket = await orAborted(opening, signal, (late) => late.close())
    const peer = make(socket)
    const lan = Promise.resolve(withUdp?.lanOf(options, socket, () => peer.#events.relayed))
    const failed = (error: unknown): Promise<never> => peer.close().then(() => Promise.reject(error))
    peer.#lan = await orAborted(lan, signal, (late) => late?.close()).catch(failed)
    for (const locator of peer.#events.locators) locator.start()
    peer.#stunServers.start()
    return peer
  }

  /** What the NAT in front of this peer does; undefined until STUN servers or relays could tell. */
  get nat(): NatReport | undefined {
    return this.#events.nat
  }

  /** Whether the router in front maps the port of this peer, and why not. */
  get portMapping(): PortMapping {
    return this.#portMapping.mapping
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

  /**
   * Relays, dials, hole punching, connections with their paths, timers and counters, as they are at
   * this moment. It has no keys, cookies, tokens or session ids; it has addresses of other peers.
   * Undefined fields are not known.
   */
  inspect(): PeerInspection {
    const portMapping = this.#portMapping.inspect()
    const { implementation: socket } = this.#socket
    const { clock } = this.#options.runtime
    return inspectPeer(this, this.#machine, { clock, socket, portMapping, lan: this.#lan?.inspect() })
  }

  /** @returns a function that removes the listener */
  on<Name extends keyof PeerListeners>(name: Name, listener: (...args: PeerListeners[Name]) => void): () => void {
    return this.#events.listeners.on(name, listener)
  }

  /**
   * Resolves when this peer is registered with a relay.
   * @throws ShowchainError `ERR_NO_PATH` (no relay is configured), `ERR_CONNECT_FAILED` (each relay
   *   failed once), `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_CLOSED`, `ERR_BAD_ARGUMENT`
   */
  async registered(options: WaitOptions = {}): Promise<void> {
    throwIfAborted(checkWaitOptions(options).signal)
    const { registered, locators } = this.#events
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    if (registered.size > 0) return
    if (locators.length === 0) throw new ShowchainError('ERR_NO_PATH', 'No relay is configured.')
    let off = (): void => {}
    const start = (waiting: Waiting<void>): void => {
      off = awaitRegistration(this.#events, waiting)
    }
    await this.#waits.add(options, () => {}, start).finally(() => off())
  }

  /**
   * Connects to the peer of a ticket, or of a bare id, which LAN discovery may find; resolves as
   * soon as one way works. With `auto` the others go on underneath and the connection moves to the
   * best path. Two peers have one connection: each call gives a handle of its own, and closing the
   * last one closes the connection.
   *
   * With `reconnect` it gives a handle that dials again when the connection is lost.
   *
   * @throws ShowchainError `ERR_BAD_TICKET`, `ERR_NO_PATH` (the ticket offers no such way),
   *   `ERR_CANNOT_RESOLVE` (it has only names, and none is resolved), `ERR_CONNECT_FAILED` with
   *   what was tried and why each way failed, as text and as `cause.attempts`, `ERR_TIMEOUT`,
   *   `ERR_ABORTED`, `ERR_CLOSED`
   */
  connect(to: string | Ticket, options?: ConnectOptions): Promise<Connection>
  connect(to: string | Ticket, options: ReconnectingOptions): Promise<ReconnectingConnection>
  async connect(
    to: string | Ticket,
    options: ConnectOptions | ReconnectingOptions = {},
  ): Promise<Connection | ReconnectingConnection> {
    return reconnects(options) ? await this.#reconnecting(to, options) : await this.#connect(to, options)
  }

  async #connect(to: string | Ticket, options: ConnectOptions): Promise<Connection> {
    const { via = this.#options.policy, early, ...wait } = checkConnectOptions(options, this.#options)
    const ticket = ticketFor(to)
    throwIfAborted(wait.signal)
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    if (ticket.id === this.id) throw new ShowchainError('ERR_BAD_TICKET', "It is this peer's own.")
    let call: Call | undefined
    const calling = this.#waits.add<Connection>(
      wait,
      () => call?.giveUp(),
      (waiting) => {
        call = this.#calls.start({ ticket, via, early }, waiting)
      },
    )
    return calling.finally(() => call && this.#calls.over(call))
  }

  async #reconnecting(to: string | Ticket, options: ReconnectingOptions): Promise<ReconnectingConnection> {
    const { reconnect, via, ...wait } = checkReconnectingOptions(options)
    const dial = (how: WaitOptions): Promise<Connection> => this.#connect(to, { via, ...how })
    const pause = (how: WaitOptions): Promise<void> => this.#waits.add<void>(how).catch(() => {})
    const port = { random: this.#options.runtime.random, dial, pause }
    return new ReconnectingConnection(await dial(wait), reconnect === true ? {} : reconnect, wait, port)
  }

  /**
   * Connects to the peer of a ticket, measures one round trip, and closes what it opened; `timeout` is
   * for both. The remote peer must accept the connection, which also comes out of its `incoming`.
   * @throws ShowchainError as `connect` and `Connection.ping`
   */
  ping(to: string | Ticket, options?: PingOptions): Promise<Pong> {
    return pingOnce((how) => this.connect(to, how), this.#options.runtime.clock, options)
  }

  /** Ends every connection, registration and port mapping, and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#networkWatch.close()
    this.#stunServers.close()
    this.#calls.close()
    this.#waits.close()
    this.#events.close()
    this.#driver.input((machine, now) => machine.close(now))
    await Promise.all([this.#driver.close(), this.#portMapping.close(), this.#lan?.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
