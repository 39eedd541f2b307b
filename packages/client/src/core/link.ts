/**
 * One connection: everything that this peer has with one other peer, whichever paths carry it. It
 * opens with its first path and sends on the best it has. When it has none it looks for one (recovery.ts),
 * while it is not direct it tries to be (upgrade.ts), and it closes when there is none to be found.
 *
 * A message is acknowledged on the path that it was sent on, so a change of path loses nothing and
 * doubles nothing. Both ends may find a direct path of their own; then that of the smaller id counts.
 */
import type { PublicKey } from '@showchain/crypto/core'
import { CAPS, type Encoding, formatEndpoint, type PeerId, type SessionId } from '@showchain/wire'
import type { Base } from './base.ts'
import type { Channel, OutgoingMessage, Sent } from './channel.ts'
import { Channels, type SessionOwner } from './channels.ts'
import type { LinkId, Path } from './events.ts'
import { KeepAlive } from './keep-alive.ts'
import type { Instant, Route } from './machine.ts'
import { Recovery } from './recovery.ts'
import type { Registration } from './registration.ts'
import { sameRoute } from './route.ts'
import { MAX_RELAYS_PER_LINK, MAX_UNREAD, SEND_QUEUE } from './timing.ts'
import { Upgrade } from './upgrade.ts'

/** Which paths a connection may take. `relay-only` hides both ends' addresses. */
export type PathPolicy = 'auto' | 'direct-only' | 'relay-only'

export interface LinkOptions {
  readonly id: LinkId
  readonly remoteId: PeerId
  readonly incoming: boolean
  readonly policy: PathPolicy
  /** All live sessions of the peer; a link adds and removes its own. */
  readonly sessions: Map<SessionId, SessionOwner>
  /** Asks a relay for a session; undefined and why when there is none. */
  request(
    registration: Registration,
    granted: (session: SessionId | undefined, why: string, now: Instant) => void,
  ): void
  /** Asks a relay to introduce both ends to each other once more. */
  punch(registration: Registration, done: (now: Instant) => void, now: Instant): void
  /** A session that was live has ended. */
  ended(session: SessionId, now: Instant): void
  closed(link: Link): void
}

interface DirectPath {
  readonly route: Route
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
  readonly #channels: Channels
  readonly #recovery: Recovery
  readonly #upgrade: Upgrade
  #policy: PathPolicy
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #direct: DirectPath | undefined
  #relayed: RelayedPath | undefined
  /** Relays that both ends know; at most MAX_RELAYS_PER_LINK. */
  #relays: readonly Registration[] = []
  /** Whether the other end takes data on a direct path, as far as it told. */
  #directData: boolean | 'asked' | undefined
  /** Sent while no path carries data, for the next one; at most SEND_QUEUE. */
  #unsent: OutgoingMessage[] = []
  #announced = ''
  /** Whether it will be surfaced as the other end's. */
  #incoming: boolean
  /** When the other end acknowledged something last. */
  #acknowledged: Instant | undefined
  /** Messages that the application has not read yet; at most MAX_UNREAD, and one input's more. */
  #unread = 0

  constructor(base: Base, options: LinkOptions) {
    this.#base = base
    this.options = options
    this.#incoming = options.incoming
    this.#policy = options.policy
    this.#channels = new Channels(base, this, options.remoteId, options.sessions)
    this.#recovery = new Recovery(base, {
      relays: () => (this.#policy === 'direct-only' ? [] : this.#relays),
      open: (registration, tried, _now) => this.#reopen(registration, tried),
      failed: (why, now) => {
        if (this.path === undefined) this.close(why, now)
      },
    })
    this.#upgrade = new Upgrade(base, {
      wanted: () => this.open && this.#direct === undefined && this.allowsDirect,
      punch: (done, now) => {
        const registration = this.#relays.find(({ registered }) => registered)
        if (registration === undefined) done(now)
        else options.punch(registration, done, now)
      },
    })
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

  /** Whether the other end may learn this one's address. */
  get allowsDirect(): boolean {
    return this.#policy !== 'relay-only'
  }

  /** Whether a relay may see its data. */
  get allowsRelay(): boolean {
    return this.#policy !== 'direct-only'
  }

  /** The path that the next message takes; a direct one without data where there is nothing else. */
  get path(): Path | undefined {
    const direct: Path | undefined = this.#direct && { kind: 'direct', remote: this.#direct.route }
    if (this.#relayed === undefined || (direct !== undefined && this.#refersToDirect())) return direct
    const { relay } = this.#relayed.registration
    return { kind: 'relay', remote: relay.endpoint, relay: relay.id }
  }

  /** This side dialled: whatever the other end's late packets began is ours from now on, by this policy. */
  claim(policy: PathPolicy): void {
    this.#incoming = false
    this.#policy = policy
  }

  /** Both ends know this relay. */
  meet(registration: Registration): void {
    if (!this.#relays.includes(registration) && this.#relays.length < MAX_RELAYS_PER_LINK)
      this.#relays = [...this.#relays, registration]
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

  /** The other end showed that it knows extensions. */
  get speaksExtensions(): boolean {
    return this.#directData === true
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
      }
      // Otherwise it is listened to all the same: the other end may have got the message, and use the session.
      opened(failure, at)
    }
    channel.send({ bytes: new Uint8Array(0), done }, now)
  }

  /** The other end uses a session that a relay granted to it. */
  acceptRelayed(session: SessionId, registration: Registration): Channel {
    this.meet(registration)
    const channel = this.#relayedChannel(session, registration, true)
    this.#relayed = { registration, channel }
    return channel
  }

  /** 0x101/0x102 succeeded on this route: it is the direct path, and data goes there under this session. */
  addDirect(session: SessionId, route: Route, key: PublicKey, now: Instant): void {
    const channel = this.expectDirect(session, route, key)
    const known = this.#direct
    if (known !== undefined && sameRoute(known.route, route)) {
      known.channel = channel
      return
    }
    this.#dropDirect()
    this.#direct = { route, channel, keepAlive: new KeepAlive(this.#base, route, now, (at) => this.#directDied(at)) }
    this.note(`direct path to ${formatEndpoint(route)}`)
  }

  /** Tells the other end of the direct path that was found: it may have none, or another than counts. */
  nominate(now: Instant): void {
    if (this.#directData === true && this.#direct !== undefined)
      this.#direct.channel.send({ bytes: new Uint8Array(0), done: () => {} }, now)
  }

  /** The other end's 0x101 was answered there: it may send data under this session. */
  expectDirect(session: SessionId, route: Route, key: PublicKey): Channel {
    const known = this.#channels.get(session)
    if (known !== undefined) return known
    const channel = this.#channel(session, route, key, true, {
      sent: (now) => this.#onDirect(channel)?.keepAlive.sent(now),
      doubted: (now) => this.#onDirect(channel)?.keepAlive.suspect(now),
      lost: () => {},
      delivered: (now) => {
        this.#directData = true
        // Data came under a session that only our answer can have told of: the path works both ways.
        if (this.#direct === undefined || (!this.#leads && !sameRoute(this.#direct.route, route)))
          this.addDirect(session, route, key, now)
        this.establish('data came on a direct path', now)
      },
    })
    return channel
  }

  /** There is a path: surface the connection or that its path changed, and send what waited for one. */
  establish(reason: string, now: Instant): void {
    const path = this.path
    if (path === undefined || this.#state === 'closed') return
    const announced = `${path.kind} ${formatEndpoint(path.remote)}`
    if (this.#relayed !== undefined || this.#policy === 'direct-only') this.#recovery.settle()
    if (this.#state === 'opening' || announced !== this.#announced) this.#announce(path, announced, reason)
    if (!this.#incoming) this.#upgrade.plan(now)
    const unsent = this.#unsent
    this.#unsent = []
    for (const { bytes, done } of unsent) this.send(bytes, done, now)
  }

  /** Whether a direct path goes through this socket of ours. */
  usesSocket(socket: number): boolean {
    return this.#direct?.route.socket === socket
  }

  /** A datagram came from an address of the other end; true when that is the direct path's. */
  heardAt(source: Route, now: Instant): boolean {
    if (this.#direct === undefined || !sameRoute(this.#direct.route, source)) return false
    this.#direct.keepAlive.heard(now)
    return true
  }

  /** The other end keeps the direct path alive. */
  keptAlive(encoding: Encoding, now: Instant): void {
    this.#direct?.keepAlive.echo(encoding, now)
  }

  /** This end has another address: its direct path may be gone, or has become possible. */
  addressChanged(now: Instant): void {
    if (this.#direct === undefined) this.#upgrade.soon(now)
    else this.#direct.keepAlive.suspect(now)
  }

  /** The relay does not answer any more, or has forgotten this peer. */
  relayLost(registration: Registration, now: Instant): void {
    if (this.#relayed?.registration !== registration) return
    this.#unsent.push(...this.#relayed.channel.takeQueued())
    this.#leaveRelay(`relay ${registration.relay.id} is lost`, now)
  }

  close(why: string, now: Instant): void {
    if (this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    this.#recovery.stop()
    this.#upgrade.stop()
    this.#dropDirect()
    for (const { done } of this.#unsent.splice(0)) done({ code: 'ERR_CLOSED', why }, now)
    for (const channel of this.#channels.dropAll()) {
      channel.close(why, now)
      this.options.ended(channel.options.session, now)
    }
    this.options.closed(this)
    if (wasOpen) this.#base.outbox.event({ type: 'closed', link: this.options.id, reason: why })
  }

  /** Which end's direct path counts when each found one. */
  get #leads(): boolean {
    return this.#base.self < this.options.remoteId
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

  /** The channel for the next message: the direct one, unless it is in doubt while a relay is not. */
  #carrier(): Channel | undefined {
    const relayed = this.#relayed?.channel
    if (relayed !== undefined && this.#direct?.keepAlive.doubted === true) return relayed
    return this.#refersToDirect() ? this.#direct?.channel : relayed
  }

  /** Whether data belongs on the direct path: unless the other end does not take it there, or has not said so while a relay carries it. */
  #refersToDirect(): boolean {
    const refused = this.#base.seedMode || this.#directData === false || this.awaitsCaps
    if (refused || this.#direct === undefined) return false
    return this.#directData === true || this.#relayed === undefined
  }

  /** When nothing came for as long as one message was tried, on a relay that works, the other end is not there any more. */
  #watched(carrier: Channel, done: Sent, sent: Instant): Sent {
    return (failure, now) => {
      if (failure === undefined) this.#acknowledged = now
      done(failure, now)
      const before = (at: Instant | undefined): boolean => at === undefined || at < sent
      const relayed = this.#relayed
      const silent = failure?.code === 'ERR_TIMEOUT' && before(this.#acknowledged)
      // Its address may go on answering: then the other end has forgotten the session, and a new punch makes another.
      if (silent && this.#direct?.channel === carrier) return this.#directDied(now)
      if (!silent || relayed?.channel !== carrier || !relayed.registration.heardSince(sent)) return
      this.#leaveRelay('the other end does not acknowledge any more', now)
    }
  }

  #directDied(now: Instant): void {
    if (this.#direct !== undefined) this.#unsent.push(...this.#direct.channel.takeQueued())
    this.#dropDirect()
    this.note('the direct path is dead: nothing comes back on it')
    this.#upgrade.soon(now)
    if (this.path === undefined) this.#recovery.start(now)
    else this.establish('the direct path is dead', now)
  }

  #dropDirect(): void {
    this.#direct?.keepAlive.stop()
    this.#base.sockets.close(this.#direct?.route.socket)
    this.#direct = undefined
  }

  #onDirect(channel: Channel): DirectPath | undefined {
    return this.#direct?.channel === channel ? this.#direct : undefined
  }

  #leaveRelay(why: string, now: Instant): void {
    this.#relayed = undefined
    this.note(why)
    this.#recovery.start(now)
    this.establish(why, now)
  }

  #reopen(registration: Registration, tried: (why: string | undefined, now: Instant) => void): void {
    this.options.request(registration, (session, why, now) => {
      if (this.closed) return
      if (session === undefined) return tried(why, now)
      this.openRelayed(
        session,
        registration,
        (failure, at) => tried(failure && 'the other end does not acknowledge any more', at),
        now,
      )
    })
  }

  #relayedChannel(session: SessionId, registration: Registration, consented: boolean): Channel {
    const channel = this.#channel(session, registration.relay.endpoint, undefined, consented, {
      sent: (now) => registration.sent(now),
      doubted: (now) => registration.suspect(now),
      lost: (unsent, now) => {
        this.#channels.drop(channel)
        this.#unsent.push(...unsent)
        const why = `relay ${registration.relay.id} lost the session`
        if (this.#relayed?.channel === channel || this.#relayed === undefined) this.#leaveRelay(why, now)
        else this.establish(why, now)
      },
      delivered: (now) => {
        // What comes in by a session of ours was preceded by something of ours that arrived.
        this.#relayed ??= { registration, channel }
        this.establish('data came through the relay', now)
      },
    })
    return channel
  }

  #channel(
    id: SessionId,
    to: Route,
    directKey: PublicKey | undefined,
    consented: boolean,
    hooks: {
      sent(now: Instant): void
      doubted(now: Instant): void
      delivered(now: Instant): void
      lost(unsent: readonly OutgoingMessage[], now: Instant): void
    },
  ): Channel {
    const delivered = (bytes: Uint8Array, now: Instant): void => {
      this.#channels.used(channel)
      hooks.delivered(now)
      if (bytes.length === 0) return
      this.#unread++
      this.#base.outbox.event({ type: 'message', link: this.options.id, bytes })
    }
    const inUse = [this.#direct?.channel, this.#relayed?.channel]
    const full = (): boolean => this.#unread >= MAX_UNREAD
    const channel = this.#channels.add({ id, to, directKey, consented }, { ...hooks, full, delivered }, inUse)
    return channel
  }
}
