/**
 * The path of one connection through a relay: a session there, and another one, there or at the next relay
 * that both ends know, when that is lost (recovery.ts).
 */
import type { SessionId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { MessageSession, OutgoingMessage, Sent } from '../messages/message-session.ts'
import type { MessageSessions } from '../messages/message-sessions.ts'
import type { Registration, RelayAddress } from '../relays/registration.ts'
import { RelayFailover } from './relay-failover.ts'

/** Relays that a connection remembers: as many as a ticket names. */
export const MAX_RELAYS_PER_CONNECTION = 8

export interface RelayedPathOptions {
  readonly channels: MessageSessions
  /** Whether a relay may see data. */
  allowed(): boolean
  note(what: string): void
  /** Asks a relay for a session; undefined and why when there is none. */
  request(
    registration: Registration,
    granted: (session: SessionId | undefined, why: string, now: Instant) => void,
  ): void
  /** The other end is there, through a relay. */
  established(reason: string, now: Instant): void
  /** The relay, or its session, is lost; another is being looked for. @param unsent what waited to be sent there. */
  lost(reason: string, unsent: readonly OutgoingMessage[], now: Instant): void
  /** None was found in time. */
  failed(why: string, now: Instant): void
}

interface Current {
  readonly registration: Registration
  readonly channel: MessageSession
}

const SILENT = 'the other end does not acknowledge any more'

export class RelayedPath {
  readonly #options: RelayedPathOptions
  readonly #recovery: RelayFailover
  #current: Current | undefined
  #stopped = false
  /** Relays that both ends know; at most MAX_RELAYS_PER_CONNECTION. */
  #relays: readonly Registration[] = []

  constructor(context: PeerContext, options: RelayedPathOptions) {
    this.#options = options
    this.#recovery = new RelayFailover(context, {
      relays: () => (options.allowed() ? this.#relays : []),
      open: (registration, tried) => this.#ask(registration, tried),
      failed: options.failed,
    })
  }

  get channel(): MessageSession | undefined {
    return this.#current?.channel
  }

  get relay(): RelayAddress | undefined {
    return this.#current?.registration.relay
  }

  /** Whether its relay forwards channel frames. */
  get carriesFrames(): boolean {
    return this.#current?.registration.carriesFrames === true
  }

  /** One that can introduce both ends to each other now. */
  get registered(): Registration | undefined {
    return this.#relays.find(({ registered }) => registered)
  }

  /** Both ends know this relay. */
  meet(registration: Registration): void {
    if (!this.#relays.includes(registration) && this.#relays.length < MAX_RELAYS_PER_CONNECTION)
      this.#relays = [...this.#relays, registration]
  }

  /** A relay granted a session: it is a path once the other end acknowledged something in it. */
  open(session: SessionId, registration: Registration, opened: Sent, now: Instant): void {
    const channel = this.#channel(session, registration, false)
    const done: Sent = (failure, at) => {
      if (failure === undefined) this.#arrived(channel, registration, 'the relay reached the other end', at)
      // Otherwise it is listened to all the same: the other end may have got the message, and use the session.
      opened(failure, at)
    }
    channel.send({ bytes: new Uint8Array(0), done }, now)
  }

  /** The other end uses a session that a relay granted to it. */
  accept(session: SessionId, registration: Registration): MessageSession {
    this.meet(registration)
    const channel = this.#channel(session, registration, true)
    this.#current = { registration, channel }
    return channel
  }

  /** Looks for a relay, as there is no path at all. */
  recover(now: Instant): void {
    this.#recovery.start(now)
  }

  /** The relay does not answer any more, or has forgotten this peer. */
  relayLost(registration: Registration, now: Instant): void {
    if (this.#current?.registration === registration) this.#leave(`relay ${registration.relay.id} is lost`, [], now)
  }

  /** A message was sent since then, in vain, and nothing else was acknowledged: on a relay that works, it is the other end's fault or the session's. */
  silent(carrier: MessageSession, since: Instant, now: Instant): void {
    const current = this.#current
    if (current?.channel === carrier && current.registration.heardSince(since)) this.#leave(SILENT, [], now)
  }

  /** There is a path that makes another one needless. */
  settle(): void {
    this.#recovery.settle()
  }

  stop(): void {
    this.#stopped = true
    this.#recovery.stop()
    this.#current = undefined
  }

  #arrived(channel: MessageSession, registration: Registration, reason: string, now: Instant): void {
    this.#current ??= { registration, channel }
    this.#recovery.settle()
    this.#options.established(reason, now)
  }

  #leave(why: string, handedBack: readonly OutgoingMessage[], now: Instant): void {
    const unsent = [...handedBack, ...(this.#current?.channel.takeQueued() ?? [])]
    this.#current = undefined
    this.#options.note(why)
    this.#recovery.start(now)
    this.#options.lost(why, unsent, now)
  }

  #ask(registration: Registration, tried: (why: string | undefined, now: Instant) => void): void {
    this.#options.request(registration, (session, why, now) => {
      if (this.#stopped) return
      if (session === undefined) tried(why, now)
      else this.open(session, registration, (failure, at) => tried(failure && SILENT, at), now)
    })
  }

  #channel(id: SessionId, registration: Registration, consented: boolean): MessageSession {
    const { channels } = this.#options
    const session = { id, to: registration.relay.endpoint, directKey: undefined, consented }
    const channel = channels.add(session, {
      sent: (now) => registration.sent(now),
      doubted: (now) => registration.suspect(now),
      lost: (unsent, now) => {
        channels.drop(channel)
        const why = `relay ${registration.relay.id} lost the session`
        if (this.#current === undefined || this.#current.channel === channel) this.#leave(why, unsent, now)
        else this.#options.lost(why, unsent, now)
      },
      // What comes in by a session of ours was preceded by something of ours that arrived.
      delivered: (now) => this.#arrived(channel, registration, 'data came through the relay', now),
    })
    return channel
  }
}
