/**
 * One connection: everything that this peer has with one other peer, whichever paths carry it. It
 * opens with its first path and sends on the best it has. It closes when it has none and finds none.
 *
 *   ConnectionPaths ──► this ◄── DataPlane (secure or plaintext)        both polled by whoever called into either
 */
import { formatEndpoint, type PeerId, type SessionId } from '@showchain/wire'
import { type ConnectionHandle, type Path, type PathPolicy, toldPath } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { Waiters } from '../endpoint/waiters.ts'
import type { MessageSession } from '../messages/message-session.ts'
import type { SessionEntry } from '../messages/message-sessions.ts'
import { SESSION_LOST, type Sent } from '../messages/outgoing-message.ts'
import { type ConnectionContext, connectionContext } from '../paths/connection-context.ts'
import type { RequestSession } from '../paths/relayed-path.ts'
import type { Registration } from '../relays/registration.ts'
import type { PathQuestions } from '../secure/path-probing.ts'
import { type Ending, failed } from '../transport/ending.ts'
import type { UnreadStream } from '../transport/events.ts'
import type { Streams } from '../transport/streams/streams.ts'
import { ConnectionPaths, type ConnectionPathsEvent } from './connection-paths.ts'
import { CONNECTION_ENDED, type DataPlane, type DataPlaneEvent } from './data-plane.ts'
import { HeldEvents } from './held-events.ts'
import { PlaintextDataPlane } from './plaintext-data-plane.ts'
import { SecureDataPlane } from './secure-data-plane.ts'

export interface ConnectionMachineOptions {
  /** A handle for the connection; another one when the other end starts over. */
  newHandle(connection: ConnectionMachine): ConnectionHandle
  readonly remoteId: PeerId
  readonly policy: PathPolicy
  /** All live sessions of the peer; a connection adds and removes its own. */
  readonly sessions: Map<SessionId, SessionEntry<ConnectionMachine>>
  readonly request: RequestSession
  /** Asks a relay to introduce both ends to each other once more. */
  punch(registration: Registration, done: (now: Instant) => void, now: Instant): void
  readonly questions: PathQuestions
  /** That the remote peer was told already. @default another one */
  readonly connectionId?: Uint8Array | undefined
  /** A session that was live has ended. @param proven whether the connection was */
  ended(session: SessionId, proven: boolean, now: Instant): void
  /** @param wasOpen whether the application had it */
  closed(connection: ConnectionMachine, wasOpen: boolean, now: Instant): void
}

type Paths = ConnectionPaths<ConnectionMachine>

export class ConnectionMachine {
  readonly remoteId: PeerId
  readonly #context: ConnectionContext
  readonly #options: ConnectionMachineOptions
  /** To be asked; they are changed by `update`. */
  readonly paths: Paths
  /** What protects its data, to be asked. */
  readonly secure: SecureDataPlane | undefined
  readonly #dataPlane: DataPlane
  /** Dials that wait until data can flow: one for each way that they try. */
  readonly #waiters = new Waiters<[why: string | undefined, now: Instant]>()
  #handle: ConnectionHandle
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** The path that the application was told of last. */
  #announced = ''
  /** Whether this end's application asked for it. */
  #dialled = false
  /** Whether the remote peer's did, as it says. */
  #remoteDialled = false
  #draining = false
  readonly #held = new HeldEvents()

  constructor(peer: PeerContext, options: ConnectionMachineOptions) {
    const { remoteId, policy, sessions, request, questions, connectionId } = options
    const context = connectionContext(peer, (now) => this.#drain(now))
    this.remoteId = remoteId
    this.#context = context
    this.#options = options
    this.#handle = options.newHandle(this)
    this.paths = new ConnectionPaths(context, {
      ...{ connection: this, remoteId, policy, table: sessions, request },
      open: () => this.open,
    })
    const own = { dialled: () => this.#dialled, questions, connectionId }
    this.secure = context.endToEnd && new SecureDataPlane(context, context.endToEnd, remoteId, this, this.paths, own)
    this.#dataPlane = this.secure ?? new PlaintextDataPlane(this.paths, context.timers, context.maxMessage)
  }

  get handle(): ConnectionHandle {
    return this.#handle
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  /** Whether the remote peer is there, and not only somebody who forges what a relay passes on. */
  get proven(): boolean {
    return this.#dialled || (this.secure === undefined ? this.paths.proven : this.open)
  }

  get maxDatagramSize(): number {
    return this.#dataPlane.maxDatagramSize
  }

  /** Changes the paths, or agrees on keys. @returns undefined when it has ended */
  update<Result>(
    change: (paths: Paths, secure: SecureDataPlane | undefined) => Result,
    now: Instant,
  ): Result | undefined {
    if (this.#state === 'closed') return undefined
    const result = change(this.paths, this.secure)
    this.#drain(now)
    return result
  }

  /** This side dialled, or gave its dial up: the connection goes on by this policy. */
  claim(policy: PathPolicy, dialled: boolean, now: Instant): void {
    this.#dialled = dialled
    if (!dialled) this.secure?.agree((keys) => keys.giveUp(), now)
    this.#endSessions(this.paths.restrict(policy), 'relay-only from now on', this.proven, now)
    if (this.open && this.paths.best === undefined) this.paths.relayed.recover(now)
    this.#drain(now)
  }

  /** A capability exchange or the like ended: data may take another path than before. */
  pathChanged(reason: string, now: Instant): void {
    this.#pathChanged(reason, now)
    this.#drain(now)
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    if (this.#state === 'closed') return done(CONNECTION_ENDED, now)
    this.#dataPlane.send(bytes, done, now)
    this.#drain(now)
  }

  /** The application read a datagram. */
  read(): void {
    this.#dataPlane.read()
  }

  /** Runs a command on the streams of a protected connection, and sends what follows. */
  useStreams<Result>(use: (streams: Streams) => Result, now: Instant): Result | undefined {
    const streams = this.secure?.streams
    if (streams === undefined) return undefined
    const result = use(streams)
    this.#drain(now)
    return result
  }

  /** @see RecordReceiver */
  receiveRecord(record: Uint8Array, from: Route | Uint8Array, now: Instant): void {
    this.secure?.receiveRecord(record, from, now)
    this.#drain(now)
  }

  /** Calls back once, when the application has the connection or never will. */
  whenReady(waiter: (why: string | undefined, now: Instant) => void, now: Instant): void {
    if (this.open) waiter(undefined, now)
    else this.#waiters.add(waiter)
  }

  end({ end, goodbye }: Ending, now: Instant): void {
    if (this.#state === 'closed') return
    const { open: wasOpen, proven } = this
    const unread = this.secure?.streams?.unread() ?? []
    this.#dataPlane.close(end.reason, goodbye, now)
    this.#state = 'closed'
    this.#endSessions(this.paths.stop(), end.reason, proven, now)
    this.#options.closed(this, wasOpen, now)
    const { outbox } = this.#context
    if (wasOpen) outbox.event({ type: 'closed', connection: this.#handle, ...end, unread })
    else outbox.event({ type: 'abandoned', remoteId: this.remoteId })
    this.#waiters.settle(end.reason, now)
  }

  #endSessions(sessions: readonly MessageSession[], why: string, proven: boolean, now: Instant): void {
    for (const session of sessions) {
      session.close(why, now)
      this.#options.ended(session.options.id, proven, now)
    }
  }

  /** @see Pumped */
  pump(now: Instant): boolean {
    if (this.#state === 'closed') return false
    const more = this.secure?.pump(now) === true
    this.#settle(now)
    return more
  }

  /** Takes up what its parts say; at the end of the input it sends. */
  #drain(now: Instant): void {
    this.#settle(now)
    if (this.secure !== undefined && this.#state !== 'closed') this.#context.pumps.add(this, now)
  }

  /** Until its parts are silent. */
  #settle(now: Instant): void {
    if (this.#draining) return
    this.#draining = true
    while (this.#state !== 'closed') {
      const ofPaths = this.paths.poll(now)
      const ofData = ofPaths === undefined ? this.#dataPlane.poll(now) : undefined
      if (ofPaths !== undefined) this.#onPaths(ofPaths, now)
      else if (ofData !== undefined) this.#onData(ofData, now)
      else break
    }
    this.#draining = false
  }

  #onPaths(event: ConnectionPathsEvent, now: Instant): void {
    switch (event.type) {
      case 'note':
        return this.#note(event.what)
      case 'usable':
        return this.#pathChanged(event.reason, now)
      case 'lost':
        this.#dataPlane.pathLost(event.unsent, now)
        this.#pathChanged(event.reason, now)
        for (const { done } of event.abandoned) done(SESSION_LOST, now)
        return
      case 'failed':
        if (this.paths.best === undefined) this.end(failed(event.why), now)
        return
      case 'doubt':
        return this.secure?.doubt(now)
      case 'received':
        return this.#dataPlane.receive(event.bytes, event.session, now)
      case 'punch':
        return this.#options.punch(
          event.registration,
          (at) => this.update(({ upgrade }) => upgrade.punched(at), at),
          now,
        )
    }
  }

  #onData(event: DataPlaneEvent, now: Instant): void {
    switch (event.type) {
      case 'ready':
        if (event.before !== undefined && this.open) this.#startOver(event.before)
        if (!this.open) this.#held.take()
        this.#remoteDialled = event.remoteDialled
        // Only the remote peer completes a handshake: the session by which it did works both ways.
        if (event.by !== undefined) this.paths.carried(event.by, now)
        return this.#pathChanged('handshake completed', now)
      case 'ended':
        return this.end(event, now)
      case 'rebound':
        return this.paths.direct.rebind(event.route, this.#context.keys.get(this.remoteId), now)
      case 'pathResponse':
        return this.#options.questions.answered(event.token, event.asks, now)
      default:
        if (!this.open) return this.#held.hold(event)
        return this.#context.outbox.event({ ...event, connection: this.#handle })
    }
  }

  /** The other end has lost this connection and made another: to the application they are two. */
  #startOver(unread: readonly UnreadStream[]): void {
    const { end } = failed('the remote peer restarted')
    this.#context.outbox.event({ type: 'closed', connection: this.#handle, ...end, unread })
    this.#handle = this.#options.newHandle(this)
    this.#state = 'opening'
    this.#dialled = false
  }

  /** There is a path, or another one: the handshake goes on, or the application learns of it. */
  #pathChanged(reason: string, now: Instant): void {
    const { best } = this.paths
    if (best === undefined || this.#state === 'closed') return
    if (!this.paths.allowsRelay) this.paths.relayed.settle()
    if (this.#dataPlane.ready) {
      const over = best.kind === 'relay' && best.over === 'websocket' ? ' by WebSocket' : ''
      const announced = `${best.kind} ${formatEndpoint(best.remote)}${over}`
      if (this.#state === 'opening' || announced !== this.#announced) this.#announce(best, announced, reason, now)
      if (this.#dialled || this.paths.upgrade.due) this.paths.upgrade.plan(now)
    }
    this.#dataPlane.resume(now)
  }

  #announce(best: Path, announced: string, reason: string, now: Instant): void {
    const { outbox, acquaintances } = this.#context
    const { remoteId, secure } = this
    const [connection, path] = [this.#handle, toldPath(best)]
    this.#announced = announced
    if (secure !== undefined && best.kind === 'direct') acquaintances.keepAddress(remoteId, best.remote)
    this.#note(`now ${announced}: ${reason}`)
    if (this.#state === 'open') return outbox.event({ type: 'path', connection, path, reason })
    this.#state = 'open'
    const incoming = !this.#dialled || this.#remoteDialled
    outbox.event({ type: 'open', connection, remoteId, path, incoming, early: secure?.saidEarly === true })
    for (const held of this.#held.take()) outbox.event({ ...held, connection })
    this.#waiters.settle(undefined, now)
  }

  #note(what: string): void {
    this.#context.outbox.event({ type: 'note', remoteId: this.remoteId, what })
  }
}
