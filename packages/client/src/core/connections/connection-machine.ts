/**
 * One connection: everything that this peer has with one other peer, whichever paths carry it. It
 * opens with its first path and sends on the best it has. When it has none it looks for one (recovery.ts),
 * while it is not direct it tries to be (upgrade.ts), and it closes when there is none to be found.
 *
 * A message is acknowledged on the path that it was sent on, so a change of path loses nothing and
 * doubles nothing.
 */

import { formatEndpoint, type PeerId, type SessionId } from '@showchain/wire'
import { isHandshake } from '@showchain/wire/end-to-end'
import type { ConnectionHandle, Path, PathPolicy } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { MessageSession, OutgoingMessage, SendFailure, Sent } from '../messages/message-session.ts'
import { SEND_QUEUE } from '../messages/message-session.ts'
import { MessageSessions, type SessionEntry } from '../messages/message-sessions.ts'
import { DirectPath } from '../paths/direct-path.ts'
import { DirectUpgrade } from '../paths/direct-upgrade.ts'
import { RelayedPath, type RelayedPathOptions } from '../paths/relayed-path.ts'
import type { Registration } from '../relays/registration.ts'
import type { Transport } from '../transport/transport.ts'
import { SecureDataPlane } from './secure-data-plane.ts'

export interface ConnectionMachineOptions {
  /** A number for the connection; another one when the other end begins anew. */
  newId(connection: ConnectionMachine): ConnectionHandle
  readonly remoteId: PeerId
  readonly policy: PathPolicy
  /** All live sessions of the peer; a connection adds and removes its own. */
  readonly sessions: Map<SessionId, SessionEntry<ConnectionMachine>>
  readonly request: RelayedPathOptions['request']
  /** Asks a relay to introduce both ends to each other once more. */
  punch(registration: Registration, done: (now: Instant) => void, now: Instant): void
  /** A session that was live has ended. */
  ended(session: SessionId, now: Instant): void
  closed(connection: ConnectionMachine): void
}

const ENDED: SendFailure = { code: 'ERR_CLOSED', why: 'The connection has ended.' }

export class ConnectionMachine {
  readonly options: ConnectionMachineOptions
  readonly direct: DirectPath
  readonly relayed: RelayedPath
  /** Undefined where data is readable. */
  readonly protection: SecureDataPlane | undefined
  readonly #context: PeerContext
  readonly #channels: MessageSessions
  readonly #upgrade: DirectUpgrade
  #id: ConnectionHandle
  #policy: PathPolicy
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** Sent while no path carries data, for the next one; at most SEND_QUEUE. */
  #unsent: OutgoingMessage[] = []
  #announced = ''
  /** Whether it will be surfaced as the other end's. */
  #incoming = true
  /** When the other end acknowledged something last. */
  #acknowledged: Instant | undefined

  constructor(context: PeerContext, options: ConnectionMachineOptions) {
    const { remoteId, sessions, policy } = options
    this.#context = context
    this.options = options
    this.#id = options.newId(this)
    this.#policy = policy
    const channels = new MessageSessions(context, {
      ...{ connection: this, remoteId, sessions },
      inUse: (channel) => channel === this.direct.channel || channel === this.relayed.channel,
      message: (bytes, now) => this.#arrived(bytes, now),
    })
    const note = (what: string): void => this.note(what)
    const established = (reason: string, now: Instant): void => this.establish(reason, now)
    this.#channels = channels
    this.direct = new DirectPath(context, {
      ...{ channels, note, established, leads: context.self < remoteId },
      died: (unsent, now) => this.#directDied(unsent, now),
    })
    this.relayed = new RelayedPath(context, {
      ...{ channels, note, established, request: options.request },
      allowed: () => this.allowsRelay,
      lost: (why, unsent, now) => {
        this.protection?.secure.pathLost()
        this.#unsent.push(...unsent)
        this.establish(why, now)
      },
      failed: (why, now) => {
        if (this.path === undefined) this.close(why, now)
      },
    })
    this.#upgrade = new DirectUpgrade(context, {
      wanted: () => this.open && !this.hasDirect && this.allowsDirect,
      punch: (done, now) => {
        const registration = this.relayed.registered
        if (registration === undefined) done(now)
        else options.punch(registration, done, now)
      },
    })
    this.protection =
      context.endToEnd &&
      new SecureDataPlane(context, context.endToEnd, {
        connection: this,
        channel: () => this.#carrier(),
        secured: (before, now) => this.#secured(before, now),
        failed: (why, now) => this.close(why, now),
        doubt: (channel, now) => this.#doubt(channel, now),
      })
  }

  get id(): ConnectionHandle {
    return this.#id
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  get hasDirect(): boolean {
    return this.direct.route !== undefined
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
    const { route } = this.direct
    const { relay } = this.relayed
    if (route !== undefined && (relay === undefined || this.#prefersDirect())) return { kind: 'direct', remote: route }
    return relay && { kind: 'relay', remote: relay.endpoint, relay: relay.id }
  }

  /** This side dialled: whatever the other end's late packets began is ours from now on, by this policy. */
  claim(policy: PathPolicy, now: Instant): void {
    this.#incoming = false
    this.#policy = policy
    if (this.allowsDirect) return
    this.direct.drop()
    this.#end(this.#channels.dropAll('direct'), 'relay-only from now on', now)
    if (this.open && this.path === undefined) this.relayed.recover(now)
  }

  note(what: string): void {
    this.#context.outbox.event({ type: 'note', remoteId: this.options.remoteId, what })
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    if (this.protection !== undefined) return this.#sendDatagram(this.protection, bytes, done, now)
    const carrier = this.#carrier()
    if (this.#state === 'closed') done(ENDED, now)
    else if (carrier !== undefined) carrier.send({ bytes, done: this.#watched(carrier, done, now) }, now)
    else if (this.hasDirect && !this.direct.awaitsCaps)
      done({ code: 'ERR_NO_DATA_PATH', why: 'The other end has no data on a direct path.' }, now)
    else if (this.#unsent.length >= SEND_QUEUE)
      done({ code: 'ERR_BUSY', why: `${SEND_QUEUE} messages wait for a path.` }, now)
    else this.#unsent.push({ bytes, done })
  }

  /** The application read a message. */
  read(): void {
    // Datagrams of a protected connection wait for nobody: they are lost like others.
    if (this.protection === undefined) this.#channels.read()
  }

  /** There is a path: surface the connection or that its path changed, and send what waited for one. */
  establish(reason: string, now: Instant): void {
    const path = this.path
    if (path === undefined || this.#state === 'closed') return
    const announced = `${path.kind} ${formatEndpoint(path.remote)}`
    if (!this.allowsRelay) this.relayed.settle()
    if (this.protection?.secure.done === false) return this.protection.secure.start(now)
    if (this.#state === 'opening' || announced !== this.#announced) this.#announce(path, announced, reason)
    if (!this.#incoming) this.#upgrade.plan(now)
    const unsent = this.#unsent
    this.#unsent = []
    for (const { bytes, done } of unsent) this.send(bytes, done, now)
    this.protection?.secure.pump(now)
  }

  /** Calls back when data can flow, or never will. */
  whenSecured(waiter: (why: string | undefined, now: Instant) => void, now: Instant): void {
    if (this.protection === undefined) waiter(undefined, now)
    else this.protection.whenSecured(waiter, now)
  }

  /** This end has another address: its direct path may be gone, or has become possible. */
  addressChanged(now: Instant): void {
    if (this.hasDirect) this.direct.suspect(now)
    else this.improve(now)
  }

  /** More is known than when a direct path was looked for last. */
  improve(now: Instant): void {
    if (this.open && !this.hasDirect) this.#upgrade.soon(now)
  }

  close(why: string, now: Instant): void {
    if (this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    const transport = this.protection?.transport
    this.#state = 'closed'
    this.protection?.close(why, now)
    this.#upgrade.stop()
    this.relayed.stop()
    this.direct.drop()
    for (const { done } of this.#unsent.splice(0)) done({ code: 'ERR_CLOSED', why }, now)
    this.#end(this.#channels.dropAll(), why, now)
    this.options.closed(this)
    if (wasOpen) this.#context.outbox.event({ type: 'closed', connection: this.#id, reason: why, transport })
  }

  #end(channels: readonly MessageSession[], why: string, now: Instant): void {
    for (const channel of channels) {
      channel.close(why, now)
      this.options.ended(channel.options.session, now)
    }
  }

  #announce(path: Path, announced: string, reason: string): void {
    const { remoteId } = this.options
    const id = this.#id
    const incoming = this.#incoming
    this.#announced = announced
    this.note(`now ${announced}: ${reason}`)
    if (this.#state === 'open') return this.#context.outbox.event({ type: 'path', connection: id, path, reason })
    this.#state = 'open'
    this.#context.outbox.event({ type: 'open', connection: id, remoteId, path, incoming })
  }

  /** The channel for the next message: the direct one, unless it is in doubt while a relay is there. */
  #carrier(): MessageSession | undefined {
    const relayed = this.relayed.channel
    if (relayed !== undefined && this.direct.doubted) return relayed
    return this.#prefersDirect() ? this.direct.channel : relayed
  }

  /** Whether data belongs on the direct path; before the other end has said that it takes it there, only where no relay carries it. */
  #prefersDirect(): boolean {
    return this.direct.carriesData && (this.direct.speaksExtensions || this.relayed.channel === undefined)
  }

  /** When nothing was acknowledged for as long as one message was tried, its path is none any more. */
  #watched(carrier: MessageSession, done: Sent, sent: Instant): Sent {
    return (failure, now) => {
      if (failure === undefined) this.#acknowledged = now
      done(failure, now)
      const heard = this.#acknowledged !== undefined && this.#acknowledged >= sent
      if (failure?.code !== 'ERR_TIMEOUT' || heard || this.closed) return
      // Its address may go on answering: then the other end has forgotten the session, and a new punch makes another.
      if (this.direct.channel === carrier) this.direct.fail(now)
      else this.relayed.silent(carrier, sent, now)
    }
  }

  /** Something came by a session: for the application, or a record in the seed's words. */
  #arrived(bytes: Uint8Array, now: Instant): void {
    const { protection } = this
    if (protection === undefined) return this.#context.outbox.event({ type: 'message', connection: this.#id, bytes })
    this.#channels.read()
    if (isHandshake(bytes)) protection.secure.handshake(bytes, now)
    else protection.secure.receive(bytes, undefined, now)
  }

  #sendDatagram(protection: SecureDataPlane, bytes: Uint8Array, done: Sent, now: Instant): void {
    const { transport } = protection
    if (this.#state === 'closed' || transport === undefined) return done(ENDED, now)
    if (bytes.length > protection.maxDatagram)
      return done({ code: 'ERR_TOO_LARGE', why: `This path takes ${protection.maxDatagram} bytes.` }, now)
    if (!transport.datagram(bytes, (sent, at) => done(sent ? undefined : ENDED, at)))
      return done({ code: 'ERR_BUSY', why: 'Too many datagrams wait to be sent.' }, now)
    protection.secure.pump(now)
  }

  /** @param before of the connection that the other end has lost: for the application this is another one */
  #secured(before: Transport | undefined, now: Instant): void {
    if (before !== undefined && this.#state === 'open') {
      const reason = 'the other end began anew'
      this.#context.outbox.event({ type: 'closed', connection: this.#id, reason, transport: before })
      this.#id = this.options.newId(this)
      this.#state = 'opening'
      this.#incoming = true
    }
    this.establish('it is protected', now)
  }

  /** Nothing comes back: the path is asked by other means. */
  #doubt(channel: MessageSession, now: Instant): void {
    if (channel === this.direct.channel) this.direct.suspect(now)
    else if (channel.backlog === 0)
      channel.send({ bytes: new Uint8Array(0), done: this.#watched(channel, () => {}, now) }, now)
  }

  #directDied(unsent: readonly OutgoingMessage[], now: Instant): void {
    this.protection?.secure.pathLost()
    this.#unsent.push(...unsent)
    this.#upgrade.soon(now)
    if (this.path === undefined) this.relayed.recover(now)
    else this.establish('the direct path is dead', now)
  }
}
