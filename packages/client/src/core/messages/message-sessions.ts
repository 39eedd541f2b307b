/**
 * The sessions of one connection, longest unused first: those that carry it now, and older ones that late
 * messages may still come in by. What comes in by any of them is the connection's.
 */
import type { PublicKey } from '@showchain/crypto/core'
import type { PeerId, SessionId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { MessageSession, type OutgoingMessage } from './message-session.ts'

/** Messages that one connection holds for its reader; more are not acknowledged, so that the other end sends them again later. */
export const MAX_UNREAD = 1024
/** Sessions of one connection that are still listened to: the newest ones of each path. */
export const MAX_SESSIONS_PER_CONNECTION = 8

/** A session and the connection that its messages belong to. */
export interface SessionEntry<Connection> {
  readonly connection: Connection
  readonly channel: MessageSession
}

/** What tells one session from another. */
export interface Session {
  readonly id: SessionId
  readonly to: Route
  /** The other end's key on a direct path. */
  readonly directKey: PublicKey | undefined
  /** Whether the other end agreed to it already. */
  readonly consented: boolean
}

/** What the path of a session does about it. */
export interface SessionHooks {
  sent(now: Instant): void
  doubted(now: Instant): void
  delivered(now: Instant): void
  lost(unsent: readonly OutgoingMessage[], now: Instant): void
}

export interface MessageSessionsOptions<Connection> {
  readonly connection: Connection
  readonly remoteId: PeerId
  /** All live sessions of the peer. */
  readonly sessions: Map<SessionId, SessionEntry<Connection>>
  /** Whether a path uses the session: then it stays. */
  inUse(channel: MessageSession): boolean
  /** A message for the application. */
  message(bytes: Uint8Array, now: Instant): void
}

export class MessageSessions<Connection = unknown> {
  readonly #context: PeerContext
  readonly #options: MessageSessionsOptions<Connection>
  /** At most MAX_SESSIONS_PER_CONNECTION, and those in use. */
  #open: MessageSession[] = []
  /** Messages that the application has not read yet; at most MAX_UNREAD, and one input's more. */
  #unread = 0

  constructor(context: PeerContext, options: MessageSessionsOptions<Connection>) {
    this.#context = context
    this.#options = options
  }

  get(session: SessionId): MessageSession | undefined {
    return this.#options.sessions.get(session)?.channel
  }

  add({ id, to, directKey, consented }: Session, { delivered, ...hooks }: SessionHooks): MessageSession {
    const { connection, remoteId, sessions, inUse, message } = this.#options
    const channel = new MessageSession(this.#context, {
      ...{ session: id, remoteId, to, directKey, consented },
      ...hooks,
      full: () => this.#unread >= MAX_UNREAD,
      delivered: (bytes, now) => {
        this.#used(channel)
        delivered(now)
        if (bytes.length === 0) return
        this.#unread++
        message(bytes, now)
      },
    })
    this.#open.push(channel)
    sessions.set(id, { connection, channel })
    if (this.#open.length > MAX_SESSIONS_PER_CONNECTION) {
      const spare = this.#open.find((each) => each !== channel && !inUse(each))
      if (spare !== undefined) this.drop(spare)
    }
    return channel
  }

  /** The application read a message. */
  read(): void {
    this.#unread--
  }

  drop(channel: MessageSession): void {
    this.#open = this.#open.filter((each) => each !== channel)
    this.#options.sessions.delete(channel.options.session)
  }

  /** Drops all of a kind. @returns them, to be closed. */
  dropAll(kind?: 'direct'): readonly MessageSession[] {
    const all = this.#open.filter(({ options }) => kind === undefined || options.directKey !== undefined)
    for (const channel of all) this.drop(channel)
    return all
  }

  #used(channel: MessageSession): void {
    if (this.#open.at(-1) !== channel) this.#open = [...this.#open.filter((each) => each !== channel), channel]
  }
}
