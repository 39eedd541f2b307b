/**
 * A relay (the seed's T1 node): a reachable peer that serves others as rendezvous and proxy. This
 * machine tells datagrams apart and hands each to the part that it concerns:
 *
 *   0x100 keep-alive-responder.ts · 0x101 registrar.ts · 0x111 rendezvous.ts · 0x121 proxy-responder.ts
 *   0x114, 0x123, 0x125 session-messages.ts · STUN stun-responder.ts · of the fleet fleet/fleet.ts
 *
 * Everything else is counted and dropped, as are malformed datagrams. No datagram makes it throw.
 */
import {
  Admission,
  Counters,
  type Datagram,
  type Instant,
  isConnection,
  labPolicy,
  later,
  type Machine,
  type Output,
} from '@showchain/client/endpoint'
import { RequestReplay } from '@showchain/crypto/core'
import { classify, decode, type Encoding, MAX_DATAGRAM, type Message, OP, type PeerId } from '@showchain/wire'
import { isChannelFrame } from '@showchain/wire/end-to-end'
import { AccessControl } from './access-control.ts'
import { Arrivals } from './arrivals.ts'
import type { Bindings } from './bindings.ts'
import { ChannelForwarder } from './channel-forwarder.ts'
import { DataForwarder } from './data-forwarder.ts'
import { viewData } from './data-packet.ts'
import { Drain } from './drain.ts'
import type { FleetMessage, FleetNode, RelayEvent } from './events.ts'
import { Fleet } from './fleet/fleet.ts'
import type { FleetParts } from './fleet/fleet-options.ts'
import { FleetPeers } from './fleet/fleet-peers.ts'
import { KeepAliveResponder } from './keep-alive-responder.ts'
import { PairPaths } from './pair-paths.ts'
import { ProxyResponder } from './proxy-responder.ts'
import type { ProxySessionTable } from './proxy-session-table.ts'
import { Registrar } from './registrar.ts'
import type { RelayContext } from './relay-context.ts'
import { RELAY_COUNTERS, type RelayCounter } from './relay-counters.ts'
import { type RelayOptions, type RelayStats, relayContext, relaySecrets } from './relay-options.ts'
import { relayBindings, relaySessions } from './relay-tables.ts'
import { RelayView } from './relay-view.ts'
import { Rendezvous } from './rendezvous.ts'
import { SessionMessages } from './session-messages.ts'
import { StunResponder } from './stun-responder.ts'
import { earliest, SWEEP_INTERVAL } from './times.ts'
import { kindOf, Traffic, type TrafficKind } from './traffic.ts'
import { UnboundErrors } from './unbound-errors.ts'

/** What shows that a relay which drains is still needed. */
const BUSY_COUNTERS: readonly RelayCounter[] = [
  'registered',
  'dataForwarded',
  'channelForwarded',
  'fleetDelivered',
  'fleetVouched',
]
const NO_FLEET = { fleetNodes: 0, fleetPlaces: 0 } as const

/** A relay without clock and sockets. */
export class RelayMachine implements Machine<RelayEvent | FleetMessage> {
  readonly #counters = new Counters<RelayCounter>(RELAY_COUNTERS)
  readonly #traffic = new Traffic()
  readonly #context: RelayContext
  readonly #replay: RequestReplay
  readonly #admission: Admission
  readonly #arrivals: Arrivals
  readonly access: AccessControl
  readonly #bindings: Bindings
  readonly #sessions: ProxySessionTable
  readonly #pairs: PairPaths
  readonly #stun: StunResponder
  readonly view: RelayView
  readonly #registrar: Registrar
  readonly #unboundErrors: UnboundErrors
  readonly #keepAliveResponder: KeepAliveResponder
  readonly #rendezvous: Rendezvous
  readonly #proxyResponder: ProxyResponder
  readonly #dataForwarder: DataForwarder
  readonly #channelForwarder: ChannelForwarder
  readonly #sessionMessages: SessionMessages
  readonly #fleet: Fleet | undefined
  #sweep: Instant | undefined
  #drain: Drain | undefined
  readonly limits: RelayContext['limits']
  readonly sourceOf = (id: PeerId, now: Instant): string | undefined => this.#bindings.limitKeyOf(id, now)

  /** @throws ShowchainError `ERR_BAD_CONFIG` when a limit is none. */
  constructor(options: RelayOptions) {
    const { unixMs, knownKeys = [], stun = [], fleet } = options
    const { tokens, cookies, addressKey } = relaySecrets(options)
    this.#context = relayContext(options, addressKey, this.#counters.count, this.#traffic.sent)
    const { limits } = this.#context
    this.limits = limits
    const configured = new Set(knownKeys.map(({ id }) => id))
    this.#replay = new RequestReplay({ unixMs, capacity: limits.ids })
    this.#unboundErrors = new UnboundErrors(this.#context)
    this.#arrivals = new Arrivals(limits.verifications, (request, now) => this.#rendezvous.request(request, now))
    this.#admission = new Admission({
      ...this.#context,
      ...{ tokens, cookies },
      unproven: ({ message, ...request }, token, now) =>
        token && message.op_code === OP.directRequest ? this.#registrar.takes({ message, ...request }, now) : undefined,
      replay: this.#replay,
      speaksOnlySeed: ({ id }) => configured.has(id),
      outdated: ({ source, encoding, bytes }, now) => this.#unboundErrors.tell(source, encoding, bytes.length, now),
    })
    this.#bindings = relayBindings(this.#context, (binding, row) => {
      this.access.meter?.ended(row)
      this.#fleet?.ended(binding)
    })
    this.#pairs = new PairPaths(limits.sessions)
    this.access = new AccessControl(this.#context, this.#bindings, options, (record) => this.#fleet?.bans.tell(record))
    this.#sessions = relaySessions(this.#context, this.#bindings, this.#pairs, fleet?.node)
    this.view = new RelayView(this.#bindings, this.#sessions, this.#traffic, this.#pairs)
    const toll = this.access.toll
    const arrived: FleetParts['arrived'] = (...what) => this.#sessionMessages.arrived(...what)
    const handed: FleetParts['handed'] = (...what) => this.#channelForwarder.handed(...what)
    const own = { access: this.access, bindings: this.#bindings, sessions: () => this.#sessions.size }
    const around = { ...own, unixMs, arrived, handed, toll }
    this.#fleet = fleet && new Fleet(this.#context, { ...fleet, ...around })
    const peers = this.#fleet === undefined ? this.#bindings : new FleetPeers(this.#bindings, this.#fleet)
    this.#stun = new StunResponder(this.#context, stun, unixMs)
    this.#registrar = new Registrar(this.#context, {
      ...{ admission: this.#admission, bindings: this.#bindings, arriving: this.#arrivals, tokens },
      access: this.access,
      registered: this.#fleet && ((...told) => this.#fleet?.registered(...told)),
    })
    this.#keepAliveResponder = new KeepAliveResponder(this.#context, this.#bindings, this.#unboundErrors)
    this.#rendezvous = new Rendezvous(this.#context, this.#admission, peers, this.#sessions, this.#arrivals)
    this.#proxyResponder = new ProxyResponder(this.#context, this.#admission, this.#bindings, this.#sessions)
    this.#dataForwarder = new DataForwarder(this.#context, peers, this.#sessions, toll)
    const tables = { bindings: this.#bindings, sessions: this.#sessions, errors: this.#unboundErrors }
    this.#channelForwarder = new ChannelForwarder(this.#context, { ...tables, toll, fleet: this.#fleet })
    const parts = { rendezvous: this.#rendezvous, data: this.#dataForwarder, channel: this.#channelForwarder }
    this.#sessionMessages = new SessionMessages(this.#context, parts, this.#fleet)
  }

  receive(datagram: Datagram, now: Instant): void {
    const { count } = this.#counters
    count('received')
    this.#sweep ??= later(now, SWEEP_INTERVAL)
    const { bytes } = datagram
    // Before anything else: of its source it reads nothing where that is as it was.
    if (isChannelFrame(bytes)) {
      this.#traffic.received('channel', bytes.length)
      return this.#channelForwarder.receive(datagram, now)
    }
    // In order: what has come before it may depend on what it changes.
    this.#channelForwarder.flush()
    this.#traffic.received(this.#dispatch(datagram, now), bytes.length)
  }

  /** @returns what it was, as bytes are counted */
  #dispatch(datagram: Datagram, now: Instant): TrafficKind {
    const { bytes, source } = datagram
    const isStunOnly = source.socket !== undefined && source.socket !== 0 && !isConnection(source)
    if (bytes.length > MAX_DATAGRAM) return this.#drop('refused')
    const packet = isStunOnly ? undefined : viewData(bytes)
    if (packet !== undefined) {
      this.#sessionMessages.data(packet, datagram, now)
      return 'data'
    }
    if (source.port === 0 || !labPolicy(source, false)) return this.#drop('sourceRefused')
    const kind = classify(bytes)
    if (kind === 'stun') {
      this.#stun.receive(bytes, source, now)
      return kind
    }
    if (isStunOnly) return this.#drop('unexpected')
    if (kind === 'record') return this.#drop(kind)
    const decoded = decode(bytes)
    if (!decoded.ok) return this.#drop('refused')
    this.#receive(decoded.message, decoded.encoding, datagram, now)
    return kindOf(decoded.message)
  }

  #drop(why: RelayCounter): 'other' {
    this.#counters.count(why)
    return 'other'
  }

  #receive(message: Message, encoding: Encoding, datagram: Datagram, now: Instant): void {
    const { bytes, source } = datagram
    switch (message.op_code) {
      case OP.keepAlive:
        return this.#keepAliveResponder.receive(message, encoding, datagram, now)
      case OP.proxyData:
      case OP.proxyDataAck:
      case OP.punchAck:
        return this.#sessionMessages.receive(message, encoding, datagram, now)
      case OP.directRequest:
        return this.#registrar.receive({ message, bytes, source, encoding }, now)
      case OP.punchRequest:
        return this.#isOpen() ? this.#rendezvous.request({ message, bytes, source, encoding }, now) : undefined
      case OP.proxyRequest:
        return this.#isOpen() ? this.#proxyResponder.request({ message, bytes, source, encoding }, now) : undefined
      default:
        return this.#counters.count('unexpected')
    }
  }

  /** A message of the fleet came. It is the machine's. */
  fleetReceived(message: Uint8Array, now: Instant): void {
    this.#channelForwarder.flush()
    this.#sweep ??= later(now, SWEEP_INTERVAL)
    this.#fleet?.receive(message, now)
  }

  /** The bus did not take one. */
  readonly fleetLost = (): void => this.#counters.count('fleetLost')
  get fleetNodes(): readonly FleetNode[] {
    return this.#fleet?.nodes ?? []
  }

  /** Ended entries leave their tables, and a relay that drains tells its peers. */
  wake(now: Instant): void {
    this.#channelForwarder.flush()
    this.#fleet?.wake(now)
    this.#drain?.wake(now)
    if (this.#sweep === undefined || this.#sweep > now) return
    for (const table of [
      this.#admission,
      this.#arrivals,
      this.#bindings,
      this.#pairs,
      this.#sessions,
      this.#unboundErrors,
      this.#keepAliveResponder,
      this.#rendezvous,
      this.#dataForwarder,
      ...Object.values(this.#context.rates),
    ])
      table.expire(now)
    this.access.expire(now)
    this.#sweep = this.#isEmpty() ? undefined : later(now, SWEEP_INTERVAL)
  }

  poll(): Output<RelayEvent | FleetMessage> | undefined {
    this.#channelForwarder.flush()
    return this.#context.outbox.poll() ?? this.#fleet?.poll()
  }

  get deadline(): Instant | undefined {
    return earliest(this.#sweep, earliest(this.#drain?.deadline, this.#fleet?.deadline))
  }

  counters(): Record<RelayCounter, number> {
    return this.#counters.snapshot()
  }

  stats(): RelayStats {
    const { rates, keys, outbox } = this.#context
    return {
      bindings: this.#bindings.size,
      sessions: this.#sessions.size,
      attempts: this.#rendezvous.size,
      access: this.access.gate.size,
      accounts: this.access.meter?.size ?? 0,
      answers: this.#admission.answers,
      ...this.#dataForwarder.sizes,
      ...(this.#fleet?.sizes ?? NO_FLEET),
      rateSources: Object.values(rates).reduce((sum, { size }) => sum + size, 0),
      ids: this.#replay.size,
      parsedKeys: keys.size,
      pendingWork: outbox.pendingWork,
    }
  }

  /**
   * Refuses new peers, attempts and sessions from now on, and tells bound peers to leave. Open
   * sessions continue. The event `drained` follows when nothing goes on any more.
   */
  drain(now: Instant): void {
    this.#channelForwarder.flush()
    if (this.#drain !== undefined) return
    const busyness = (): number => BUSY_COUNTERS.reduce((sum, name) => sum + this.#counters.get(name), 0)
    this.#drain = new Drain(this.#context, this.#bindings, busyness, now)
    this.#registrar.drain()
    this.#fleet?.drain(now)
    this.wake(now)
  }

  #isOpen(): boolean {
    if (this.#drain !== undefined) this.#counters.count('draining')
    return this.#drain === undefined
  }

  #isEmpty(): boolean {
    const { bindings, sessions, answers } = this.stats()
    const others = this.#arrivals.size + this.#keepAliveResponder.size + this.#unboundErrors.size
    if (bindings + sessions + answers + others > 0) return false
    return this.#dataForwarder.isIdle && this.#rendezvous.isIdle && this.access.isIdle
  }
}
