/**
 * A peer: every machine of this folder put together, and the one place where datagrams are told apart.
 *
 *   registrations ── keep a binding at each relay          answers ────── 0x101 from others
 *   dials ────────── what `connect` started                invitations ── 0x112 from relays
 *   attempts ─────── direct paths being opened             connections ──────── connections and their sessions
 */
import { directSession, type PublicKey } from '@showchain/crypto/core'
import {
  CHANNEL_BYTE,
  decode,
  type Encoding,
  type Endpoint,
  formatEndpoint,
  isStun,
  MAX_DATAGRAM,
  type Message,
  OP,
  type PeerId,
  RECORD_BYTE,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import { ConnectionTable } from '../connections/connection-table.ts'
import type { ConnectionHandle, DialId, DialPolicy, PeerEvent } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { PeerCounter } from '../context/peer-counters.ts'
import type { Admission } from '../endpoint/admission.ts'
import type { Counters } from '../endpoint/counters.ts'
import type { Datagram, Instant, Machine, Output, Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { routeKey } from '../endpoint/route.ts'
import type { Sent } from '../messages/message-session.ts'
import { NatDiscovery } from '../nat/nat-discovery.ts'
import { viewsOf } from '../punch/candidates.ts'
import { PunchAttempts } from '../punch/punch-attempts.ts'
import { PunchRequester } from '../punch/punch-requester.ts'
import { PunchResponder } from '../punch/punch-responder.ts'
import { Registration, type RelayAddress } from '../relays/registration.ts'
import { ConnectionGate } from '../requests/connection-gate.ts'
import { type AddressValidation, type Request as DirectRequest, DirectResponder } from '../requests/direct-responder.ts'
import { Transactions } from '../requests/transaction.ts'
import type { SecureStatistics } from '../secure/secure-session.ts'
import type { Transport } from '../transport/transport.ts'
import { Dial } from './dial.ts'
import { type PeerMachineOptions, peerParts } from './peer-parts.ts'

export interface DialTarget {
  readonly id: PeerId
  readonly policy: DialPolicy
  readonly addresses: readonly Endpoint[]
  readonly relays: readonly RelayAddress[]
}

export class PeerMachine implements Machine<PeerEvent> {
  readonly #context: PeerContext
  readonly #counters: Counters<PeerCounter>
  readonly #admission: Admission
  readonly #transactions: Transactions
  readonly #answers: DirectResponder
  readonly #invitations: PunchResponder
  readonly #connections: ConnectionTable
  /** Not in seed mode, whose relays know no STUN. */
  readonly #discovery: NatDiscovery | undefined
  /** At most as many as the configuration names. */
  #stunServers: readonly Endpoint[] = []
  readonly #attempts: PunchAttempts
  /** By endpoint text: the relays of the configuration and of tickets that were dialled. */
  readonly #registrations = new Map<string, Registration>()
  /** Until each ends, within the time of two requests. */
  readonly #dials = new Map<DialId, Dial>()
  /** At most one for each connection. */
  readonly #requests = new Set<PunchRequester>()
  #nextDial = 1

  constructor(options: PeerMachineOptions) {
    const { context, admission, replay, counters } = peerParts(options)
    this.#context = context
    this.#counters = counters
    this.#admission = admission
    this.#transactions = new Transactions(context)
    const consents = new ConnectionGate(context, (id) =>
      [...this.#dials.values()].some(({ options }) => options.target === id),
    )
    this.#connections = new ConnectionTable(context, this.#transactions, consents, (...how) => this.#punchAgain(...how))
    this.#attempts = new PunchAttempts(context, this.#transactions, this.#connections)
    this.#discovery = context.seedMode ? undefined : this.#natDiscovery()
    this.#answers = new DirectResponder(context, {
      admission,
      consents,
      validation: (id, source, now) => this.#validation(id, source, now),
      answered: (request, key, source, agreed, now) => this.#answered(request, key, source, agreed, now),
    })
    this.#invitations = new PunchResponder(context, {
      registrations: this.#registrations,
      consents,
      replay,
      attempts: this.#attempts,
      acquaintance: (id) => {
        const connection = this.#connections.get(id)
        if (connection === undefined) return context.policy === 'relay-only' ? 'hidden' : 'stranger'
        return connection.allowsDirect ? 'known' : 'hidden'
      },
    })
  }

  /** What was counted so far, by name. */
  counters(): Record<PeerCounter, number> {
    return this.#counters.snapshot()
  }

  get deadline(): Instant | undefined {
    const timers = this.#context.timers.deadline
    const admission = this.#admission.deadline
    return timers === undefined || (admission !== undefined && admission < timers) ? admission : timers
  }

  wake(now: Instant): void {
    this.#context.timers.wake(now)
    this.#admission.expire(now)
    this.#connections.expire(now)
  }

  poll(): Output<PeerEvent> | undefined {
    return this.#context.outbox.poll()
  }

  /** Registers with a relay and stays registered. */
  register(relay: RelayAddress, now: Instant): Registration {
    const key = formatEndpoint(relay.endpoint)
    const known = this.#registrations.get(key)
    if (known !== undefined) return known
    const registration = new Registration(this.#context, this.#transactions, relay, {
      registered: (at) => this.#discovery?.start(at),
      lost: (lost, at) => this.#connections.relayLost(lost, at),
      moved: (_moved, at) => this.#connections.addressChanged(at),
    })
    this.#registrations.set(key, registration)
    registration.start(now)
    return registration
  }

  /** Asks these what the NAT does, before the relays. Not in seed mode. */
  useStunServers(servers: readonly Endpoint[], now: Instant): void {
    this.#stunServers = servers
    this.#discovery?.start(now)
  }

  /** Whether the relay answered lately. */
  isRegistered({ endpoint }: RelayAddress): boolean {
    return this.#registrations.get(formatEndpoint(endpoint))?.registered === true
  }

  /** Starts to connect; ends in a `dialed` or a `dialFailed` event. */
  dial({ id: target, policy, addresses, relays }: DialTarget, now: Instant): DialId {
    const id = this.#nextDial++
    const dial = new Dial(this.#context, this.#transactions, {
      ...{ id, target, policy, addresses },
      relays: policy === 'direct' ? [] : relays.map((relay) => this.register(relay, now)),
      registrations: this.#registrations,
      connections: this.#connections,
      attempts: this.#attempts,
      ended: () => this.#dials.delete(id),
    })
    this.#dials.set(id, dial)
    dial.start(now)
    return id
  }

  /** Gives a dial up: it fails with what was tried, unless it has succeeded already. */
  cancelDial(id: DialId, now: Instant): void {
    this.#dials.get(id)?.cancel(now)
  }

  /** Sends one message; `done` is called when the other end acknowledged it, or with why it did not. */
  send(connection: ConnectionHandle, bytes: Uint8Array, done: Sent, now: Instant): void {
    const open = this.#connections.byId(connection)
    if (open === undefined) done({ code: 'ERR_CLOSED', why: 'The connection has ended.' }, now)
    else open.send(bytes, done, now)
  }

  /**
   * Does something with the streams of a protected connection, and sends what follows.
   * @returns undefined when it has ended, or is not protected
   */
  useTransport<T>(connection: ConnectionHandle, use: (transport: Transport) => T, now: Instant): T | undefined {
    const protection = this.#connections.byId(connection)?.protection
    if (protection?.transport === undefined) return undefined
    const result = use(protection.transport)
    protection.secure.pump(now)
    return result
  }

  /** Bytes that one message of this connection may have at the moment. */
  maxMessage(connection: ConnectionHandle): number {
    return this.#connections.byId(connection)?.protection?.maxDatagram ?? this.#context.maxMessage
  }

  /** What is known of a connection's path; undefined when it has ended, or is not protected. */
  statistics(connection: ConnectionHandle): SecureStatistics | undefined {
    return this.#connections.byId(connection)?.protection?.secure.statistics
  }

  /** The application read a message of this connection: there is room for another. */
  read(connection: ConnectionHandle): void {
    this.#connections.byId(connection)?.read()
  }

  closeConnection(connection: ConnectionHandle, now: Instant): void {
    this.#connections.byId(connection)?.close('closed by this side', now)
  }

  close(now: Instant): void {
    for (const dial of this.#dials.values()) dial.cancel(now)
    this.#connections.close(now)
    this.#discovery?.close()
    for (const request of this.#requests) request.close()
    this.#attempts.close(now)
    for (const registration of this.#registrations.values()) registration.close(now)
    this.#registrations.clear()
    this.#transactions.close()
    this.#context.sockets.closeAll()
  }

  receive(datagram: Datagram, now: Instant): void {
    this.#context.count('received')
    if (isStun(datagram.bytes))
      return this.#expected(this.#discovery?.receive(datagram.bytes, datagram.source, now) === true)
    const { bytes, source } = datagram
    if (bytes[0] === RECORD_BYTE) return this.#connections.record(bytes, true, source, now)
    if (bytes[0] === CHANNEL_BYTE)
      return this.#connections.record(bytes.subarray(CHANNEL_HEADER_BYTES), false, source, now)
    const decoded = datagram.bytes.length > MAX_DATAGRAM ? undefined : decode(datagram.bytes)
    if (decoded?.ok !== true) return this.#context.count('refused')
    this.#dispatch(decoded.message, decoded.encoding, datagram, now)
  }

  #dispatch(message: Message, encoding: Encoding, datagram: Datagram, now: Instant): void {
    const { source } = datagram
    const registration = this.#registrations.get(routeKey(source))
    registration?.heard(now)
    switch (message.op_code) {
      case OP.keepAlive:
        return this.#keepAlive(message.id, encoding, registration, source, now)
      case OP.directRequest:
        return this.#answers.receive(message, encoding, datagram, now)
      case OP.directResponse:
        return this.#expected(this.#transactions.deliver(OP.directRequest, message, datagram, now))
      case OP.sameAddressResponse:
      case OP.punchPassAck:
        return this.#expected(this.#transactions.deliver(OP.punchRequest, message, datagram, now))
      case OP.proxyResponse:
        return this.#expected(this.#transactions.deliver(OP.proxyRequest, message, datagram, now))
      case OP.challenge:
        return this.#expected(this.#transactions.deliver(message.ref_op, message, datagram, now))
      case OP.punchPassRequest:
        // Punch safety: only a relay that this peer registered with may make it send anywhere.
        return registration?.registered
          ? this.#invitations.receive(message, encoding, registration, now)
          : this.#context.count('unexpected')
      case OP.proxyData:
      case OP.proxyPassData:
        return this.#connections.data(message, encoding, registration, source, now)
      case OP.proxyDataAck:
        return this.#connections.acknowledged(message, source, now)
      case OP.error:
        return this.#error(message.code, message.ref_op, message, registration, now)
      case OP.punchRequest:
      case OP.punchAck:
      case OP.proxyRequest:
        // For relays; a peer that is none has nothing to say to them.
        return this.#context.count('unexpected')
    }
  }

  #natDiscovery(): NatDiscovery {
    const registered = (): readonly Registration[] =>
      [...this.#registrations.values()].filter((each) => each.registered && each.knowsExtensions)
    return new NatDiscovery(this.#context, {
      servers: () => [...this.#stunServers, ...registered().map(({ relay }) => relay.endpoint)],
      views: () => viewsOf(registered()),
      changed: (report, now) => {
        const { mapping, filtering } = report
        this.#context.nat.known = { mapping, filtering }
        this.#context.outbox.event({ type: 'nat', report })
        this.#connections.natKnown(now)
      },
    })
  }

  #expected(wanted: boolean): void {
    if (!wanted) this.#context.count('unexpected')
  }

  #keepAlive(
    id: PeerId,
    encoding: Encoding,
    registration: Registration | undefined,
    source: Route,
    now: Instant,
  ): void {
    if (registration !== undefined && registration.relay.id === id) return registration.keptAlive(encoding, now)
    const connection = this.#connections.get(id)
    const live = connection?.direct.heardAt(source, now) === true
    if (live) connection?.direct.keptAlive(encoding, now)
    const attempt = this.#attempts.get(id)
    if (attempt !== undefined) attempt.heard(source)
    else if (!live) this.#context.count('unexpected')
  }

  #error(code: number, refOp: number, stamp: Stamp, registration: Registration | undefined, now: Instant): void {
    if (registration === undefined) return this.#context.count('unexpected')
    if (refOp === OP.proxyData) this.#connections.noSession(stamp, registration, now)
    else registration.error(code, now)
  }

  #validation(id: PeerId, source: Route, now: Instant): AddressValidation {
    const connection = this.#connections.get(id)
    if (connection?.direct.heardAt(source, now)) return 'validated'
    return this.#attempts.has(id) ? 'expected' : 'unvalidated'
  }

  #answered(request: DirectRequest, key: PublicKey, source: Route, agreed: 'attempt' | 'direct', now: Instant): void {
    const { provider, self } = this.#context
    const { id, ext } = request
    const session = directSession(provider, { requester: id, responder: self, seq: request.seq, ts: request.ts })
    if (!this.#connections.hasRoomFor(id)) return
    const connection = this.#connections.open(id)
    if (!connection.allowsDirect) return
    connection.direct.learnCaps(ext?.caps)
    if (agreed === 'direct') {
      connection.direct.add(session, source, key, now)
      connection.establish('the other end connected directly', now)
    } else {
      connection.direct.expect(session, source, key)
      this.#attempts.verified(id, source)
    }
  }

  /** A connection that lives on a relay asks it once more to be introduced. */
  #punchAgain(target: PeerId, registration: Registration, done: (now: Instant) => void, now: Instant): void {
    const request = new PunchRequester(this.#context, this.#transactions, {
      ...{ target, registration, registrations: this.#registrations, attempts: this.#attempts },
      knowsExtensions: this.#connections.get(target)?.direct.speaksExtensions === true,
      done: (_why, at) => {
        request.close()
        this.#requests.delete(request)
        done(at)
      },
    })
    this.#requests.add(request)
    request.start(now)
  }
}
