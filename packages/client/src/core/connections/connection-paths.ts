/**
 * The paths of one connection and the sessions in them: which one the next data takes, what becomes
 * of a path on which nothing is acknowledged, and how another one is found. It sends on the direct
 * path, unless that is suspect while a relay is there.
 *
 *   MessageSessions ──► DirectPath, RelayedPath ──► 'usable', 'lost', 'failed' ──► the connection
 */
import type { Encoding, PeerId, SessionId } from '@showchain/wire'
import { isHandshake } from '@showchain/wire/end-to-end'
import type { Path, PathPolicy } from '../context/events.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, instant, type Route } from '../endpoint/machine.ts'
import type { MessageSession, MessageSessionEvent } from '../messages/message-session.ts'
import { MessageSessions, type MessageSessionsOptions } from '../messages/message-sessions.ts'
import type { OutgoingMessage, Sent } from '../messages/outgoing-message.ts'
import type { ConnectionContext } from '../paths/connection-context.ts'
import { DirectPath } from '../paths/direct-path.ts'
import { DirectUpgrade } from '../paths/direct-upgrade.ts'
import type { PathEvent } from '../paths/path-event.ts'
import { RelayedPath, type RequestSession } from '../paths/relayed-path.ts'
import type { Registration } from '../relays/registration.ts'
import type { RegistrationEvent } from '../relays/registration-events.ts'

/** What becomes of a relay that paths go through. */
export type RelayChange = Exclude<RegistrationEvent, 'registered' | 'moved' | 'found'>

export type ConnectionPathsEvent =
  | PathEvent
  /** Data came by a session. */
  | { readonly type: 'received'; readonly session: MessageSession; readonly bytes: Uint8Array }
  /** Something tells that the path which data takes may be gone. */
  | { readonly type: 'doubt' }
  /**
   * A direct path is wanted: this relay can introduce both ends. The owner calls `upgrade.punched`
   * when that ended.
   */
  | { readonly type: 'punch'; readonly registration: Registration }

export interface ConnectionPathsOptions<Connection> {
  readonly connection: Connection
  readonly remoteId: PeerId
  readonly policy: PathPolicy
  readonly table: MessageSessionsOptions<Connection>['table']
  readonly request: RequestSession
  /** Whether the connection is open, so that a direct path is worth looking for. */
  readonly open: () => boolean
}

export class ConnectionPaths<Connection = unknown> {
  readonly sessions: MessageSessions<Connection>
  readonly direct: DirectPath
  readonly relayed: RelayedPath
  readonly upgrade: DirectUpgrade
  readonly #events = new EventQueue<ConnectionPathsEvent>()
  readonly #open: () => boolean
  #policy: PathPolicy
  /** Whether data is in records, of which a path that is in doubt gets copies. */
  readonly #protected: boolean
  #stopped = false
  /** When the other end acknowledged something last. */
  #acknowledgedAt: Instant | undefined

  constructor(context: ConnectionContext, options: ConnectionPathsOptions<Connection>) {
    const { connection, remoteId, policy, table, request, open } = options
    this.#policy = policy
    this.#open = open
    this.#protected = context.endToEnd !== undefined
    const sessions = new MessageSessions(context, {
      ...{ connection, remoteId, table },
      inUse: (session) =>
        [this.direct.session, this.direct.former, this.relayed.former].includes(session) || this.relayed.uses(session),
    })
    this.sessions = sessions
    this.direct = new DirectPath(context, { sessions, leads: context.self < remoteId })
    this.relayed = new RelayedPath(context, { sessions, request, allowed: () => this.allowsRelay })
    const wanted = (): boolean => open() && !this.hasDirect && this.allowsDirect && !context.carriers.withoutUdp
    this.upgrade = new DirectUpgrade(context, wanted)
  }

  poll(now: Instant): ConnectionPathsEvent | undefined {
    const ofDirect = this.direct.poll()
    if (ofDirect?.type === 'lost') this.#onDirectLost(now)
    const event = ofDirect ?? this.relayed.poll() ?? this.#events.poll()
    if (event !== undefined) return event
    const ofSession = this.sessions.poll()
    if (ofSession !== undefined) return this.#onSession(ofSession, now) ?? this.poll(now)
    return this.upgrade.poll() && this.#punch(now)
  }

  get hasDirect(): boolean {
    return this.direct.route !== undefined
  }

  /**
   * Since when this end has had a way to the other one, as far as it knows; undefined: it has lost
   * every relay, and has no direct path.
   */
  get reachableSince(): Instant | undefined {
    return this.hasDirect ? instant(0) : this.relayed.reachableSince
  }

  /** Whether something shows that the other end is there: what a relay passes on is not signed. */
  get proven(): boolean {
    return this.hasDirect || this.#acknowledgedAt !== undefined
  }

  /** Whether the other end may learn this one's address. */
  get allowsDirect(): boolean {
    return this.#policy !== 'relay-only'
  }

  /** Whether a relay may see its data. */
  get allowsRelay(): boolean {
    return this.#policy !== 'direct-only'
  }

  /** The path that the next data takes; a direct one that carries none where there is nothing else. */
  get best(): Path | undefined {
    const { route } = this.direct
    const relayed = this.relayed.path
    const direct = route !== undefined && (relayed === undefined || this.#prefersDirect())
    return direct ? { kind: 'direct', remote: route } : relayed
  }

  /** The session for the next data. */
  get session(): MessageSession | undefined {
    const relayed = this.relayed.session
    if (!this.#protected && relayed !== undefined && this.direct.suspected) return relayed
    return this.#prefersDirect() ? this.direct.session : relayed
  }

  /** The session that data takes beside `session` while that is in doubt. */
  get standby(): MessageSession | undefined {
    const relayed = this.relayed.session
    return this.session === relayed ? this.relayed.standby : relayed
  }

  /** Whether there is a direct path to an end that takes no data there. */
  get withoutData(): boolean {
    return this.hasDirect && !this.direct.awaitsCaps
  }

  /** This side dialled, under this policy. @returns the sessions that it ends */
  restrict(policy: PathPolicy): readonly MessageSession[] {
    this.#policy = policy
    if (this.allowsDirect) return []
    this.direct.drop()
    return this.sessions.dropAll('direct')
  }

  /** Sends a message. When nothing is acknowledged for as long as it is tried, its path is dead. */
  deliver(session: MessageSession, { bytes, done }: OutgoingMessage, sent: Instant): void {
    session.send(
      {
        bytes,
        done: (failure, now) => {
          if (failure === undefined) this.#acknowledgedAt = now
          done(failure, now)
          const heard = this.#acknowledgedAt !== undefined && this.#acknowledgedAt >= sent
          if (failure?.code !== 'ERR_TIMEOUT' || heard || this.#stopped) return
          // Its address may go on answering: then the other end has forgotten the session, and a
          // new punch makes another.
          if (this.direct.session === session) this.direct.fail()
          else this.relayed.silent(session, sent, now)
        },
      },
      sent,
    )
  }

  /**
   * Nothing comes back by the session that data takes. The relay of it, or the one beside a direct path,
   * is asked whether it is there and has its session, and the next one whether it has the one that stands by.
   */
  doubted(session: MessageSession, now: Instant): void {
    const { standby } = this
    const direct = session === this.direct.session
    // A family or an interface that is gone takes the direct path and the relay at once.
    const relayed = direct ? standby : session
    relayed?.options.liveness.suspect(now)
    if (!direct) this.#ask(session, now)
    if (standby !== undefined) this.#ask(standby, now)
    else if (direct) this.relayed.recover(now)
  }

  /** The path that was in doubt or dead works. */
  works(session: MessageSession, now: Instant): void {
    if (session === this.direct.former) this.direct.revive(now)
    if (session === this.relayed.former) this.relayed.proven(session)
    if (this.session !== undefined) this.relayed.settle()
  }

  /** Nothing came back by a session for so long that it is given up. */
  dead(session: MessageSession, now: Instant): void {
    if (session === this.direct.session) this.direct.fail()
    else this.relayed.dead(session, now)
  }

  /**
   * `lost`: the relay does not answer, or has forgotten this peer. `draining`: it is about to end.
   * `renewed`: it may have lost its sessions, and an empty message shows whether it has this one.
   */
  relayChanged(registration: Registration, what: RelayChange, now: Instant): void {
    if (what === 'lost') return this.relayed.relayLost(registration, now)
    if (what === 'draining') return this.relayed.relayDraining(registration, now)
    const session = this.relayed.sessionAt(registration)
    if (session !== undefined && session.backlog > 0) session.repeat(now)
    else if (session !== undefined) this.#ask(session, now)
  }

  /** The other end's keep-alive came from here. @returns whether it came on the direct path */
  keptAlive(encoding: Encoding, source: Route, now: Instant): boolean {
    if (!this.direct.heardAt(source, now)) return false
    this.direct.keptAlive(encoding, now)
    return true
  }

  /** This end has another address: its direct path may be gone, or has become possible. */
  addressChanged(now: Instant): void {
    this.#events.push({ type: 'usable', reason: 'this end has another address' })
    const relayed = this.relayed.session
    if (relayed !== undefined && this.#protected) this.#ask(relayed, now)
    if (!this.hasDirect) this.improve(now)
    else if (this.#protected) this.#events.push({ type: 'doubt' })
    else this.direct.suspect(now)
  }

  /** More is known than when a direct path was looked for last. */
  improve(now: Instant): void {
    if (this.#open() && !this.hasDirect) this.upgrade.soon(now)
  }

  /** A relay granted the other end a session with this one. */
  accept(id: SessionId, registration: Registration): MessageSession {
    return this.sessions.get(id) ?? this.relayed.accept(id, registration)
  }

  /** What only the remote peer can have sent came by a session: it is a path. */
  carried(session: MessageSession, now: Instant): void {
    if (this.sessions.get(session.options.id) !== session) return
    if (session.options.directKey !== undefined) this.direct.received(session, now)
    else {
      if (this.#protected) this.relayed.proven(session)
      this.relayed.received(session)
    }
  }

  /** @returns the sessions that end with the connection */
  stop(): readonly MessageSession[] {
    this.#stopped = true
    this.upgrade.stop()
    this.relayed.stop()
    this.direct.drop()
    return this.sessions.dropAll()
  }

  /**
   * Whether data belongs on the direct path; before the other end has said that it takes it there,
   * and shown that it receives there, only where no relay carries it.
   */
  #prefersDirect(): boolean {
    const { carriesData, speaksExtensions, proven } = this.direct
    return carriesData && ((speaksExtensions && proven) || this.relayed.session === undefined)
  }

  /** @returns what comes before anything that follows from it */
  #onSession(event: MessageSessionEvent, now: Instant): ConnectionPathsEvent | undefined {
    const { session } = event
    if (event.type === 'lost') return void this.relayed.sessionLost(session, event.unsent, event.abandoned, now)
    // A relay's message is not signed: once there are keys, records show which sessions work.
    const shows = session.options.directKey !== undefined || !this.#protected || !this.#open()
    if (shows) this.carried(session, now)
    // The remote peer has begun a handshake: this end begins none when it learns that there is a path.
    if (isHandshake(event.bytes)) return event
    if (event.bytes.length > 0) this.#events.push(event)
    return undefined
  }

  /** Another direct path is looked for soon, and a relay when no path is left. */
  #onDirectLost(now: Instant): void {
    this.upgrade.soon(now)
    if (this.best === undefined) this.relayed.recover(now)
  }

  /** An empty message: the other end acknowledges it, or the relay says that it has no such session. */
  #ask(session: MessageSession, now: Instant): void {
    const done: Sent = (failure) => {
      if (failure === undefined) this.#events.push({ type: 'usable', reason: 'the remote peer answers' })
    }
    if (session.backlog === 0) this.deliver(session, { bytes: new Uint8Array(0), done }, now)
  }

  #punch(now: Instant): ConnectionPathsEvent | undefined {
    const { registered } = this.relayed
    if (registered !== undefined) return { type: 'punch', registration: registered }
    this.upgrade.punched(now)
    return undefined
  }
}
