/** The sessions of one connection, longest unused first: those that carry it now, and older ones that late messages may still come in by. */
import type { PublicKey } from '@showchain/crypto/core'
import type { PeerId, SessionId } from '@showchain/wire'
import type { Base } from './base.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import type { Link } from './link.ts'
import type { Route } from './machine.ts'
import { MAX_SESSIONS_PER_LINK } from './timing.ts'

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

type Hooks = Pick<ChannelOptions, 'sent' | 'doubted' | 'full' | 'delivered' | 'lost'>

export class Channels {
  readonly #base: Base
  readonly #link: Link
  readonly #remoteId: PeerId
  /** All live sessions of the peer. */
  readonly #sessions: Map<SessionId, SessionOwner>
  /** At most MAX_SESSIONS_PER_LINK. */
  #open: Channel[] = []

  constructor(base: Base, link: Link, remoteId: PeerId, sessions: Map<SessionId, SessionOwner>) {
    this.#base = base
    this.#link = link
    this.#remoteId = remoteId
    this.#sessions = sessions
  }

  get(session: SessionId): Channel | undefined {
    return this.#sessions.get(session)?.channel
  }

  /** @param inUse sessions that stay whatever comes. */
  add({ id, to, directKey, consented }: Session, hooks: Hooks, inUse: readonly (Channel | undefined)[]): Channel {
    const channel = new Channel(this.#base, {
      session: id,
      remoteId: this.#remoteId,
      to,
      directKey,
      consented,
      ...hooks,
    })
    this.#open.push(channel)
    this.#sessions.set(id, { link: this.#link, channel })
    if (this.#open.length > MAX_SESSIONS_PER_LINK) {
      const spare = this.#open.find((each) => !inUse.includes(each))
      if (spare !== undefined) this.drop(spare)
    }
    return channel
  }

  /** Something came in by this session. */
  used(channel: Channel): void {
    if (this.#open.at(-1) === channel || !this.#open.includes(channel)) return
    this.#open = [...this.#open.filter((each) => each !== channel), channel]
  }

  drop(channel: Channel): void {
    this.#open = this.#open.filter((each) => each !== channel)
    this.#sessions.delete(channel.options.session)
  }

  /** Drops all. @returns them, to be closed. */
  dropAll(): readonly Channel[] {
    const all = this.#open
    for (const channel of all) this.drop(channel)
    return all
  }
}
