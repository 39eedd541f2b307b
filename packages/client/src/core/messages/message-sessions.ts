/**
 * The sessions of one connection, longest unused first: those that carry it now, and older ones by
 * which late messages may still come. A message that comes by any of them is the connection's.
 */
import type { PublicKey } from '@showchain/crypto/core'
import type { PeerId, SessionId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Route } from '../endpoint/machine.ts'
import { MessageSession, type MessageSessionEvent, type PathLiveness } from './message-session.ts'

/**
 * Messages that one connection holds for its reader. Further ones are not acknowledged, so the
 * other end sends them again.
 */
export const MAX_UNREAD = 1024
/** Sessions of one connection that are still listened to: the newest ones of each path. */
export const MAX_SESSIONS_PER_CONNECTION = 8

/** A session and the connection that its messages belong to. */
export interface SessionEntry<Connection> {
  readonly connection: Connection
  readonly session: MessageSession
}

/** What tells one session from another. */
export interface SessionTraits {
  readonly id: SessionId
  readonly to: Route
  /** The other end's key on a direct path. */
  readonly directKey: PublicKey | undefined
  /** Whether the other end agreed to it already. */
  readonly consented: boolean
  readonly liveness: PathLiveness
}

export interface MessageSessionsOptions<Connection> {
  readonly connection: Connection
  readonly remoteId: PeerId
  /** All live sessions of the peer. */
  readonly table: Map<SessionId, SessionEntry<Connection>>
  /** Whether a path uses the session: then it stays. */
  inUse(session: MessageSession): boolean
}

export class MessageSessions<Connection = unknown> {
  readonly #context: PeerContext
  readonly #options: MessageSessionsOptions<Connection>
  readonly #events = new EventQueue<MessageSessionEvent>()
  /** At most MAX_SESSIONS_PER_CONNECTION, and those in use. */
  #open: MessageSession[] = []
  #turns = 0
  /** Messages that the application has not read yet; at most MAX_UNREAD, and one input's more. */
  #unread = 0

  constructor(context: PeerContext, options: MessageSessionsOptions<Connection>) {
    this.#context = context
    this.#options = options
  }

  get(id: SessionId): MessageSession | undefined {
    return this.#options.table.get(id)?.session
  }

  /** Those of this connection, longest unused first. */
  get all(): readonly MessageSession[] {
    return this.#open
  }

  /** One of this connection. */
  find(matches: (session: MessageSession) => boolean): MessageSession | undefined {
    return this.#open.find(matches)
  }

  add(traits: SessionTraits): MessageSession {
    const { connection, remoteId, table, inUse } = this.#options
    const options = { ...traits, remoteId, turn: this.#turns++, full: () => this.#unread >= MAX_UNREAD }
    const session = new MessageSession(this.#context, options, this.#events)
    this.#open.push(session)
    table.set(traits.id, { connection, session })
    if (this.#open.length > MAX_SESSIONS_PER_CONNECTION) {
      const spare = this.#open.find((each) => each !== session && !inUse(each))
      if (spare !== undefined) this.drop(spare)
    }
    return session
  }

  /** What happened in one of the sessions. A message that came is unread from then on. */
  poll(): MessageSessionEvent | undefined {
    const event = this.#events.poll()
    if (event?.type !== 'received') return event
    this.#used(event.session)
    if (event.bytes.length > 0) this.#unread++
    return event
  }

  /** The application read a message. */
  read(): void {
    this.#unread--
  }

  drop(session: MessageSession): void {
    this.#open = this.#open.filter((each) => each !== session)
    this.#options.table.delete(session.options.id)
  }

  /** Drops all of a kind. @returns them, to be closed. */
  dropAll(kind?: 'direct'): readonly MessageSession[] {
    const all = this.#open.filter(({ options }) => kind === undefined || options.directKey !== undefined)
    for (const session of all) this.drop(session)
    return all
  }

  #used(session: MessageSession): void {
    if (this.#open.at(-1) !== session) this.#open = [...this.#open.filter((each) => each !== session), session]
  }
}
