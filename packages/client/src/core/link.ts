/**
 * One connection: everything that this peer has with one other peer, whichever paths carry it. It
 * opens with its first path, sends on the best it has, and closes with its last.
 *
 * A direct path is better than a relay. A message is acknowledged on the path that it was sent on, so
 * a change of path loses nothing and doubles nothing.
 */
import type { PublicKey } from '@showchain/crypto/core'
import {
  CAPS,
  type Encoding,
  type Endpoint,
  formatEndpoint,
  type PeerId,
  type SessionId,
  sameEndpoint,
} from '@showchain/wire'
import type { Base } from './base.ts'
import { Channel, type OutgoingMessage, type Sent } from './channel.ts'
import type { LinkId, Path } from './events.ts'
import { KeepAlive } from './keep-alive.ts'
import type { Instant } from './machine.ts'
import type { Registration } from './registration.ts'
import { MAX_SESSIONS_PER_LINK, MAX_UNREAD, SEND_QUEUE } from './timing.ts'

/** Where a session's messages belong. */
export interface SessionOwner {
  readonly link: Link
  readonly channel: Channel
}

export interface LinkOptions {
  readonly id: LinkId
  readonly remoteId: PeerId
  readonly incoming: boolean
  /** All live sessions of the peer; a link adds and removes its own. */
  readonly sessions: Map<SessionId, SessionOwner>
  /** The relay lost the session of this link: ask for another. */
  reopen(registration: Registration, link: Link, now: Instant): void
  /** A session that was live has ended. */
  ended(session: SessionId, now: Instant): void
  closed(link: Link): void
}

interface DirectPath {
  readonly endpoint: Endpoint
  readonly keepAlive: KeepAlive
  channel: Channel
}

interface RelayedPath {
  readonly registration: Registration
  readonly channel: Channel
}

export class Link {
  readonly options: LinkOptions
  readonly #base: Base
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** Oldest first; at most MAX_SESSIONS_PER_LINK. */
  #channels: Channel[] = []
  #direct: DirectPath | undefined
  #relayed: RelayedPath | undefined
  /** Whether the other end takes data on a direct path, as far as it told. */
  #directData: boolean | 'asked' | undefined
  /** Sent while no path carries data, for the next one; at most SEND_QUEUE. */
  #unsent: OutgoingMessage[] = []
  #announced = ''
  /** Whether it will be surfaced as the other end's. */
  #incoming: boolean
  /** When data or an acknowledgement of the other end came last. */
  #heard: Instant | undefined
  /** Messages that the application has not read yet; at most MAX_UNREAD, and one input's more. */
  #unread = 0

  constructor(base: Base, options: LinkOptions) {
    this.#base = base
    this.options = options
    this.#incoming = options.incoming
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  get hasDirect(): boolean {
    return this.#direct !== undefined
  }

  /** The path that the next message takes; a direct one without data where there is nothing else. */
  get path(): Path | undefined {
    const direct: Path | undefined = this.#direct && { kind: 'direct', remote: this.#direct.endpoint }
    if (this.#relayed === undefined || (direct !== undefined && this.#carrier() === this.#direct?.channel))
      return direct
    const { relay } = this.#relayed.registration
    return { kind: 'relay', remote: relay.endpoint, relay: relay.id }
  }

  /** This side dialled: whatever the other end's late packets began is ours from now on. */
  claim(): void {
    this.#incoming = false
  }

  note(what: string): void {
    this.#base.outbox.event({ type: 'note', remoteId: this.options.remoteId, what })
  }

  /** What the other end said of itself; undefined: nothing. */
  learnCaps(caps: number | undefined): void {
    if (caps !== undefined) this.#directData = (caps & CAPS.directData) !== 0
  }

  /** Whether somebody has to ask the other end what it can do; until then messages wait, where no relay carries them. */
  awaitCaps(): boolean {
    if (this.#directData !== undefined || this.#base.seedMode) return false
    this.#directData = 'asked'
    return true
  }

  get awaitsCaps(): boolean {
    return this.#directData === 'asked'
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    const carrier = this.#carrier()
    if (this.#state === 'closed') done({ code: 'ERR_CLOSED', why: 'The connection has ended.' }, now)
    else if (carrier !== undefined) carrier.send({ bytes, done: this.#watched(carrier, done, now) }, now)
    else if (this.#direct !== undefined && !this.awaitsCaps)
      done({ code: 'ERR_NO_DATA_PATH', why: 'The other end has no data on a direct path.' }, now)
    else if (this.#unsent.length === SEND_QUEUE)
      done({ code: 'ERR_BUSY', why: `${SEND_QUEUE} messages wait for a path.` }, now)
    else this.#unsent.push({ bytes, done })
  }

  /** The application read a message. */
  read(): void {
    this.#unread--
  }

  /** A relay granted a session: it is a path once the other end acknowledged something in it. */
  openRelayed(session: SessionId, registration: Registration, opened: Sent, now: Instant): void {
    const channel = this.#relayedChannel(session, registration, false)
    const done: Sent = (failure, at) => {
      if (failure === undefined && !this.closed) {
        this.#relayed ??= { registration, channel }
        this.establish('the relay reached the other end', at)
      } else this.#drop(channel)
      opened(failure, at)
    }
    channel.send({ bytes: new Uint8Array(0), done }, now)
  }

  /** The other end uses a session that a relay granted to it. */
  acceptRelayed(session: SessionId, registration: Registration): Channel {
    const channel = this.#relayedChannel(session, registration, true)
    this.#relayed = { registration, channel }
    return channel
  }

  /** 0x101/0x102 succeeded at an address: this is the direct path, and data goes there under this session. */
  addDirect(session: SessionId, endpoint: Endpoint, key: PublicKey, now: Instant): void {
    const channel = this.expectDirect(session, endpoint, key)
    if (this.#direct !== undefined && sameEndpoint(this.#direct.endpoint, endpoint)) {
      this.#direct.channel = channel
      return
    }
    this.#direct?.keepAlive.stop()
    this.#direct = {
      endpoint,
      channel,
      keepAlive: new KeepAlive(this.#base, endpoint, now, (at) => this.#directDied(at)),
    }
    this.note(`direct path to ${formatEndpoint(endpoint)}`)
  }

  /** The other end's 0x101 was answered there: it may send data under this session. */
  expectDirect(session: SessionId, endpoint: Endpoint, key: PublicKey): Channel {
    const known = this.options.sessions.get(session)?.channel
    return (
      known ??
      this.#channel(session, endpoint, key, true, {
        sent: (now) => this.#direct?.keepAlive.sent(now),
        lost: () => {},
        delivered: (now) => {
          this.#directData = true
          // Data came under a session that only our answer can have told of: the path works both ways.
          if (this.#direct === undefined) this.addDirect(session, endpoint, key, now)
          this.establish('data came on a direct path', now)
        },
      })
    )
  }

  /** There is a path: surface the connection or that its path changed, and send what waited for one. */
  establish(reason: string, now: Instant): void {
    const path = this.path
    if (path === undefined || this.#state === 'closed') return
    const announced = `${path.kind} ${formatEndpoint(path.remote)}`
    if (this.#state === 'opening' || announced !== this.#announced) this.#announce(path, announced, reason)
    const unsent = this.#unsent
    this.#unsent = []
    for (const { bytes, done } of unsent) this.send(bytes, done, now)
  }

  #announce(path: Path, announced: string, reason: string): void {
    const { id, remoteId } = this.options
    const incoming = this.#incoming
    this.#announced = announced
    this.note(`now ${announced}: ${reason}`)
    if (this.#state === 'open') return this.#base.outbox.event({ type: 'path', link: id, path, reason })
    this.#state = 'open'
    this.#base.outbox.event({ type: 'open', link: id, remoteId, path, incoming })
  }

  /** A datagram came from an address of the other end; true when that is the direct path's. */
  heardAt(source: Endpoint, now: Instant): boolean {
    if (this.#direct === undefined || !sameEndpoint(this.#direct.endpoint, source)) return false
    this.#direct.keepAlive.heard(now)
    return true
  }

  /** The other end keeps the direct path alive. */
  keptAlive(encoding: Encoding, now: Instant): void {
    this.#direct?.keepAlive.echo(encoding, now)
  }

  /** No relay could be had in place of one that lost the session. */
  reopenFailed(why: string, now: Instant): void {
    if (this.path === undefined) this.close(why, now)
  }

  close(why: string, now: Instant): void {
    if (this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    this.#direct?.keepAlive.stop()
    for (const { done } of this.#unsent.splice(0)) done({ code: 'ERR_CLOSED', why }, now)
    for (const channel of [...this.#channels]) {
      this.#drop(channel)
      channel.close(why, now)
      this.options.ended(channel.options.session, now)
    }
    this.options.closed(this)
    if (wasOpen) this.#base.outbox.event({ type: 'closed', link: this.options.id, reason: why })
  }

  /** The channel for the next message: the direct one, unless the other end does not take data there or has not said so while a relay does. */
  #carrier(): Channel | undefined {
    const refused = this.#base.seedMode || this.#directData === false || this.awaitsCaps
    const direct = refused ? undefined : this.#direct?.channel
    return this.#directData === true ? (direct ?? this.#relayed?.channel) : (this.#relayed?.channel ?? direct)
  }

  /** When nothing came for as long as one message was tried, on a relay that works, the other end is gone. */
  #watched(carrier: Channel, done: Sent, sent: Instant): Sent {
    return (failure, now) => {
      if (failure === undefined) this.#heard = now
      done(failure, now)
      const silent = failure?.code === 'ERR_TIMEOUT' && (this.#heard === undefined || this.#heard < sent)
      const relayed = this.#relayed?.channel === carrier && this.#relayed.registration.registered
      if (silent && relayed && this.#direct === undefined)
        this.close('the other end does not acknowledge any more', now)
    }
  }

  #directDied(now: Instant): void {
    this.#direct = undefined
    this.note('the direct path is dead: nothing comes back on it')
    if (this.path === undefined) this.close('the direct path is dead, and no relay is there to fall back to', now)
    else this.establish('the direct path is dead', now)
  }

  #relayedChannel(session: SessionId, registration: Registration, consented: boolean): Channel {
    const channel = this.#channel(session, registration.relay.endpoint, undefined, consented, {
      sent: (now) => registration.sent(now),
      lost: (unsent, now) => {
        this.#drop(channel)
        if (this.#relayed?.channel === channel) this.#relayed = undefined
        this.note(`relay ${registration.relay.id} lost the session`)
        this.#unsent.push(...unsent)
        this.options.reopen(registration, this, now)
      },
      delivered: (now) => this.establish('data came through the relay', now),
    })
    return channel
  }

  #channel(
    session: SessionId,
    to: Endpoint,
    directKey: PublicKey | undefined,
    consented: boolean,
    hooks: {
      sent(now: Instant): void
      delivered(now: Instant): void
      lost(unsent: readonly OutgoingMessage[], now: Instant): void
    },
  ): Channel {
    const { remoteId, sessions, id } = this.options
    const channel = new Channel(this.#base, {
      session,
      remoteId,
      to,
      directKey,
      consented,
      sent: hooks.sent,
      full: () => this.#unread >= MAX_UNREAD,
      lost: hooks.lost,
      delivered: (bytes, now) => {
        this.#heard = now
        hooks.delivered(now)
        if (bytes.length === 0) return
        this.#unread++
        this.#base.outbox.event({ type: 'message', link: id, bytes })
      },
    })
    this.#channels.push(channel)
    sessions.set(session, { link: this, channel })
    if (this.#channels.length > MAX_SESSIONS_PER_LINK) {
      const spare = this.#channels.find((each) => each !== this.#direct?.channel && each !== this.#relayed?.channel)
      if (spare !== undefined) this.#drop(spare)
    }
    return channel
  }

  #drop(channel: Channel): void {
    this.#channels = this.#channels.filter((each) => each !== channel)
    this.options.sessions.delete(channel.options.session)
  }
}
