/**
 * The connections of a peer and the sessions in them: one connection for each other peer, each
 * session of either side found by its id, and what becomes of messages for sessions that are not
 * known.
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
import type { Instant, Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { SessionEntry } from '../messages/message-sessions.ts'
import { mayCarry } from '../messages/outgoing-message.ts'
import { requestProxy } from '../relays/proxy-requester.ts'
import type { Registration } from '../relays/registration.ts'
import type { ConnectionGate } from '../requests/connection-gate.ts'
import type { Transactions } from '../requests/transaction.ts'
import { type AnsweredHello, answerHello } from '../secure/hello.ts'
import { warmTarget } from '../secure/hello-exchange.ts'
import type { PathQuestions } from '../secure/path-probing.ts'
import { closedHere, failed } from '../transport/ending.ts'
import { ConnectionMachine } from './connection-machine.ts'
import type { RelayChange } from './connection-paths.ts'
import { EndedSessions } from './ended-sessions.ts'
import { helloAhead } from './hello-ahead.ts'

/** Connections of one peer; at the cap incoming ones are refused. */
export const MAX_CONNECTIONS = 4096
/**
 * Connections that came through a relay and whose other end has proved nothing yet: what a relay passes on is not
 * signed. At the cap the oldest makes room, so that forgers keep nobody out for longer than a handshake takes.
 */
export const MAX_UNPROVEN = 256

type DataMessage = Extract<Message, { op_code: typeof OP.proxyData | typeof OP.proxyPassData }>
type AckMessage = Extract<Message, { op_code: typeof OP.proxyDataAck }>

/**
 * Asks a relay to introduce this peer to another once more.
 * @param done when that ended, with a path or without
 */
export type Punch = (peer: PeerId, registration: Registration, done: (now: Instant) => void, now: Instant) => void

export interface ConnectionTableOwner {
  readonly punch: Punch
  /** Those of the punch attempts at this peer. */
  questions(peer: PeerId): PathQuestions
  /** A connection ended. @param wasOpen whether the application had it */
  closed(peer: PeerId, wasOpen: boolean, now: Instant): void
}

export class ConnectionTable {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #gate: ConnectionGate
  readonly #owner: ConnectionTableOwner
  /** Makes the connection with a peer whose hello was answered. Empty when an input is over. */
  readonly #met = new Map<PeerId, () => ConnectionMachine>()
  /** At most MAX_CONNECTIONS, and one for each dial. */
  readonly #byPeer = new Map<PeerId, ConnectionMachine>()
  readonly #byHandle = new Map<ConnectionHandle, ConnectionMachine>()
  /** Those that began with a dial of this peer's. */
  readonly #begunHere = new WeakSet<ConnectionMachine>()
  /** Oldest first; those that have proved themselves leave when their turn comes. At most MAX_UNPROVEN. */
  readonly #unproven = new Set<ConnectionMachine>()
  /** At most MAX_SESSIONS_PER_CONNECTION for each connection. */
  readonly #sessions = new Map<SessionId, SessionEntry<ConnectionMachine>>()
  readonly #ended = new EndedSessions(MAX_UNPROVEN)
  #nextHandle = 1

  constructor(context: PeerContext, transactions: Transactions, gate: ConnectionGate, owner: ConnectionTableOwner) {
    this.#context = context
    this.#transactions = transactions
    this.#gate = gate
    this.#owner = owner
  }

  get(peer: PeerId): ConnectionMachine | undefined {
    return this.#byPeer.get(peer) ?? this.#met.get(peer)?.()
  }

  get all(): Iterable<ConnectionMachine> {
    return this.#byPeer.values()
  }

  byHandle(handle: ConnectionHandle): ConnectionMachine | undefined {
    return this.#byHandle.get(handle)
  }

  /** Whether another peer may get a connection that was not dialled here; counts a refusal. */
  admits(peer: PeerId): boolean {
    const admitted = this.#byPeer.has(peer) || this.#byPeer.size < MAX_CONNECTIONS
    if (!admitted) this.#context.count('consentRefused')
    return admitted
  }

  /**
   * The connection with a peer that was dialled, under the dial's policy.
   * @param connectionId of a new one, if the hello told one already
   */
  claim(peer: PeerId, policy: PathPolicy, now: Instant, connectionId?: Uint8Array): ConnectionMachine {
    const known = this.get(peer)
    const connection = known ?? this.#begin(peer, policy, connectionId)
    if (known === undefined) this.#begunHere.add(connection)
    this.#unproven.delete(connection)
    connection.claim(policy, true, now)
    return connection
  }

  /** The last dial to a peer ended: what the remote peer began, or what is open, stays. */
  disclaim(peer: PeerId, now: Instant): void {
    const connection = this.get(peer)
    if (connection === undefined || connection.open) return
    if (this.#begunHere.has(connection)) connection.end(failed('could not connect'), now)
    else connection.claim(this.#context.policy, false, now)
  }

  /** The connection with a peer; a new one is incoming. */
  open(peer: PeerId, policy: PathPolicy = this.#context.policy): ConnectionMachine {
    return this.get(peer) ?? this.#begin(peer, policy, undefined)
  }

  #begin(peer: PeerId, policy: PathPolicy, connectionId: Uint8Array | undefined): ConnectionMachine {
    const connection = new ConnectionMachine(this.#context, {
      newHandle: (owner) => {
        const handle = this.#nextHandle++
        this.#byHandle.delete(owner.handle)
        this.#byHandle.set(handle, owner)
        return handle
      },
      remoteId: peer,
      policy,
      connectionId,
      sessions: this.#sessions,
      request: (registration, granted) =>
        void requestProxy(this.#context, this.#transactions, registration, peer, granted),
      punch: (registration, done, now) => this.#owner.punch(peer, registration, done, now),
      questions: this.#owner.questions(peer),
      ended: (session, proven, now) => this.#ended.add(session, proven, now),
      closed: (closed, wasOpen, now) => {
        this.#byPeer.delete(peer)
        this.#unproven.delete(closed)
        this.#byHandle.delete(closed.handle)
        this.#owner.closed(peer, wasOpen, now)
      },
    })
    this.#byPeer.set(peer, connection)
    return connection
  }

  /** Answers the hello of a peer without a connection, which is made when it is asked for, or the input is over. */
  meet(peer: PeerId, value: Uint8Array, stamp: Stamp, now: Instant): AnsweredHello | undefined {
    const ahead = helloAhead(this.#context, peer, this.#context.self, this.#allowsRelay(peer))
    if (ahead === undefined) return undefined
    const { endToEnd, ends, offer } = ahead
    const answered = answerHello(ends, value, offer, warmTarget(endToEnd, peer, stamp, true, now))
    if (answered === undefined) return undefined
    this.#met.set(peer, () => {
      this.#met.delete(peer)
      const connection = this.openUnproven(peer, now, offer.connectionId)
      connection.update((_, secure) => secure?.agree((keys) => keys.answer(value, stamp, now, answered), now), now)
      return connection
    })
    this.#context.pumps.once(() => void this.get(peer), now)
    return answered
  }

  /** One that came from the other end, which proved nothing yet. */
  openUnproven(peer: PeerId, now: Instant, connectionId?: Uint8Array): ConnectionMachine {
    for (const connection of this.#unproven) {
      if (this.#unproven.size < MAX_UNPROVEN) break
      this.#unproven.delete(connection)
      if (!connection.proven) connection.end(failed('others came before it proved itself'), now)
    }
    const connection = this.#begin(peer, this.#context.policy, connectionId)
    this.#unproven.add(connection)
    return connection
  }

  /** Whether any connection may use this relay. */
  uses(registration: Registration): boolean {
    return [...this.#byPeer.values()].some(({ paths }) => paths.relayed.knows(registration))
  }

  /** What became of a relay concerns the connections through it. */
  relayChanged(registration: Registration, what: RelayChange, now: Instant): void {
    for (const connection of [...this.#byPeer.values()])
      connection.update((paths) => paths.relayChanged(registration, what, now), now)
  }

  /** This peer has another address. */
  addressChanged(now: Instant): void {
    for (const connection of [...this.#byPeer.values()]) connection.update((paths) => paths.addressChanged(now), now)
  }

  /** What this peer's NAT does became known. */
  natKnown(now: Instant): void {
    for (const connection of this.#byPeer.values()) connection.paths.improve(now)
  }

  /** This peer has an address that no introduction has said. */
  announce(now: Instant): void {
    for (const connection of this.#byPeer.values())
      if (!connection.paths.hasDirect) connection.update(({ upgrade }) => upgrade.announce(now), now)
  }

  /** 0x123 from the other end of a direct path, or 0x124 from a relay. */
  data(
    message: DataMessage,
    encoding: Encoding,
    registration: Registration | undefined,
    source: Route,
    now: Instant,
  ): void {
    const { target, session: sessionId, id, op_code, data } = message
    if (target !== this.#context.self || this.#ended.has(sessionId, now)) return this.#context.count('unexpected')
    const known = this.#sessions.get(sessionId)
    if (known !== undefined)
      return known.connection.update((paths) => {
        paths.direct.heardAt(source, now)
        known.session.receive(message, encoding, source, now)
      }, now)
    if (op_code !== OP.proxyPassData || registration?.registered !== true || !this.#allowsRelay(id))
      return this.#context.count('unexpected')
    if (!mayCarry(this.#context, data)) return this.#context.count('plaintextRefused')
    const accept = (at: Instant): void => {
      if (!this.admits(id)) return
      const receive = (connection: ConnectionMachine): void =>
        connection.update((paths) => paths.accept(sessionId, registration).receive(message, encoding, source, at), at)
      receive(this.#sessions.get(sessionId)?.connection ?? this.get(id) ?? this.openUnproven(id, at))
    }
    if (this.get(id)?.open) accept(now)
    else this.#gate.ask(id, 'relay', now, accept)
  }

  /**
   * A record, or a part of a handshake.
   * @param channel the session of the channel frame that it came in; undefined: it came as it is
   */
  record(record: Uint8Array, channel: Uint8Array | undefined, source: Route, now: Instant): void {
    const { endToEnd, count } = this.#context
    if (endToEnd === undefined) return count('unexpected')
    if (isHandshake(record)) return this.#handshake(record, source, now)
    if (record.length < RECORD_OVERHEAD || record[0] !== RECORD_BYTE) return count('refused')
    const receiver = endToEnd.connectionIds.find(record)
    if (receiver === undefined) return count('recordRefused')
    receiver.receiveRecord(record, channel ?? source, now)
  }

  /** Only from where its session is, so that strangers cannot make this peer compute. */
  #handshake(record: Uint8Array, source: Route, now: Instant): void {
    const part = readHandshakePart(record)
    const entry = part && this.#sessions.get(sessionIdFromBytes(part.session))
    if (entry === undefined || !sameRoute(entry.session.options.to, source))
      return this.#context.count('handshakeRefused')
    entry.connection.update((_, secure) => secure?.receiveHandshake(record, entry.session, now), now)
  }

  #allowsRelay(peer: PeerId): boolean {
    return this.get(peer)?.paths.allowsRelay ?? this.#context.policy !== 'direct-only'
  }

  acknowledged(message: AckMessage, source: Route, now: Instant): void {
    const entry = this.#sessions.get(message.session)
    if (entry === undefined) return this.#context.count('unexpected')
    entry.connection.update((paths) => {
      paths.direct.heardAt(source, now)
      entry.session.acknowledged(message, source, now)
    }, now)
  }

  /**
   * A relay does not have the session of one of our messages. Rare, and the one place that looks at
   * every session.
   */
  noSession({ seq, ts }: Stamp, registration: Registration, now: Instant): void {
    for (const { connection, session } of this.#sessions.values()) {
      if (session.options.to !== registration.route || !session.refused(seq, ts)) continue
      return connection.update(() => {}, now)
    }
  }

  expire(now: Instant): void {
    this.#ended.expire(now)
  }

  close(now: Instant): void {
    this.#met.clear()
    for (const connection of [...this.#byPeer.values()]) connection.end(closedHere(), now)
  }
}
