/**
 * The connections of a peer and the sessions in them: one connection for each other peer, each session of
 * either side found by its id, and what becomes of messages for sessions that nobody knows.
 */
import {
  type Encoding,
  type Message,
  OP,
  type PeerId,
  RECORD_BYTE,
  type SessionId,
  sessionIdFromBytes,
} from '@showchain/wire'
import { isHandshake, RECORD_OVERHEAD, readHandshakePart } from '@showchain/wire/end-to-end'
import type { ConnectionHandle, PathPolicy } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import { ExpiringMap } from '../endpoint/expiring-map.ts'
import { type Duration, duration, type Instant, type Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { sameRoute } from '../endpoint/route.ts'
import { mayCarry } from '../messages/message-session.ts'
import type { SessionEntry } from '../messages/message-sessions.ts'
import { requestProxy } from '../relays/proxy-requester.ts'
import type { Registration } from '../relays/registration.ts'
import type { ConnectionGate } from '../requests/connection-gate.ts'
import type { Transactions } from '../requests/transaction.ts'
import { ConnectionMachine } from './connection-machine.ts'

/** Connections of one peer; at the cap incoming ones are refused. */
export const MAX_CONNECTIONS = 4096
/** A session that this peer ended is remembered this long: as long as a relay keeps one that is idle. */
export const CLOSED_SESSION_LIFETIME: Duration = duration(600_000)
/** At the cap the oldest is forgotten. */
export const MAX_CLOSED_SESSIONS = 4096

type DataMessage = Extract<Message, { op_code: typeof OP.proxyData | typeof OP.proxyPassData }>
type AckMessage = Extract<Message, { op_code: typeof OP.proxyDataAck }>

export type Punch = (peer: PeerId, registration: Registration, done: (now: Instant) => void, now: Instant) => void

export class ConnectionTable {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #consents: ConnectionGate
  readonly #punch: Punch
  /** At most MAX_CONNECTIONS, and one for each dial. */
  readonly #byPeer = new Map<PeerId, ConnectionMachine>()
  readonly #byId = new Map<ConnectionHandle, ConnectionMachine>()
  /** At most MAX_SESSIONS_PER_CONNECTION for each connection. */
  readonly #sessions = new Map<SessionId, SessionEntry<ConnectionMachine>>()
  /** Sessions that this peer ended: their late messages open no new connection. */
  readonly #ended = new ExpiringMap<SessionId, true>({
    lifetime: CLOSED_SESSION_LIFETIME,
    capacity: MAX_CLOSED_SESSIONS,
  })
  #nextId = 1

  /** @param punch asks a relay to introduce this peer to another once more. */
  constructor(context: PeerContext, transactions: Transactions, consents: ConnectionGate, punch: Punch) {
    this.#punch = punch
    this.#context = context
    this.#transactions = transactions
    this.#consents = consents
  }

  get(peer: PeerId): ConnectionMachine | undefined {
    return this.#byPeer.get(peer)
  }

  byId(id: ConnectionHandle): ConnectionMachine | undefined {
    return this.#byId.get(id)
  }

  /** Whether another peer may get a connection that nobody here dialled. */
  hasRoomFor(peer: PeerId): boolean {
    const room = this.#byPeer.has(peer) || this.#byPeer.size < MAX_CONNECTIONS
    if (!room) this.#context.count('consentRefused')
    return room
  }

  /** The connection with a peer that was dialled, under the dial's policy. */
  claim(peer: PeerId, policy: PathPolicy, now: Instant): ConnectionMachine {
    const connection = this.open(peer, policy)
    connection.claim(policy, now)
    return connection
  }

  /** The connection with a peer; a new one is theirs. */
  open(peer: PeerId, policy: PathPolicy = this.#context.policy): ConnectionMachine {
    const known = this.#byPeer.get(peer)
    if (known !== undefined) return known
    const connection = new ConnectionMachine(this.#context, {
      newId: (owner) => {
        const id = this.#nextId++
        this.#byId.delete(owner.id)
        this.#byId.set(id, owner)
        return id
      },
      remoteId: peer,
      policy,
      sessions: this.#sessions,
      request: (registration, granted) =>
        void requestProxy(this.#context, this.#transactions, registration, peer, granted),
      punch: (registration, done, now) => this.#punch(peer, registration, done, now),
      ended: (session, now) => this.#ended.set(session, true, now),
      closed: (closed) => {
        this.#byPeer.delete(peer)
        this.#byId.delete(closed.id)
      },
    })
    this.#byPeer.set(peer, connection)
    return connection
  }

  /** A registration ended: connections through that relay look for another way. */
  relayLost(registration: Registration, now: Instant): void {
    for (const connection of [...this.#byPeer.values()]) connection.relayed.relayLost(registration, now)
  }

  /** This peer has another address. */
  addressChanged(now: Instant): void {
    for (const connection of this.#byPeer.values()) connection.addressChanged(now)
  }

  /** What this peer's NAT does became known. */
  natKnown(now: Instant): void {
    for (const connection of this.#byPeer.values()) connection.improve(now)
  }

  /** 0x123 from the other end of a direct path, or 0x124 from a relay. */
  data(
    message: DataMessage,
    encoding: Encoding,
    registration: Registration | undefined,
    source: Route,
    now: Instant,
  ): void {
    const { target, session, id, op_code, data } = message
    if (target !== this.#context.self || this.#ended.get(session, now)) return this.#context.count('unexpected')
    const owner = this.#sessions.get(session)
    if (owner !== undefined) {
      owner.connection.direct.heardAt(source, now)
      return owner.channel.receive(message, encoding, source, now)
    }
    if (op_code !== OP.proxyPassData || registration?.registered !== true || !this.#allowsRelay(id))
      return this.#context.count('unexpected')
    if (!mayCarry(this.#context, data)) return this.#context.count('plaintextRefused')
    const accept = (at: Instant): void => {
      if (!this.hasRoomFor(id)) return
      const channel = this.#sessions.get(session)?.channel ?? this.open(id).relayed.accept(session, registration)
      channel.receive(message, encoding, source, at)
    }
    if (this.get(id)?.open) accept(now)
    else this.#consents.ask(id, 'relay', now, accept)
  }

  /** A record, or a part of a handshake. @param direct whether it came as it is, and not through a relay */
  record(record: Uint8Array, direct: boolean, source: Route, now: Instant): void {
    const { endToEnd, count } = this.#context
    if (endToEnd === undefined) return count('unexpected')
    if (isHandshake(record)) return this.#handshake(record, source, now)
    if (record.length < RECORD_OVERHEAD || record[0] !== RECORD_BYTE) return count('refused')
    const secure = endToEnd.connectionIds.find(record)
    if (secure === undefined) return count('recordRefused')
    secure.receive(record, direct ? source : undefined, now)
  }

  /** Only from where its session is, so that strangers cannot make this peer compute. */
  #handshake(record: Uint8Array, source: Route, now: Instant): void {
    const part = readHandshakePart(record)
    const owner = part && this.#sessions.get(sessionIdFromBytes(part.session))
    if (owner === undefined || !sameRoute(owner.channel.options.to, source))
      return this.#context.count('handshakeRefused')
    owner.connection.protection?.secure.handshake(record, now)
  }

  #allowsRelay(peer: PeerId): boolean {
    return this.get(peer)?.allowsRelay ?? this.#context.policy !== 'direct-only'
  }

  acknowledged(message: AckMessage, source: Route, now: Instant): void {
    const owner = this.#sessions.get(message.session)
    if (owner === undefined) return this.#context.count('unexpected')
    owner.connection.direct.heardAt(source, now)
    owner.channel.acknowledged(message, source, now)
  }

  /** A relay does not have the session of one of our messages. Rare, and the one place that looks at every session. */
  noSession({ seq, ts }: Stamp, registration: Registration, now: Instant): void {
    for (const { channel } of this.#sessions.values()) {
      if (channel.options.to === registration.relay.endpoint && channel.refused(seq, ts, now)) return
    }
  }

  expire(now: Instant): void {
    this.#ended.expire(now)
  }

  close(now: Instant): void {
    for (const connection of [...this.#byPeer.values()]) connection.close('closed by this side', now)
  }
}
