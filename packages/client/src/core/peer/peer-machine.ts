/**
 * A peer: every machine of this folder put together, and the one place where datagrams are told apart.
 *
 *   registrations ── keep a binding at each relay          answers ────── 0x101 from others
 *   dials ────────── what `connect` started                invitations ── 0x112 from relays
 *   attempts ─────── direct paths being opened             links ──────── connections and their sessions
 */
import type { PublicKey } from '@showchain/crypto/core'
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
import { Links } from '../connections/connection-table.ts'
import type { DialId, DialPolicy, LinkId, PeerEvent } from '../context/events.ts'
import type { Base } from '../context/peer-context.ts'
import type { PeerCounter } from '../context/peer-counters.ts'
import type { Admission } from '../endpoint/admission.ts'
import type { Counters } from '../endpoint/counters.ts'
import type { Datagram, Instant, Machine, Output, Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { routeKey } from '../endpoint/route.ts'
import type { Sent } from '../messages/message-session.ts'
import { NatDiscovery } from '../nat/nat-discovery.ts'
import { viewsOf } from '../punch/candidates.ts'
import { Attempts } from '../punch/punch-attempts.ts'
import { PunchRequest } from '../punch/punch-requester.ts'
import { Invitations } from '../punch/punch-responder.ts'
import { Registration, type RelayAddress } from '../relays/registration.ts'
import { Consents } from '../requests/connection-gate.ts'
import { Answers, type Request as DirectRequest, type Standing } from '../requests/direct-responder.ts'
import { directSession } from '../requests/direct-session.ts'
import { Exchanges } from '../requests/transaction.ts'
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
  readonly #base: Base
  readonly #counters: Counters<PeerCounter>
  readonly #admission: Admission
  readonly #exchanges: Exchanges
  readonly #answers: Answers
  readonly #invitations: Invitations
  readonly #links: Links
  /** Not in seed mode, whose relays know no STUN. */
  readonly #discovery: NatDiscovery | undefined
  /** At most as many as the configuration names. */
  #stunServers: readonly Endpoint[] = []
  readonly #attempts: Attempts
  /** By endpoint text: the relays of the configuration and of tickets that were dialled. */
  readonly #registrations = new Map<string, Registration>()
  /** Until each ends, within the time of two requests. */
  readonly #dials = new Map<DialId, Dial>()
  /** At most one for each connection. */
  readonly #requests = new Set<PunchRequest>()
  #nextDial = 1

  constructor(options: PeerMachineOptions) {
    const { base, admission, replay, counters } = peerParts(options)
    this.#base = base
    this.#counters = counters
    this.#admission = admission
    this.#exchanges = new Exchanges(base)
    const consents = new Consents(base, (id) => [...this.#dials.values()].some(({ options }) => options.target === id))
    this.#links = new Links(base, this.#exchanges, consents, (...how) => this.#punchAgain(...how))
    this.#attempts = new Attempts(base, this.#exchanges, this.#links)
    this.#discovery = base.seedMode ? undefined : this.#natDiscovery()
    this.#answers = new Answers(base, {
      admission,
      consents,
      standing: (id, source, now) => this.#standing(id, source, now),
      answered: (request, key, source, agreed, now) => this.#answered(request, key, source, agreed, now),
    })
    this.#invitations = new Invitations(base, {
      registrations: this.#registrations,
      consents,
      replay,
      attempts: this.#attempts,
      standing: (id) => {
        const link = this.#links.get(id)
        if (link === undefined) return base.policy === 'relay-only' ? 'hidden' : 'stranger'
        return link.allowsDirect ? 'welcome' : 'hidden'
      },
    })
  }

  /** What was counted so far, by name. */
  counters(): Record<PeerCounter, number> {
    return this.#counters.snapshot()
  }

  get deadline(): Instant | undefined {
    const timers = this.#base.timers.deadline
    const admission = this.#admission.deadline
    return timers === undefined || (admission !== undefined && admission < timers) ? admission : timers
  }

  wake(now: Instant): void {
    this.#base.timers.wake(now)
    this.#admission.expire(now)
    this.#links.expire(now)
  }

  poll(): Output<PeerEvent> | undefined {
    return this.#base.outbox.poll()
  }

  /** Registers with a relay and stays registered. */
  register(relay: RelayAddress, now: Instant): Registration {
    const key = formatEndpoint(relay.endpoint)
    const known = this.#registrations.get(key)
    if (known !== undefined) return known
    const registration = new Registration(this.#base, this.#exchanges, relay, {
      registered: (at) => this.#discovery?.start(at),
      lost: (lost, at) => this.#links.relayLost(lost, at),
      moved: (_moved, at) => this.#links.addressChanged(at),
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
    const dial = new Dial(this.#base, this.#exchanges, {
      ...{ id, target, policy, addresses },
      relays: policy === 'direct' ? [] : relays.map((relay) => this.register(relay, now)),
      registrations: this.#registrations,
      links: this.#links,
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
  send(link: LinkId, bytes: Uint8Array, done: Sent, now: Instant): void {
    const open = this.#links.byId(link)
    if (open === undefined) done({ code: 'ERR_CLOSED', why: 'The connection has ended.' }, now)
    else open.send(bytes, done, now)
  }

  /**
   * Does something with the streams of a protected connection, and sends what follows.
   * @returns undefined when it has ended, or is not protected
   */
  useTransport<T>(link: LinkId, use: (transport: Transport) => T, now: Instant): T | undefined {
    const protection = this.#links.byId(link)?.protection
    if (protection?.transport === undefined) return undefined
    const result = use(protection.transport)
    protection.secure.pump(now)
    return result
  }

  /** Bytes that one message of this connection may have at the moment. */
  maxMessage(link: LinkId): number {
    return this.#links.byId(link)?.protection?.maxDatagram ?? this.#base.maxMessage
  }

  /** What is known of a connection's path; undefined when it has ended, or is not protected. */
  statistics(link: LinkId): SecureStatistics | undefined {
    return this.#links.byId(link)?.protection?.secure.statistics
  }

  /** The application read a message of this connection: there is room for another. */
  read(link: LinkId): void {
    this.#links.byId(link)?.read()
  }

  closeLink(link: LinkId, now: Instant): void {
    this.#links.byId(link)?.close('closed by this side', now)
  }

  close(now: Instant): void {
    for (const dial of this.#dials.values()) dial.cancel(now)
    this.#links.close(now)
    this.#discovery?.close()
    for (const request of this.#requests) request.close()
    this.#attempts.close(now)
    for (const registration of this.#registrations.values()) registration.close(now)
    this.#registrations.clear()
    this.#exchanges.close()
    this.#base.sockets.closeAll()
  }

  receive(datagram: Datagram, now: Instant): void {
    this.#base.count('received')
    if (isStun(datagram.bytes))
      return this.#expected(this.#discovery?.receive(datagram.bytes, datagram.source, now) === true)
    const { bytes, source } = datagram
    if (bytes[0] === RECORD_BYTE) return this.#links.record(bytes, true, source, now)
    if (bytes[0] === CHANNEL_BYTE) return this.#links.record(bytes.subarray(CHANNEL_HEADER_BYTES), false, source, now)
    const decoded = datagram.bytes.length > MAX_DATAGRAM ? undefined : decode(datagram.bytes)
    if (decoded?.ok !== true) return this.#base.count('refused')
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
        return this.#expected(this.#exchanges.deliver(OP.directRequest, message, datagram, now))
      case OP.sameAddressResponse:
      case OP.punchPassAck:
        return this.#expected(this.#exchanges.deliver(OP.punchRequest, message, datagram, now))
      case OP.proxyResponse:
        return this.#expected(this.#exchanges.deliver(OP.proxyRequest, message, datagram, now))
      case OP.challenge:
        return this.#expected(this.#exchanges.deliver(message.ref_op, message, datagram, now))
      case OP.punchPassRequest:
        // Punch safety: only a relay that this peer registered with may make it send anywhere.
        return registration?.registered
          ? this.#invitations.receive(message, encoding, registration, now)
          : this.#base.count('unexpected')
      case OP.proxyData:
      case OP.proxyPassData:
        return this.#links.data(message, encoding, registration, source, now)
      case OP.proxyDataAck:
        return this.#links.acknowledged(message, source, now)
      case OP.error:
        return this.#error(message.code, message.ref_op, message, registration, now)
      case OP.punchRequest:
      case OP.punchAck:
      case OP.proxyRequest:
        // For relays; a peer that is none has nothing to say to them.
        return this.#base.count('unexpected')
    }
  }

  #natDiscovery(): NatDiscovery {
    const registered = (): readonly Registration[] =>
      [...this.#registrations.values()].filter((each) => each.registered && each.knowsExtensions)
    return new NatDiscovery(this.#base, {
      servers: () => [...this.#stunServers, ...registered().map(({ relay }) => relay.endpoint)],
      views: () => viewsOf(registered()),
      changed: (report, now) => {
        const { mapping, filtering } = report
        this.#base.nat.known = { mapping, filtering }
        this.#base.outbox.event({ type: 'nat', report })
        this.#links.natKnown(now)
      },
    })
  }

  #expected(wanted: boolean): void {
    if (!wanted) this.#base.count('unexpected')
  }

  #keepAlive(
    id: PeerId,
    encoding: Encoding,
    registration: Registration | undefined,
    source: Route,
    now: Instant,
  ): void {
    if (registration !== undefined && registration.relay.id === id) return registration.keptAlive(encoding, now)
    const link = this.#links.get(id)
    const live = link?.direct.heardAt(source, now) === true
    if (live) link?.direct.keptAlive(encoding, now)
    const attempt = this.#attempts.get(id)
    if (attempt !== undefined) attempt.heard(source)
    else if (!live) this.#base.count('unexpected')
  }

  #error(code: number, refOp: number, stamp: Stamp, registration: Registration | undefined, now: Instant): void {
    if (registration === undefined) return this.#base.count('unexpected')
    if (refOp === OP.proxyData) this.#links.noSession(stamp, registration, now)
    else registration.error(code, now)
  }

  #standing(id: PeerId, source: Route, now: Instant): Standing {
    const link = this.#links.get(id)
    if (link?.direct.heardAt(source, now)) return 'validated'
    return this.#attempts.has(id) ? 'expected' : 'stranger'
  }

  #answered(request: DirectRequest, key: PublicKey, source: Route, agreed: 'attempt' | 'direct', now: Instant): void {
    const { id, ext } = request
    const session = directSession(this.#base.provider, id, this.#base.self, request)
    if (!this.#links.hasRoomFor(id)) return
    const link = this.#links.open(id)
    if (!link.allowsDirect) return
    link.direct.learnCaps(ext?.caps)
    if (agreed === 'direct') {
      link.direct.add(session, source, key, now)
      link.establish('the other end connected directly', now)
    } else {
      link.direct.expect(session, source, key)
      this.#attempts.verified(id, source)
    }
  }

  /** A connection that lives on a relay asks it once more to be introduced. */
  #punchAgain(target: PeerId, registration: Registration, done: (now: Instant) => void, now: Instant): void {
    const request = new PunchRequest(this.#base, this.#exchanges, {
      ...{ target, registration, registrations: this.#registrations, attempts: this.#attempts },
      knowsExtensions: this.#links.get(target)?.direct.speaksExtensions === true,
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
