/** A peer's machine on a simulated host, and its events: for tests below the public API. */
import {
  type ConnectionHandle,
  type DialId,
  type DialPolicy,
  type Duration,
  type EarlyBytes,
  type Instant,
  internetPolicy,
  later,
  type NatReport,
  natDiscovery,
  type PeerEvent,
  PeerMachine,
  type SendFailure,
} from '@showchain/client/core'
import { type DatagramSocket, type Driver, type PortMappingOfPeer, QlogRecorder } from '@showchain/client/runtime'
import type { TestIdentity } from '@showchain/crypto/testing'
import { type Endpoint, formatEndpoint, MAX_LOCAL_CANDIDATES, type PeerId, ShowchainError } from '@showchain/wire'
import type { Host } from '../sim/host.ts'
import type { Simulation } from '../sim/simulation.ts'
import { Ledger } from './ledger.ts'
import { SimEdge } from './sim-edge.ts'
import type { SimPeerOptions } from './sim-peer-options.ts'
import type { Arrived, Delivery, Dialled, DialWays, SimConnection } from './sim-records.ts'
import type { SimRelay } from './sim-relay.ts'
import { Sleeper } from './sleeper.ts'

/** What happens to a stream. */
export type StreamEvent = Extract<PeerEvent, { type: 'streamOpened' | 'stream' | 'streamStopped' }>

type RelayState = Extract<PeerEvent, { type: 'relay' }>['state']

/** The machine of a peer on a simulated host, driven step by step. */
export class SimPeer {
  readonly host: Host
  readonly identity: TestIdentity
  readonly ledger: Ledger
  readonly machine: PeerMachine
  readonly sleeper: Sleeper<PeerEvent>
  readonly endpoints: () => readonly Endpoint[]
  readonly events: { readonly at: Instant; readonly event: PeerEvent }[] = []
  readonly arrived: Arrived[] = []
  readonly links: Map<ConnectionHandle, SimConnection> = new Map()
  readonly #sim: Simulation
  readonly #options: SimPeerOptions
  readonly #driver: Driver<Sleeper<PeerEvent>>
  readonly #dials = new Map<DialId, Dialled>()
  readonly #relays: SimRelay[] = []
  readonly #edge: SimEdge
  #first: DatagramSocket | undefined

  constructor(sim: Simulation, name: string, host: Host, options: SimPeerOptions = {}) {
    this.#sim = sim
    this.#options = options
    this.host = host
    const { accept: _accept, port, local, qlog, identity = sim.identity(name), ...rest } = options
    this.identity = identity
    this.ledger = new Ledger({ name, calls: true, trusts: () => false })
    let endpoints: () => readonly Endpoint[] = () => []
    this.machine = new PeerMachine({
      ...rest,
      observe: qlog && ((connection) => new QlogRecorder(qlog, connection, sim.clock)),
      ...{ self: identity.publicKey, websocket: sim.websockets.size > 0, natDiscovery },
      provider: sim.provider,
      random: sim.random.fork(name),
      unixMs: () => sim.clock.unixMs() + this.clockOffset,
      allows: internetPolicy,
      unfragmented: (to) => this.#first?.unfragmented?.(to),
      plaintext: rest.endToEnd === undefined,
      hostCandidates: () =>
        endpoints()
          .filter(({ ip }) => local?.includes(ip) ?? true)
          .slice(0, MAX_LOCAL_CANDIDATES),
      mappedAddresses: () => this.portMapping.addresses,
    })
    this.sleeper = new Sleeper(this.machine)
    const placed = sim.put(host, {
      ...{ port, identity },
      machine: () => this.sleeper,
      socket: (socket) => {
        if (this.#first === undefined) endpoints = () => socket.localEndpoints
        this.#first ??= socket
        return this.ledger.tap(socket)
      },
      onEvent: (event) => this.#on(event),
    })
    this.endpoints = endpoints
    this.#driver = placed.driver
    this.#edge = new SimEdge({
      ...{ sim, host, policy: options.policy, clock: this.sleeper.clockOf(sim.clock), listens: () => this.endpoints() },
      networkChanged: () => this.input((now) => this.machine.networkChanged(now)),
      reachable: () => this.input((now) => this.machine.mapped(now)),
    })
  }

  get id(): PeerId {
    return this.identity.id
  }

  get endpoint(): Endpoint {
    return this.endpoints()[0] as Endpoint
  }

  /** Its open connections. */
  get open(): readonly SimConnection[] {
    return [...this.links.values()].filter(({ closed }) => closed === undefined)
  }

  /** What became of its registrations, in order. */
  get relayStates(): readonly RelayState[] {
    return this.events.flatMap(({ event }) => (event.type === 'relay' ? [event.state] : []))
  }

  get registrations(): number {
    return this.relayStates.filter((state) => state === 'registered').length
  }

  /** Relays that it keeps registered with, as its ticket names them. */
  get relays(): readonly SimRelay[] {
    return this.#relays
  }

  /** What its router maps for it. */
  get portMapping(): PortMappingOfPeer {
    return this.#edge.portMapping
  }

  /** What it found out of its NAT. */
  get nat(): NatReport | undefined {
    const found = this.events.findLast(({ event }) => event.type === 'nat')
    return found?.event.type === 'nat' ? found.event.report : undefined
  }

  isRegistered(relay: SimRelay): boolean {
    return this.machine.isRegistered(relay.addressFrom(this.host.ips))
  }

  register(relay: SimRelay): void {
    this.#relays.push(relay)
    const address = relay.addressFrom(this.host.ips)
    for (const each of relay.reachedFrom(this.host.ips)) this.ledger.called(each)
    this.input((now) => void this.machine.register(address, now))
  }

  /**
   * Connects as an application does: with everything that the other's ticket says.
   * @throws ShowchainError `ERR_CONNECT_FAILED`
   */
  async connect(to: SimPeer, policy: DialPolicy = 'auto'): Promise<SimConnection> {
    const dialled = this.dialPeer(to, policy)
    this.#sim.until(() => dialled.ended !== undefined)
    const link = dialled.link === undefined ? undefined : this.links.get(dialled.link)
    if (link !== undefined) return link
    const tried = (dialled.attempts ?? []).map(({ via, at, why }) => `${via} by ${at}: ${why}`)
    throw new ShowchainError('ERR_CONNECT_FAILED', `${tried.join('; ')}.`)
  }

  /** Starts to connect by the other's relays, and by its addresses if its network is public. */
  dialPeer(to: SimPeer, policy: DialPolicy = 'auto', early?: EarlyBytes): Dialled {
    const addresses = to.host.network === this.#sim.network ? to.endpoints() : []
    return this.dial(to.id, policy, { relays: to.relays, addresses, early })
  }

  /** Dials another peer the way that its ticket says. */
  dial(target: PeerId, policy: DialPolicy, { relays = [], addresses = [], early }: DialWays): Dialled {
    const at = relays.map((relay) => relay.addressFrom(this.host.ips))
    const there = relays.flatMap((relay) => relay.reachedFrom(this.host.ips))
    for (const address of [...addresses, ...there]) this.ledger.called(address)
    const dialled: Dialled = { started: this.#sim.clock.now(), ended: undefined, link: undefined, attempts: undefined }
    this.input((now) => {
      const id = this.machine.dial({ id: target, policy, addresses, relays: at, early }, now)
      this.#dials.set(id, dialled)
    })
    return dialled
  }

  send(link: ConnectionHandle, bytes: Uint8Array): Delivery {
    const delivery: Delivery = { started: this.#sim.clock.now(), ended: undefined, failure: undefined }
    const done = (failure: SendFailure, now: Instant): void => {
      if (delivery.ended !== undefined) throw new Error('A message ended twice.')
      delivery.ended = now
      delivery.failure = failure
    }
    this.input((now) => this.machine.sendDatagram(link, bytes, done, now))
    return delivery
  }

  /** What happens to the streams of its connections. */
  onStream: (event: StreamEvent) => void = () => {}

  /** Runs a command of the machine that has a result, such as those of streams. */
  command<Result>(run: (machine: PeerMachine, now: Instant) => Result): Result {
    return this.#driver.input((_sleeper, now) => run(this.machine, now))
  }

  closeConnection(link: ConnectionHandle): void {
    this.input((now) => this.machine.closeConnection(link, now))
  }

  /** Its wall clock minus that of the others, milliseconds. */
  clockOffset = 0

  /** The name of a relay leads elsewhere: it leaves the one address, and registers at the other. */
  relocate(from: SimRelay, to: SimRelay): void {
    if (!this.#relays.includes(from)) return
    this.#relays.splice(this.#relays.indexOf(from), 1)
    this.input((now) => this.machine.leave(from.addressFrom(this.host.ips), now))
    this.register(to)
  }

  /** Whether it was ever put to sleep. */
  slept = false

  /** The host sleeps for so long: packets to it are lost; or its process is stopped (SIGSTOP), and its socket keeps them. */
  sleep(by: Duration, what: 'host' | 'process' = 'host'): void {
    this.slept = true
    this.sleeper.sleep(later(this.#sim.clock.now(), by), what)
    // The driver asks for the deadline after each input.
    this.input(() => {})
  }

  /** Runs a command. */
  input(command: (now: Instant) => void): void {
    this.#driver.input((_machine, now) => command(now))
  }

  /** Ends at once, without a goodbye; done when this returns, awaited or not. */
  async crash(): Promise<void> {
    const closed = [this.#edge.crash(), this.#driver.close()]
    // The driver is closed: the machine's output is dropped.
    this.machine.close(this.#sim.clock.now())
    for (const link of this.open) link.closed = 'crashed'
    await Promise.all(closed)
  }

  async close(): Promise<void> {
    if (this.#driver.closed) return
    this.input((now) => this.machine.close(now))
    await Promise.all([this.#edge.close(), this.#driver.close()])
  }

  #on(event: PeerEvent): void {
    const now = this.#sim.clock.now()
    this.events.push({ at: now, event })
    switch (event.type) {
      case 'consent': {
        const { accept } = this.#options
        const allowed = accept === undefined || accept(event.id, event.via)
        return allowed === undefined ? undefined : this.input((at) => event.decide(allowed, at))
      }
      case 'open': {
        const { connection: id, remoteId, path, incoming } = event
        if (this.links.has(id)) throw new Error('A connection opened twice.')
        this.links.set(id, { id, remoteId, incoming, path, paths: [path], closed: undefined })
        return
      }
      case 'path': {
        const link = this.#link(event.connection)
        link.path = event.path
        link.paths.push(event.path)
        return
      }
      case 'closed':
        this.#link(event.connection).closed = event.reason
        return
      case 'datagram': {
        const { connection: link, bytes } = event
        this.arrived.push({ at: now, from: this.#link(link).remoteId, link, bytes })
        return this.input(() => this.machine.readDatagram(link))
      }
      case 'streamOpened':
      case 'stream':
      case 'streamStopped':
        this.#link(event.connection)
        return this.onStream(event)
      case 'dialed':
        return this.#dialEnded(event.dial, { link: event.connection })
      case 'dialFailed':
        return this.#dialEnded(event.dial, { attempts: event.attempts })
      case 'relay':
        return this.portMapping.relay(event)
      case 'seen':
        return this.portMapping.seen(formatEndpoint(event.by), event.observed)
    }
  }

  #dialEnded(id: DialId, how: Partial<Dialled>): void {
    const dialled = this.#dials.get(id)
    if (dialled === undefined || dialled.ended !== undefined) throw new Error('A dial ended that was not running.')
    Object.assign(dialled, how, { ended: this.#sim.clock.now() })
  }

  #link(id: ConnectionHandle): SimConnection {
    const link = this.links.get(id)
    if (link === undefined || link.closed !== undefined)
      throw new Error(`${this.host.name}: connection ${id} is not open and had an event: ${link?.closed}`)
    return link
  }
}
