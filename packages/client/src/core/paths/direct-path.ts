/**
 * The direct path of one connection: the route on which the other end answered, whether it carries
 * data, and its keep-alive. Each end may find one of its own; then the one of the smaller id
 * counts, and the other end takes it.
 */
import type { PublicKey } from '@showchain/crypto/core'
import {
  CAPS,
  type Encoding,
  formatEndpoint,
  SESSION_ID_BYTES,
  type SessionId,
  sessionIdFromBytes,
} from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { isProven } from '../endpoint/allowance.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { MessageSession } from '../messages/message-session.ts'
import type { MessageSessions } from '../messages/message-sessions.ts'
import { KeepAlive } from '../relays/keep-alive.ts'
import type { PathEvent } from './path-event.ts'

export interface DirectPathOptions {
  readonly sessions: MessageSessions
  /** Whether this end's path counts when each end found one. */
  readonly leads: boolean
}

interface Current {
  readonly route: Route
  readonly keepAlive: KeepAlive
  readonly since: Instant
  session: MessageSession
}

export class DirectPath {
  readonly #context: PeerContext
  readonly #options: DirectPathOptions
  readonly #events = new EventQueue<PathEvent>()
  #current: Current | undefined
  /** The path that was in use before it died: it may come back. */
  #former: Pick<Current, 'route' | 'session'> | undefined
  /** Whether the other end takes data on a direct path; undefined before it said. */
  #takesData: boolean | 'asked' | undefined

  constructor(context: PeerContext, options: DirectPathOptions) {
    this.#context = context
    this.#options = options
  }

  poll(): PathEvent | undefined {
    return this.#events.poll()
  }

  get route(): Route | undefined {
    return this.#current?.route
  }

  get session(): MessageSession | undefined {
    return this.#current?.session
  }

  /** When this end began to use it. */
  get since(): Instant | undefined {
    return this.#current?.since
  }

  /** The session of a dead path that may come back. */
  get former(): MessageSession | undefined {
    return this.#former?.session
  }

  /** Whether something that was sent on it is not answered. */
  get suspected(): boolean {
    return this.#current?.keepAlive.suspected === true
  }

  /**
   * Whether data may go there: not to an end in seed mode, or before one has said what it can do.
   */
  get carriesData(): boolean {
    const refused = this.#context.seedMode || this.#takesData === false || this.awaitsCaps
    return this.#current !== undefined && !refused
  }

  /** Whether the other end showed that it receives there. */
  get proven(): boolean {
    return this.#current !== undefined && isProven(this.#current.route)
  }

  /** The other end showed that it knows extensions, and takes data. */
  get speaksExtensions(): boolean {
    return this.#takesData === true
  }

  get awaitsCaps(): boolean {
    return this.#takesData === 'asked'
  }

  /** The capabilities that the other end announced; undefined: none. */
  learnCaps(caps: number | undefined): void {
    if (caps !== undefined) this.#takesData = (caps & CAPS.directData) !== 0
  }

  /**
   * Whether the other end has to be asked for its capabilities. Until it answers, messages wait
   * where no relay carries them.
   */
  awaitCaps(): boolean {
    if (this.#takesData !== undefined || this.#context.seedMode) return false
    this.#takesData = 'asked'
    return true
  }

  /** 0x101/0x102 succeeded on this route: data goes there under this session. */
  found(id: SessionId, route: Route, key: PublicKey, reason: string, now: Instant): void {
    this.#use(this.expect(id, route, key), route, now)
    this.#events.push({ type: 'usable', reason })
  }

  /** The other end's 0x101 was answered there: it may send data under this session. */
  expect(id: SessionId, route: Route, key: PublicKey): MessageSession {
    const { sessions } = this.#options
    const known = sessions.get(id)
    if (known !== undefined) return known
    const session: MessageSession = sessions.add({
      ...{ id, to: route, directKey: key, consented: true },
      liveness: {
        sent: (now) => this.#keepAliveOf(session)?.sent(now),
        suspect: (now) => this.#keepAliveOf(session)?.suspect(now),
      },
    })
    return session
  }

  /**
   * Tells the other end of the path that was found: it may have none, or another one than counts.
   */
  announce(now: Instant): void {
    if (this.#takesData === true) this.#current?.session.send({ bytes: new Uint8Array(0), done: () => {} }, now)
  }

  /**
   * Data came under a session that only an answer of this peer can have named: the path works both
   * ways.
   */
  received(session: MessageSession, now: Instant): void {
    const { to } = session.options
    this.#takesData = true
    if (this.#current === undefined || (!this.#options.leads && !sameRoute(this.#current.route, to)))
      this.#use(session, to, now)
    this.#events.push({ type: 'usable', reason: 'data came on a direct path' })
  }

  /** Data goes there from now on: the other end answered there, and sends from there. */
  move(session: MessageSession, now: Instant): void {
    this.#use(session, session.options.to, now)
    this.#events.push({ type: 'usable', reason: 'the remote peer sends from another address' })
  }

  /**
   * The other end answered at another address than before, as behind a NAT with a new mapping, or
   * first at its own.
   * @param key of the other end; undefined: it is not known any more
   */
  rebind(route: Route, key: PublicKey | undefined, now: Instant): void {
    const moved = this.#current ?? this.#former
    if (moved !== undefined && moved === this.#current && sameRoute(moved.route, route))
      return this.#events.push({ type: 'usable', reason: 'the remote peer receives at its address' })
    if (key === undefined) return
    if (moved === undefined) return this.answered(route, key, now)
    this.#options.sessions.drop(moved.session)
    this.#current?.keepAlive.stop()
    this.#current = undefined
    this.found(moved.session.options.id, route, key, 'the remote peer has another address', now)
  }

  /** The other end answered a record there: what comes from there is on a path that works both ways. */
  answered(route: Route, key: PublicKey, now: Instant): void {
    this.#takesData = true
    const there = ({ options: { directKey, to } }: MessageSession): boolean =>
      directKey !== undefined && sameRoute(to, route)
    const id = sessionIdFromBytes(this.#context.random.bytes(SESSION_ID_BYTES))
    const session = this.#options.sessions.find(there) ?? this.expect(id, route, key)
    session.options.to.allowance?.lift()
    if (this.#current !== undefined && !sameRoute(this.#current.route, route)) return
    this.#use(session, route, now)
    this.#events.push({ type: 'usable', reason: 'both ends reached each other' })
  }

  /** Whether it goes through this socket of ours. */
  usesSocket(socket: number): boolean {
    return this.#current?.route.socket === socket || this.#former?.route.socket === socket
  }

  /** A datagram came from an address of the other end. @returns whether it came on this path */
  heardAt(source: Route, now: Instant): boolean {
    if (this.#current === undefined || !sameRoute(this.#current.route, source)) return false
    this.#current.keepAlive.heard(now)
    return true
  }

  /** The same. @returns whether the other end is known to receive there */
  provenAt(source: Route, now: Instant): boolean {
    return this.heardAt(source, now) && this.proven
  }

  /** The other end's keep-alive came. */
  keptAlive(encoding: Encoding, now: Instant): void {
    this.#current?.keepAlive.echo(encoding, now)
  }

  suspect(now: Instant): void {
    this.#current?.keepAlive.suspect(now)
  }

  /** The path is dead. */
  fail(): void {
    const unsent = this.#current?.session.takeQueued() ?? []
    const former = this.#current
    this.#current = undefined
    this.drop()
    former?.keepAlive.stop()
    // Only a protected path can be asked whether it is back.
    if (this.#context.endToEnd !== undefined) this.#former = former
    else this.#context.sockets.close(former?.route.socket)
    this.#events.push({ type: 'note', what: 'the direct path is dead: nothing comes back on it' })
    this.#events.push({ type: 'lost', reason: 'the direct path is dead', unsent, abandoned: [] })
  }

  /** A dead path works again. */
  revive(now: Instant): void {
    const former = this.#former
    if (former === undefined || this.#current !== undefined) return
    this.#former = undefined
    this.#use(former.session, former.route, now)
    this.#events.push({ type: 'usable', reason: 'the direct path works again' })
  }

  /** A dead path is given up, with the socket that it had for itself. */
  forgetFormer(): void {
    const former = this.#former
    this.#former = undefined
    this.#context.sockets.close(former?.route.socket)
  }

  /** Leaves the path, with the socket that it had for itself. */
  drop(): void {
    this.#current?.keepAlive.stop()
    this.#context.sockets.close(this.#current?.route.socket)
    this.#current = undefined
    this.forgetFormer()
  }

  #use(session: MessageSession, route: Route, now: Instant): void {
    const known = this.#current
    if (known !== undefined && sameRoute(known.route, route)) {
      if (route.allowance === undefined) known.route.allowance?.lift()
      known.session = session
      return
    }
    this.#current = undefined
    known?.keepAlive.stop()
    const left = [known?.route.socket, this.#former?.route.socket]
    this.#former = undefined
    for (const socket of left) if (socket !== route.socket) this.#context.sockets.close(socket)
    this.#current = {
      route,
      session,
      since: now,
      keepAlive: new KeepAlive(this.#context, route, now, () => this.fail()),
    }
    this.#events.push({ type: 'note', what: `direct path to ${formatEndpoint(route)}` })
  }

  #keepAliveOf(session: MessageSession): KeepAlive | undefined {
    return this.#current?.session === session ? this.#current.keepAlive : undefined
  }
}
