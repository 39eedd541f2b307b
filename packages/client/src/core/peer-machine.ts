/**
 * A peer: every machine of this folder put together, and the one place where datagrams are told apart.
 *
 *   registrations ── keep a binding at each relay          answers ────── 0x101 from others
 *   dials ────────── what `connect` started                invitations ── 0x112 from relays
 *   attempts ─────── direct paths being opened             links ──────── connections and their sessions
 */
import type { PublicKey, RequestReplay } from '@showchain/crypto/core'
import {
  decode,
  type Encoding,
  type Endpoint,
  formatEndpoint,
  MAX_DATAGRAM,
  type Message,
  OP,
  type PeerId,
  type SessionId,
} from '@showchain/wire'
import type { Admission } from './admission.ts'
import { Answers, type Standing } from './answers.ts'
import type { Base } from './base.ts'
import type { Sent } from './channel.ts'
import { Consents } from './consents.ts'
import { Dial, type DialPolicy, requestProxy } from './dial.ts'
import { directSession } from './direct-session.ts'
import type { DialId, LinkId, PeerEvent } from './events.ts'
import { Exchanges } from './exchange.ts'
import { ExpiringMap } from './expiring-map.ts'
import { Invitations } from './invitations.ts'
import { Link, type SessionOwner } from './link.ts'
import type { Datagram, Instant, Machine, Output } from './machine.ts'
import { PunchAttempt } from './punch-attempt.ts'
import { Registration, type RelayAddress } from './registration.ts'
import type { Stamp } from './sequence.ts'
import { CLOSED_SESSION_LIFETIME, MAX_CLOSED_SESSIONS, MAX_LINKS } from './timing.ts'

export interface DialTarget {
  readonly id: PeerId
  readonly policy: DialPolicy
  readonly addresses: readonly Endpoint[]
  readonly relays: readonly RelayAddress[]
}

export class PeerMachine implements Machine<PeerEvent> {
  readonly #base: Base
  readonly #admission: Admission
  readonly #exchanges: Exchanges
  readonly #consents: Consents
  readonly #answers: Answers
  readonly #invitations: Invitations
  /** By endpoint text: the relays of the configuration and of tickets that were dialled. */
  readonly #registrations = new Map<string, Registration>()
  /** One per other peer; at most MAX_LINKS. */
  readonly #links = new Map<PeerId, Link>()
  readonly #linksById = new Map<LinkId, Link>()
  /** At most MAX_SESSIONS_PER_LINK for each link. */
  readonly #sessions = new Map<SessionId, SessionOwner>()
  /** Sessions that this peer ended: their late messages open no new connection. */
  readonly #closedSessions = new ExpiringMap<SessionId, true>({
    lifetime: CLOSED_SESSION_LIFETIME,
    capacity: MAX_CLOSED_SESSIONS,
  })
  /** One per other peer, for ATTEMPT_LIFETIME; only after consent or a dial of our own. */
  readonly #attempts = new Map<PeerId, PunchAttempt>()
  readonly #dials = new Map<DialId, Dial>()
  #nextId = 1

  constructor(base: Base, admission: Admission, replay: RequestReplay) {
    this.#base = base
    this.#admission = admission
    this.#exchanges = new Exchanges(base)
    this.#consents = new Consents(base)
    this.#answers = new Answers(base, {
      admission,
      consents: this.#consents,
      standing: (id, source) => this.#standing(id, source),
      answered: (id, key, source, stamp, agreed, now) => this.#answered(id, key, source, stamp, agreed, now),
    })
    this.#invitations = new Invitations(base, {
      registrations: this.#registrations,
      consents: this.#consents,
      replay,
      attempt: (id, key, caps, now) => this.#attempt(id, key, caps, now),
      welcome: (id) => this.#links.has(id),
    })
  }

  get deadline(): Instant | undefined {
    const timers = this.#base.timers.deadline
    const admission = this.#admission.deadline
    return timers === undefined || (admission !== undefined && admission < timers) ? admission : timers
  }

  wake(now: Instant): void {
    this.#base.timers.wake(now)
    this.#admission.expire(now)
    this.#closedSessions.expire(now)
  }

  poll(): Output<PeerEvent> | undefined {
    return this.#base.outbox.poll()
  }

  /** Registers with a relay and stays registered. */
  register(relay: RelayAddress, now: Instant): Registration {
    const key = formatEndpoint(relay.endpoint)
    const known = this.#registrations.get(key)
    if (known !== undefined) return known
    const registration = new Registration(this.#base, this.#exchanges, relay)
    this.#registrations.set(key, registration)
    registration.start(now)
    return registration
  }

  /** Starts to connect; ends in a `dialed` or a `dialFailed` event. */
  dial(target: DialTarget, now: Instant): DialId {
    const id = this.#nextId++
    const relays = target.policy === 'direct' ? [] : target.relays.map((relay) => this.register(relay, now))
    const link = this.#link(target.id, false)
    const dial = new Dial(this.#base, this.#exchanges, {
      id,
      target: target.id,
      policy: target.policy,
      addresses: target.addresses,
      relays,
      registrations: this.#registrations,
      link: () => (link.closed ? this.#link(target.id, false) : link),
      attempt: (remote, key, caps, at) => this.#attempt(remote, key, caps, at),
      ended: (ended, at) => {
        this.#dials.delete(ended.options.id)
        if (!this.#links.get(target.id)?.open) this.#links.get(target.id)?.close('could not connect', at)
      },
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
    const open = this.#linksById.get(link)
    if (open === undefined) done({ code: 'ERR_CLOSED', why: 'The connection has ended.' }, now)
    else open.send(bytes, done, now)
  }

  /** The application read a message of this connection: there is room for another. */
  read(link: LinkId): void {
    this.#linksById.get(link)?.read()
  }

  closeLink(link: LinkId, now: Instant): void {
    this.#linksById.get(link)?.close('closed by this side', now)
  }

  close(now: Instant): void {
    for (const dial of this.#dials.values()) dial.cancel(now)
    for (const link of [...this.#links.values()]) link.close('closed by this side', now)
    for (const attempt of [...this.#attempts.values()]) attempt.end(now)
    for (const registration of this.#registrations.values()) registration.close(now)
    this.#registrations.clear()
  }

  receive(datagram: Datagram, now: Instant): void {
    this.#base.count('received')
    const decoded = datagram.bytes.length > MAX_DATAGRAM ? undefined : decode(datagram.bytes)
    if (decoded?.ok !== true) return this.#base.count('refused')
    this.#dispatch(decoded.message, decoded.encoding, datagram, now)
  }

  #dispatch(message: Message, encoding: Encoding, datagram: Datagram, now: Instant): void {
    const { source } = datagram
    const registration = this.#registrations.get(formatEndpoint(source))
    registration?.heard()
    switch (message.op_code) {
      case OP.keepAlive:
        return this.#keepAlive(message.id, registration, source, now)
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
        return this.#data(message, encoding, registration, source, now)
      case OP.proxyDataAck: {
        const owner = this.#sessions.get(message.session)
        owner?.link.heardAt(source)
        return owner === undefined ? this.#base.count('unexpected') : owner.channel.acknowledged(message, source, now)
      }
      case OP.error:
        return this.#error(message.code, message.ref_op, message, registration, now)
      case OP.punchRequest:
      case OP.punchAck:
      case OP.proxyRequest:
        // For relays; a peer that is none has nothing to say to them.
        return this.#base.count('unexpected')
    }
  }

  #expected(wanted: boolean): void {
    if (!wanted) this.#base.count('unexpected')
  }

  #keepAlive(id: PeerId, registration: Registration | undefined, source: Endpoint, now: Instant): void {
    if (registration !== undefined && registration.relay.id === id) return registration.keptAlive(now)
    const link = this.#links.get(id)
    const live = link?.heardAt(source) === true
    if (live) link?.keptAlive(now)
    const attempt = this.#attempts.get(id)
    if (attempt !== undefined) attempt.heard(source)
    else if (!live) this.#base.count('unexpected')
  }

  #error(code: number, refOp: number, stamp: Stamp, registration: Registration | undefined, now: Instant): void {
    if (registration === undefined) return this.#base.count('unexpected')
    if (refOp !== OP.proxyData) return registration.error(code, now)
    for (const { channel } of this.#sessions.values()) if (channel.refused(stamp.seq, stamp.ts, now)) return
  }

  #data(
    message: Extract<Message, { op_code: typeof OP.proxyData | typeof OP.proxyPassData }>,
    encoding: Encoding,
    registration: Registration | undefined,
    source: Endpoint,
    now: Instant,
  ): void {
    if (message.target !== this.#base.self || this.#closedSessions.get(message.session, now))
      return this.#base.count('unexpected')
    const owner = this.#sessions.get(message.session)
    if (owner !== undefined) {
      owner.link.heardAt(source)
      return owner.channel.receive(message, encoding, source, now)
    }
    if (message.op_code !== OP.proxyPassData || registration?.registered !== true) return this.#base.count('unexpected')
    if (message.data.length > 0 && !this.#base.plaintext) return this.#base.count('plaintextRefused')
    const accept = (at: Instant): void => {
      if (!this.#links.has(message.id) && this.#links.size >= MAX_LINKS) return this.#base.count('consentRefused')
      const channel =
        this.#sessions.get(message.session)?.channel ??
        this.#link(message.id, true).acceptRelayed(message.session, registration)
      channel.receive(message, encoding, source, at)
    }
    if (this.#links.get(message.id)?.open) accept(now)
    else this.#consents.ask(message.id, 'relay', now, accept)
  }

  #standing(id: PeerId, source: Endpoint): Standing {
    const link = this.#links.get(id)
    if (link?.heardAt(source)) return 'validated'
    return this.#attempts.has(id) ? 'expected' : 'stranger'
  }

  #answered(
    id: PeerId,
    key: PublicKey,
    source: Endpoint,
    stamp: Stamp,
    agreed: 'attempt' | 'direct',
    now: Instant,
  ): void {
    const session = directSession(this.#base.provider, id, this.#base.self, stamp)
    if (agreed === 'direct') {
      if (!this.#links.has(id) && this.#links.size >= MAX_LINKS) return this.#base.count('consentRefused')
      const link = this.#link(id, true)
      link.addDirect(session, source, key, now)
      return link.establish('the other end connected directly', now)
    }
    this.#link(id, true).expectDirect(session, source, key)
    this.#attempts.get(id)?.verified(source)
  }

  /** The attempt under way with a peer, or a new one when that has ended or its path is gone. */
  #attempt(id: PeerId, key: PublicKey, caps: number | undefined, now: Instant): PunchAttempt {
    const known = this.#attempts.get(id)
    if (known !== undefined && (!known.found || this.#links.get(id)?.hasDirect === true)) return known
    known?.end(now)
    const attempt = new PunchAttempt(
      this.#base,
      this.#exchanges,
      {
        remoteId: id,
        key,
        caps,
        direct: (endpoint, stamp, at) => {
          const link = this.#link(id, true)
          link.learnCaps(caps ?? 0)
          link.addDirect(directSession(this.#base.provider, this.#base.self, id, stamp), endpoint, key, at)
          link.establish('both ends reached each other', at)
        },
        ended: () => {
          if (this.#attempts.get(id) === attempt) this.#attempts.delete(id)
        },
      },
      now,
    )
    this.#attempts.set(id, attempt)
    return attempt
  }

  #link(id: PeerId, incoming: boolean): Link {
    const known = this.#links.get(id)
    if (known !== undefined) return known
    const link = new Link(this.#base, {
      id: this.#nextId++,
      remoteId: id,
      incoming,
      sessions: this.#sessions,
      reopen: (registration, lost, now) => this.#reopen(registration, lost, now),
      ended: (session, now) => this.#closedSessions.set(session, true, now),
      closed: (closed) => {
        this.#links.delete(id)
        this.#linksById.delete(closed.options.id)
      },
    })
    this.#links.set(id, link)
    this.#linksById.set(link.options.id, link)
    return link
  }

  #reopen(registration: Registration, link: Link, now: Instant): void {
    registration.whenReady((ready, why, at) => {
      if (link.closed) return
      if (!ready) return link.reopenFailed(`the relay is gone: ${why}`, at)
      requestProxy(this.#base, this.#exchanges, registration, link.options.remoteId, (granted, when) => {
        if (granted.session === undefined) return link.reopenFailed(granted.why, when)
        link.openRelayed(
          granted.session,
          registration,
          (failure, ended) => failure && link.reopenFailed('the other end does not acknowledge any more', ended),
          when,
        )
      })
    }, now)
  }
}
