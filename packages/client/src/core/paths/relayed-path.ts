/**
 * The path of one connection through a relay: a proven session at each relay that both ends have, of which
 * one carries data, and the others stand by. When none is left, another one is looked for (relay-failover.ts).
 */
import type { SessionId } from '@showchain/wire'
import type { Path } from '../context/events.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, instant } from '../endpoint/machine.ts'
import type { MessageSession } from '../messages/message-session.ts'
import type { MessageSessions } from '../messages/message-sessions.ts'
import type { OutgoingMessage, Sent } from '../messages/outgoing-message.ts'
import type { Registration } from '../relays/registration.ts'
import type { RelayAddress } from '../relays/relay-route.ts'
import type { ConnectionContext } from './connection-context.ts'
import type { PathEvent } from './path-event.ts'
import { RelayFailover, type Turn } from './relay-failover.ts'

/** Relays that a connection remembers: as many as a ticket names. */
export const MAX_RELAYS_PER_CONNECTION = 8

/** Asks a relay for a session. @param granted gets its id, or undefined and why there is none */
export type RequestSession = (
  registration: Registration,
  granted: (id: SessionId | undefined, why: string, now: Instant) => void,
) => void

export interface RelayedPathOptions {
  readonly sessions: MessageSessions
  /** Whether a relay may see data. */
  readonly allowed: () => boolean
  readonly request: RequestSession
}

const NO_BYTES = new Uint8Array(0)
const SILENT = 'the remote peer does not acknowledge any more'

export class RelayedPath {
  readonly #context: ConnectionContext
  readonly #options: RelayedPathOptions
  readonly #events = new EventQueue<PathEvent>()
  readonly #failover: RelayFailover
  readonly #relayOf = new WeakMap<MessageSession, Registration>()
  /** The newest session at each relay in which the other end answered, in the order of first use. */
  readonly #proven = new Map<Registration, MessageSession>()
  /** The relay that carries data. */
  #current: Registration | undefined
  #former: MessageSession | undefined
  #stopped = false
  /** Relays that both ends know; at most MAX_RELAYS_PER_CONNECTION. */
  #relays: readonly Registration[] = []

  constructor(context: ConnectionContext, options: RelayedPathOptions) {
    this.#context = context
    this.#options = options
    this.#failover = new RelayFailover(context, () => (options.allowed() ? this.#relays : []))
  }

  poll(): PathEvent | undefined {
    for (let event = this.#failover.poll(); event !== undefined; event = this.#failover.poll()) {
      if (event.type === 'failed') this.#events.push(event)
      else this.#try(event.turn)
    }
    return this.#events.poll()
  }

  get session(): MessageSession | undefined {
    return this.#current && this.#proven.get(this.#current)
  }

  /** Where no session carries data: the last one that did, if it was given up for silence. Its relay may have it. */
  get former(): MessageSession | undefined {
    return this.#current === undefined ? this.#former : undefined
  }

  get path(): Path | undefined {
    return this.#current?.path
  }

  /** The relay of a session. */
  relayOf(session: MessageSession): RelayAddress | undefined {
    return this.#relayOf.get(session)?.relay
  }

  /** Whether the relay of a session forwards channel frames. */
  carriesFrames(session: MessageSession): boolean {
    return this.#relayOf.get(session)?.carriesFrames === true
  }

  /** One that can introduce both ends to each other now. */
  get registered(): Registration | undefined {
    return this.#relays.find(({ serves }) => serves)
  }

  /** Since when one of the relays has answered without a break; undefined: all of them are lost. */
  get reachableSince(): Instant | undefined {
    if (this.#relays.length === 0) return instant(0)
    const since = this.#relays.flatMap(({ registeredSince }) => registeredSince ?? [])
    return since.length === 0 ? undefined : instant(Math.min(...since))
  }

  /** Whether both ends know this relay. */
  knows(registration: Registration): boolean {
    return this.#relays.includes(registration)
  }

  /** The session that is used at this relay, or stands by there. */
  sessionAt(registration: Registration): MessageSession | undefined {
    return this.#proven.get(registration)
  }

  /** A session at another relay than the one that carries data. */
  get standby(): MessageSession | undefined {
    const next = this.#next()
    return next && this.#proven.get(next)
  }

  /** Whether the session carries data, or stands by. */
  uses(session: MessageSession): boolean {
    const registration = this.#relayOf.get(session)
    return registration !== undefined && this.#proven.get(registration) === session
  }

  /** Both ends know this relay. */
  meet(registration: Registration): void {
    if (!this.#relays.includes(registration) && this.#relays.length < MAX_RELAYS_PER_CONNECTION)
      this.#relays = [...this.#relays, registration]
  }

  /**
   * A relay granted a session: it is a path once the other end acknowledged something in it.
   * @param first what to send there; empty: it asks for an acknowledgement alone
   */
  open(id: SessionId, registration: Registration, first: Uint8Array, opened: Sent, now: Instant): void {
    const session = this.#add(id, registration, false)
    const done: Sent = (failure, at) => {
      // On a failure it is listened to all the same: the other end may have got the message, and
      // use the session.
      if (failure === undefined) {
        this.#proven.set(registration, session)
        this.#reached(session, registration, 'the relay reached the remote peer')
        this.#context.drain(at)
      }
      opened(failure, at)
    }
    session.send({ bytes: first, done }, now)
  }

  /** The other end uses a session that a relay granted to it. */
  accept(id: SessionId, registration: Registration): MessageSession {
    this.meet(registration)
    const session = this.#add(id, registration, true)
    // What a relay passes on is not signed: it moves no records, which prove a session by themselves.
    // Readable data is acknowledged by the session that it took, so both ends have to take the same.
    if (this.#current === undefined || this.#context.endToEnd === undefined) {
      this.#proven.set(registration, session)
      this.#current = registration
    }
    return session
  }

  /**
   * The relay introduced both ends in this session, and both have signed that they agree. Where there
   * is another one, the other end may know no more than that: a record shows that it uses this one.
   */
  introduced(id: SessionId, registration: Registration): void {
    this.meet(registration)
    if (this.#options.sessions.get(id) !== undefined) return
    const session = this.#add(id, registration, true)
    if (!this.#proven.has(registration)) this.proven(session)
  }

  /** Looks for a relay, as there is no path at all. */
  recover(now: Instant): void {
    this.#failover.start(now)
  }

  /** The relay does not answer any more, or has forgotten this peer. */
  relayLost(registration: Registration, now: Instant): void {
    this.#failover.left(registration, now)
    if (this.#current === registration) this.#leave(`relay ${registration.relay.id} is lost`, now)
    else this.#proven.delete(registration)
  }

  /** The relay is about to end. Its session stays in use until one at another relay is proven, if there is one. */
  relayDraining(registration: Registration, now: Instant): void {
    if (this.knows(registration) && registration.successor !== undefined) this.meet(registration.successor)
    if (this.#current === registration && this.registered !== undefined) this.#failover.start(now)
    this.#failover.left(registration, now)
  }

  /** Nothing was acknowledged since a message was sent. If the relay works, the session or the remote peer is gone. */
  silent(session: MessageSession, since: Instant, now: Instant): void {
    if (this.#relayOf.get(session)?.heardSince(since) === true) this.dead(session, now)
  }

  /** Nothing comes back in a session. */
  dead(session: MessageSession, now: Instant): void {
    if (this.session === session) return this.#leave(SILENT, now)
    const registration = this.#relayOf.get(session)
    if (registration !== undefined && this.uses(session)) this.#proven.delete(registration)
  }

  /**
   * A genuine record came by the session that carries data: the search that began when the one before
   * was lost is over, or its deadline would end the connection in the next outage.
   */
  heard(): void {
    if (this.#current?.draining !== true) this.#failover.settle()
  }

  /** A session works that is not in use: it is the newest at its relay. */
  proven(session: MessageSession): void {
    const registration = this.#relayOf.get(session)
    if (registration === undefined || this.uses(session)) return
    this.#proven.set(registration, session)
    this.#current ??= registration
    this.#failover.settle()
    this.#events.push({ type: 'usable', reason: 'the remote peer takes another session' })
  }

  /** Something of the other end came by a session: what was sent there before arrived. */
  received(session: MessageSession): void {
    const registration = this.#relayOf.get(session)
    if (registration !== undefined) this.#reached(session, registration, 'data came through the relay')
  }

  /** The relay does not have a session any more. */
  sessionLost(
    session: MessageSession,
    unsent: readonly OutgoingMessage[],
    abandoned: readonly OutgoingMessage[],
    now: Instant,
  ): void {
    this.#options.sessions.drop(session)
    const registration = this.#relayOf.get(session)
    const reason = `relay ${registration?.relay.id} lost the session`
    if (this.#current === undefined || this.session === session) return this.#leave(reason, now, unsent, abandoned)
    if (registration !== undefined && this.uses(session)) this.#proven.delete(registration)
    this.#events.push({ type: 'lost', reason, unsent, abandoned })
  }

  /** There is a path that makes another one needless. */
  settle(): void {
    this.#failover.settle()
  }

  stop(): void {
    this.#stopped = true
    this.#failover.stop()
    this.#current = undefined
  }

  #reached(session: MessageSession, registration: Registration, reason: string): void {
    const leaves = this.#current?.draining === true && !registration.draining
    if (!this.#proven.has(registration)) this.#proven.set(registration, session)
    if (this.#current === undefined || leaves) this.#current = registration
    this.#failover.settle()
    this.#events.push({ type: 'usable', reason })
  }

  #leave(
    reason: string,
    now: Instant,
    handedBack: readonly OutgoingMessage[] = [],
    abandoned: readonly OutgoingMessage[] = [],
  ): void {
    const { session } = this
    const unsent = [...handedBack, ...(session?.takeQueued() ?? [])]
    if (session !== undefined) this.#former = reason === SILENT ? session : undefined
    if (this.#current !== undefined) this.#proven.delete(this.#current)
    this.#current = this.#next()
    this.#events.push({ type: 'note', what: reason })
    if (this.#current === undefined) this.#failover.start(now)
    this.#events.push({ type: 'lost', reason, unsent, abandoned })
  }

  #try(turn: Turn): void {
    this.#options.request(turn.relay, (id, why, now) => {
      if (this.#stopped) return
      if (id === undefined) this.#failover.tried(turn, why, now)
      else this.open(id, turn.relay, NO_BYTES, (failure, at) => this.#failover.tried(turn, failure && SILENT, at), now)
      this.#context.drain(now)
    })
  }

  /** A relay other than the one that carries data, at which a session stands by. */
  #next(): Registration | undefined {
    for (const registration of this.#proven.keys())
      if (registration !== this.#current && registration.serves) return registration
    return undefined
  }

  #add(id: SessionId, registration: Registration, consented: boolean): MessageSession {
    const { sessions } = this.#options
    const to = registration.route
    const session = sessions.add({ id, to, directKey: undefined, consented, liveness: registration })
    this.#relayOf.set(session, registration)
    return session
  }
}
