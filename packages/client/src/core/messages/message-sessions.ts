/**
 * The sessions of one connection, longest unused first: those that carry it now, and older ones that late
 * messages may still come in by. What comes in by any of them is the connection's.
 */
import type { PublicKey } from '@showchain/crypto/core'
import type { PeerId, SessionId } from '@showchain/wire'
import type { Link } from '../connections/connection-machine.ts'
import type { Base } from '../context/peer-context.ts'
import { MAX_SESSIONS_PER_LINK, MAX_UNREAD } from '../context/timing.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { Channel, type OutgoingMessage } from './message-session.ts'

/** Where a session's messages belong. */
export interface SessionOwner {
  readonly link: Link
  readonly channel: Channel
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

export interface ChannelsOptions {
  readonly link: Link
  readonly remoteId: PeerId
  /** All live sessions of the peer. */
  readonly sessions: Map<SessionId, SessionOwner>
  /** Whether a path uses the session: then it stays. */
  inUse(channel: Channel): boolean
  /** A message for the application. */
  message(bytes: Uint8Array, now: Instant): void
}

export class Channels {
  readonly #base: Base
  readonly #options: ChannelsOptions
  /** At most MAX_SESSIONS_PER_LINK, and those in use. */
  #open: Channel[] = []
  /** Messages that the application has not read yet; at most MAX_UNREAD, and one input's more. */
  #unread = 0

  constructor(base: Base, options: ChannelsOptions) {
    this.#base = base
    this.#options = options
  }

  get(session: SessionId): Channel | undefined {
    return this.#options.sessions.get(session)?.channel
  }

  add({ id, to, directKey, consented }: Session, { delivered, ...hooks }: SessionHooks): Channel {
    const { link, remoteId, sessions, inUse, message } = this.#options
    const channel = new Channel(this.#base, {
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
    sessions.set(id, { link, channel })
    if (this.#open.length > MAX_SESSIONS_PER_LINK) {
      const spare = this.#open.find((each) => each !== channel && !inUse(each))
      if (spare !== undefined) this.drop(spare)
    }
    return channel
  }

  /** The application read a message. */
  read(): void {
    this.#unread--
  }

  drop(channel: Channel): void {
    this.#open = this.#open.filter((each) => each !== channel)
    this.#options.sessions.delete(channel.options.session)
  }

  /** Drops all of a kind. @returns them, to be closed. */
  dropAll(kind?: 'direct'): readonly Channel[] {
    const all = this.#open.filter(({ options }) => kind === undefined || options.directKey !== undefined)
    for (const channel of all) this.drop(channel)
    return all
  }

  #used(channel: Channel): void {
    if (this.#open.at(-1) !== channel) this.#open = [...this.#open.filter((each) => each !== channel), channel]
  }
}
