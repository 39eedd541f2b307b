/**
 * The path of one connection through a relay: a session there, and another one, there or at the
 * next relay that both ends know, when that is lost (relay-failover.ts).
 */
import type { SessionId } from '@showchain/wire'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { MessageSession } from '../messages/message-session.ts'
import type { MessageSessions } from '../messages/message-sessions.ts'
import type { OutgoingMessage, Sent } from '../messages/outgoing-message.ts'
import type { Registration, RelayAddress } from '../relays/registration.ts'
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

interface Current {
  readonly registration: Registration
  readonly session: MessageSession
}

const SILENT = 'the remote peer does not acknowledge any more'

export class RelayedPath {
  readonly #context: ConnectionContext
  readonly #options: RelayedPathOptions
  readonly #events = new EventQueue<PathEvent>()
  readonly #failover: RelayFailover
  /** The relay of each session. */
  readonly #relayOf = new WeakMap<MessageSession, Registration>()
  #current: Current | undefined
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
    return this.#current?.session
  }

  get relay(): RelayAddress | undefined {
    return this.#current?.registration.relay
  }

  /** Whether the relay of a session forwards channel frames. */
  carriesFrames(session: MessageSession): boolean {
    return this.#relayOf.get(session)?.carriesFrames === true
  }

  /** One that can introduce both ends to each other now. */
  get registered(): Registration | undefined {
    return this.#relays.find(({ serves }) => serves)
  }

  /** The session that is used at this relay. */
  sessionAt(registration: Registration): MessageSession | undefined {
    return this.#current?.registration === registration ? this.#current.session : undefined
  }

  /** Both ends know this relay. */
  meet(registration: Registration): void {
    if (!this.#relays.includes(registration) && this.#relays.length < MAX_RELAYS_PER_CONNECTION)
      this.#relays = [...this.#relays, registration]
  }

  /** A relay granted a session: it is a path once the other end acknowledged something in it. */
  open(id: SessionId, registration: Registration, opened: Sent, now: Instant): void {
    const session = this.#add(id, registration, false)
    const done: Sent = (failure, at) => {
      // On a failure it is listened to all the same: the other end may have got the message, and
      // use the session.
      if (failure === undefined) {
        this.#reached(session, registration, 'the relay reached the remote peer')
        this.#context.drain(at)
      }
      opened(failure, at)
    }
    session.send({ bytes: new Uint8Array(0), done }, now)
  }

  /** The other end uses a session that a relay granted to it. */
  accept(id: SessionId, registration: Registration): MessageSession {
    this.meet(registration)
    const session = this.#add(id, registration, true)
    this.#current = { registration, session }
    return session
  }

  /** Looks for a relay, as there is no path at all. */
  recover(now: Instant): void {
    this.#failover.start(now)
  }

  /** The relay does not answer any more, or has forgotten this peer. */
  relayLost(registration: Registration, now: Instant): void {
    if (this.#current?.registration === registration) this.#leave(`relay ${registration.relay.id} is lost`, now)
  }

  /**
   * The relay is about to end. Its session stays in use until one at another relay is proven, or
   * for good where there is no other.
   */
  relayDraining(registration: Registration, now: Instant): void {
    const others = this.#relays.some(({ serves }) => serves)
    if (this.#current?.registration === registration && others) this.#failover.start(now)
  }

  /**
   * A message was not acknowledged, nor anything else since it was sent. If the relay works, the
   * session or the remote peer is gone.
   */
  silent(session: MessageSession, since: Instant, now: Instant): void {
    const current = this.#current
    if (current?.session === session && current.registration.heardSince(since)) this.#leave(SILENT, now)
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
    const reason = `relay ${this.#relayOf.get(session)?.relay.id} lost the session`
    if (this.#current === undefined || this.#current.session === session) this.#leave(reason, now, unsent, abandoned)
    else this.#events.push({ type: 'lost', reason, unsent, abandoned })
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
    const leaves = this.#current?.registration.draining === true && !registration.draining
    if (this.#current === undefined || leaves) this.#current = { registration, session }
    this.#failover.settle()
    this.#events.push({ type: 'usable', reason })
  }

  #leave(
    reason: string,
    now: Instant,
    handedBack: readonly OutgoingMessage[] = [],
    abandoned: readonly OutgoingMessage[] = [],
  ): void {
    const unsent = [...handedBack, ...(this.#current?.session.takeQueued() ?? [])]
    this.#current = undefined
    this.#events.push({ type: 'note', what: reason })
    this.#failover.start(now)
    this.#events.push({ type: 'lost', reason, unsent, abandoned })
  }

  #try(turn: Turn): void {
    this.#options.request(turn.relay, (id, why, now) => {
      if (this.#stopped) return
      if (id === undefined) this.#failover.tried(turn, why, now)
      else this.open(id, turn.relay, (failure, at) => this.#failover.tried(turn, failure && SILENT, at), now)
      this.#context.drain(now)
    })
  }

  #add(id: SessionId, registration: Registration, consented: boolean): MessageSession {
    const { sessions } = this.#options
    const to = registration.relay.endpoint
    const session = sessions.add({ id, to, directKey: undefined, consented, liveness: registration })
    this.#relayOf.set(session, registration)
    return session
  }
}
