/** Protected data: a secure session whose records take the best path of the moment, as each kind of path does. */
import type { PeerId } from '@showchain/wire'
import { DATAGRAM_OVERHEAD, isHandshake } from '@showchain/wire/end-to-end'
import { isProven } from '../endpoint/allowance.ts'
import { type Duration, duration, type Instant, later, type Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { MessageSession } from '../messages/message-session.ts'
import type { OutgoingMessage, Sent } from '../messages/outgoing-message.ts'
import type { ConnectionContext } from '../paths/connection-context.ts'
import type { Acquaintances } from '../secure/acquaintances.ts'
import { drainedCredentials } from '../secure/credentials.ts'
import type { EndToEnd, RecordReceiver } from '../secure/end-to-end.ts'
import type { SecureEvent } from '../secure/events.ts'
import type { KeyAgreement } from '../secure/key-agreement.ts'
import type { Newest } from '../secure/path-probing.ts'
import type { RecordPath } from '../secure/record-path.ts'
import { SecureSession, type SecureSessionOptions } from '../secure/secure-session.ts'
import type { SecureStatistics } from '../secure/statistics.ts'
import { closedThere, failed, type Goodbye, violated } from '../transport/ending.ts'
import type { Streams } from '../transport/streams/streams.ts'
import type { ConnectionPaths } from './connection-paths.ts'
import { CONNECTION_ENDED, type DataPlane, type DataPlaneEvent } from './data-plane.ts'
import { EarlyRecords } from './early-records.ts'
import { PATH_ASK_GAP, PathDoubts } from './path-doubts.ts'
import { CHANNEL } from './path-sizes.ts'
import { Pings, type Ponged } from './pings.ts'
import { RecordPaths } from './record-paths.ts'

/**
 * A path is in doubt from the second probe timeout in a row on, which are three without back-off,
 * and not sooner than this: on a short line an acknowledgement may be late for other reasons.
 */
const DOUBTFUL_PROBES = 2
const DOUBTFUL_SILENCE: Duration = duration(250)

export class SecureDataPlane implements DataPlane {
  readonly #session: SecureSession
  readonly #paths: ConnectionPaths
  readonly #doubts: PathDoubts
  readonly #pings: Pings
  /** Whether its session counts where each end has one at the same relay. */
  readonly #leads: boolean
  readonly #remoteId: PeerId
  readonly #acquaintances: Acquaintances
  #saidEarly = false
  readonly #recordPaths: RecordPaths
  readonly #early = new EarlyRecords()
  /** Where the newest handshake message came from. */
  #handshakeBy: MessageSession | undefined

  constructor(
    context: ConnectionContext,
    endToEnd: EndToEnd,
    remoteId: PeerId,
    receiver: RecordReceiver,
    paths: ConnectionPaths,
    own: Pick<SecureSessionOptions, 'dialled' | 'questions' | 'connectionId'>,
  ) {
    const { self, random, timers, provider, keys, count } = context
    this.#paths = paths
    this.#leads = self < remoteId
    this.#remoteId = remoteId
    this.#acquaintances = endToEnd.acquaintances
    this.#session = new SecureSession({
      ...{ self, remoteId, random, timers, provider, keys, receiver, count, ...own },
      endToEnd: { ...endToEnd, credentials: drainedCredentials(endToEnd.credentials, context.drain) },
      mayRelay: () => paths.allowsRelay,
      path: () => this.#pathOf(paths.session),
      reachableSince: () => paths.reachableSince,
      standby: () => this.#standby,
    })
    this.#recordPaths = new RecordPaths(context, paths)
    const challenge = (session: MessageSession, token: Uint8Array, now: Instant): void =>
      void this.#session.probing.ask(this.#recordPaths.of(session), token, now)
    this.#pings = new Pings(random, challenge)
    this.#doubts = new PathDoubts(timers, random, {
      challenge,
      dead: (session, now) => paths.dead(session, now),
      answered: (session, now) => paths.works(session, now),
      spare: () => paths.session !== undefined,
      forgotten: (session) => void (session === paths.direct.former && paths.direct.forgetFormer()),
    })
  }

  poll(now: Instant): DataPlaneEvent | undefined {
    for (let event = this.#session.poll(); event !== undefined; event = this.#session.poll()) {
      const handedUp = this.#planeEvent(event, now)
      if (handedUp !== undefined) return handedUp
    }
    return undefined
  }

  get ready(): boolean {
    return this.#session.secured
  }

  /** Whether the first stream of the initiator begins with what it said early. */
  get saidEarly(): boolean {
    return this.#saidEarly
  }

  get streams(): Streams | undefined {
    return this.#session.streams
  }

  get statistics(): SecureStatistics | undefined {
    return this.#session.statistics
  }

  /** Undefined: nothing speaks against it. */
  stateOf(session: MessageSession): 'doubted' | 'dead' | undefined {
    return this.#doubts.stateOf(session)
  }

  get maxDatagramSize(): number {
    return (this.#session.recordSize ?? CHANNEL.base) - DATAGRAM_OVERHEAD
  }

  /** Whether requests of this end's dial may carry a hello. */
  get hasHello(): boolean {
    return this.#session.keys.hasHello
  }

  /** The hello for a request of this end's dial; undefined: it goes without. */
  helloFor(request: Stamp): Uint8Array | undefined {
    return this.#session.keys.helloFor(request)
  }

  /** Uses the key agreement. */
  agree<Result>(use: (keys: KeyAgreement) => Result, now: Instant): Result {
    return this.#session.agree(use, now)
  }

  /** Shows the remote peer that this end receives on a path. @param proof from the 0x102 that found it */
  prove(session: MessageSession, proof: Uint8Array, now: Instant): void {
    this.#session.probing.prove(this.#recordPaths.of(session), proof, now)
  }

  /** The key agreement begins, or data goes on. */
  resume(now: Instant): void {
    this.#session.start(now)
  }

  /** @see Pumped */
  pump(now: Instant): boolean {
    return this.#session.pump(now)
  }

  /**
   * Loss recovery sends again what the lost records carried. A dead path is asked whether it is
   * back: a direct one, and the last one of a relay.
   */
  pathLost(unsent: readonly OutgoingMessage[], now: Instant): void {
    for (const { former } of [this.#paths.direct, this.#paths.relayed])
      if (former !== undefined && this.ready) this.#doubts.await(former, now)
    this.#session.pathLost()
    for (const { done } of unsent) done({ code: 'ERR_CLOSED', why: 'The path is gone.' }, now)
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    const { datagrams } = this.#session
    if (datagrams === undefined) return done(CONNECTION_ENDED, now)
    if (bytes.length > this.maxDatagramSize)
      return done({ code: 'ERR_TOO_LARGE', why: `This path takes ${this.maxDatagramSize} bytes.` }, now)
    if (!datagrams.push(bytes, (sent, at) => done(sent ? undefined : CONNECTION_ENDED, at)))
      return done({ code: 'ERR_BUSY', why: 'Too many datagrams wait to be sent.' }, now)
  }

  /** Measures a round trip on the path that data takes. Without one nothing is asked, nor answered. */
  ping(ponged: Ponged, now: Instant): void {
    const { session, best } = this.#paths
    if (session !== undefined && best !== undefined) this.#pings.ask(session, best, ponged, now)
  }

  /** A record, or a part of a handshake message, that came as the data of a message. */
  receive(data: Uint8Array, by: MessageSession, now: Instant): void {
    this.#paths.sessions.read()
    if (isHandshake(data)) this.receiveHandshake(data, by, now)
    else this.#heard(by, this.#session.receive(data, this.#recordPaths.of(by), now), now)
  }

  /** @see RecordReceiver */
  receiveRecord(record: Uint8Array, from: Route | Uint8Array, now: Instant): void {
    if (!this.hasKeys) return this.#early.hold(record, from)
    const session = this.#recordPaths.sessionFrom(from)
    // Where the remote peer must not learn this end's address, nothing answers it.
    const stranger = from instanceof Uint8Array || !this.#paths.allowsDirect ? undefined : from
    const by = this.#pathOf(session) ?? (stranger && this.#recordPaths.strange(stranger))
    const newest = this.#session.receive(record, by, now)
    if (session !== undefined) this.#heard(session, newest, now)
  }

  /**
   * Nothing comes back on the path that data takes, or the remote peer was heard elsewhere. Until
   * the path answers, records take the one that stands by, too.
   */
  doubt(now: Instant): void {
    const { session } = this.#paths
    if (session !== undefined && this.ready && this.#doubts.doubt(session, now)) this.#paths.doubted(session, now)
  }

  /** Whether there are keys, of which the remote peer may have shown nothing so far. */
  get hasKeys(): boolean {
    return this.#session.secured || this.#session.keys.unconfirmed !== undefined
  }

  /** Asks at an address whether the remote peer is there. @returns false: there are no keys */
  probe(at: Route, token: Uint8Array, now: Instant): boolean {
    return this.#session.probing.ask(this.#recordPaths.strange(at), token, now)
  }

  /** The remote peer's keep-alive came from an address that is no path of this end. */
  keptAlive(source: Route, now: Instant): void {
    if (this.ready && this.#paths.allowsDirect && !this.#paths.hasDirect)
      this.#session.probing.keptAlive(this.#recordPaths.strange(source), now)
  }

  /** A part of a handshake message came by this session. */
  receiveHandshake(part: Uint8Array, by: MessageSession, now: Instant): void {
    this.#handshakeBy = by
    this.agree((keys) => keys.receiveHandshake(part, this.#recordPaths.of(by), now), now)
  }

  /** Datagrams are not acknowledged: nothing waits for the reader. */
  read(): void {}

  close(_why: string, goodbye: Goodbye, now: Instant): void {
    this.#recordPaths.close()
    this.#doubts.stop()
    this.#session.close(goodbye, now)
  }

  /** A record came by a session. */
  #heard(by: MessageSession, newest: Newest | undefined, now: Instant): void {
    if (newest === undefined) return
    const { session, direct, relayed } = this.#paths
    const { to, directKey } = by.options
    if (directKey !== undefined) {
      direct.heardAt(to, now)
      if (by === direct.former) return this.#doubts.heard(by, now)
      // Nothing to worry about: this end still has the relay, or a question or an answer goes this way.
      if (direct.session === undefined || by === direct.session || newest === 'of the path' || !isProven(to)) return
      // Each end may have found a path: the one of the smaller id counts for both, unless it is dead.
      if (!this.#leads || this.#doubts.doubts(direct.session)) direct.move(by, now)
      else this.#doubtKnown(now)
      return
    }
    if (session === by) return relayed.heard()
    // Each end may have asked the same relay for a session: the one with the smaller id goes to newer ones alone.
    const elsewhere = session !== undefined && !sameRoute(session.options.to, to)
    const isNewer = session === undefined || by.options.turn > session.options.turn
    if (isNewer || elsewhere || !this.#leads || this.#doubts.doubts(session)) relayed.proven(by)
    if (elsewhere) this.#doubtKnown(now)
  }

  /** The other end may still have to find a direct path that this one has found just now. */
  #doubtKnown(now: Instant): void {
    const { since } = this.#paths.direct
    if (since === undefined || later(since, PATH_ASK_GAP) <= now) this.doubt(now)
  }

  #pathOf(session: MessageSession | undefined): RecordPath | undefined {
    return session && this.#recordPaths.of(session)
  }

  get #standby(): RecordPath | undefined {
    const { session } = this.#paths
    if (session === undefined || !this.#doubts.doubts(session)) return undefined
    return this.#pathOf(this.#paths.standby)
  }

  /** What a session's event is to the connection; undefined: nothing. */
  #planeEvent(event: SecureEvent, now: Instant): DataPlaneEvent | undefined {
    switch (event.type) {
      case 'secured':
        this.#saidEarly = event.early !== undefined
        for (const { record, from } of this.#early.take()) this.receiveRecord(record, from, now)
        return { ...event, type: 'ready', by: event.byHello ? undefined : this.#handshakeBy }
      case 'failed':
        return { type: 'ended', ...failed(event.reason) }
      case 'closed':
        // The transport answers a violation with a code of its own.
        return { type: 'ended', end: event.by === 'remote' ? closedThere(event) : violated(event), goodbye: event }
      case 'staticKey':
        this.#acquaintances.keepStaticKey(this.#remoteId, event.key, event.lifetimeS)
        return undefined
      case 'probeTimeout':
        if (event.ptoCount >= DOUBTFUL_PROBES && event.silence >= DOUBTFUL_SILENCE) this.doubt(now)
        return undefined
      case 'pathResponse':
        if (this.#doubts.answered(event.token, now) || this.#pings.answered(event.token, now)) return undefined
        return event
      default:
        return event
    }
  }
}
