/**
 * The protected connection of one connection: the handshake, then records in which a transport has its streams and datagrams. Paths
 * come and go underneath: it asks its owner for the best one whenever it has something to send.
 *
 *   transport.fill ──► record layer seals ──► carrier (a direct path, a channel frame, or 0x123)
 *   transport.receive ◄── record layer opens ◄── whatever path
 */
import type { EndToEndCrypto } from '@showchain/crypto/core'
import {
  equalBytes,
  MAX_DATAGRAM,
  MAX_PROBED_DATAGRAM,
  type PeerId,
  type SessionId,
  sessionIdToBytes,
} from '@showchain/wire'
import {
  CHALLENGE_BYTES,
  CHANNEL_HEADER_BYTES,
  FRAME,
  FrameWriter,
  HANDSHAKE_HEADER_BYTES,
  RECORD_OVERHEAD,
  readHandshakePart,
  splitHandshake,
  writeChannelHeader,
} from '@showchain/wire/end-to-end'
import type { PeerContext } from '../context/peer-context.ts'
import { type Instant, later, type Route } from '../endpoint/machine.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { CongestionFactory } from '../transport/congestion/controller.ts'
import { CLOSE_CODE } from '../transport/limits.ts'
import type { PathTraits } from '../transport/recovery/path-traits.ts'
import { GRANULARITY } from '../transport/recovery/rtt.ts'
import { Transport, type TransportEvents, type TransportStatistics } from '../transport/transport.ts'
import { BufferSlab } from './buffer-slab.ts'
import type { ConnectionIds } from './connection-ids.ts'
import type { Credentials } from './credentials.ts'
import { Assembly } from './fragments.ts'
import { Handshake, type Secured } from './handshake.ts'
import { CHALLENGE_LIFETIME } from './limits.ts'
import { RecordLayer } from './record-layer.ts'

/** How records reach the other end at the moment. */
export interface RecordPath {
  readonly kind: 'direct' | 'channel' | 'seed'
  /** What makes it another path when it is another one. */
  readonly identity: object
  readonly session: SessionId
  readonly traits: PathTraits
  /** Whether it takes another record now; when it does again, `pump` is called. */
  ready(): boolean
  transmit(datagram: Uint8Array, now: Instant): void
}

/** The owner of a secure session, to whom the records with its id go. */
export interface RecordReceiver {
  receiveRecord(record: Uint8Array, source: Route | undefined, now: Instant): void
}

/** What all protected connections of a peer share. */
export interface EndToEnd {
  readonly crypto: EndToEndCrypto
  readonly credentials: Pick<Credentials, 'staticKey' | 'certificate'>
  readonly congestion: CongestionFactory
  readonly unixMs: () => number
  readonly connectionIds: ConnectionIds<RecordReceiver>
}

export interface SecureSessionOptions {
  readonly remoteId: PeerId
  readonly endToEnd: EndToEnd
  readonly receiver: RecordReceiver
  carrier(): RecordPath | undefined
  /** The connection is protected. @param before of the one that the other end has lost, when there was one */
  secured(before: Transport | undefined, now: Instant): void
  failed(why: string, now: Instant): void
  closed(why: string, now: Instant): void
  /** Nothing comes back. */
  silent(probes: number, now: Instant): void
  /** Records came from the other end on a direct path. */
  heard(source: Route, now: Instant): void
  /** The other end answered at another address than before. */
  rebound(route: Route, now: Instant): void
  readonly events: Pick<
    TransportEvents,
    'opened' | 'readable' | 'writable' | 'finished' | 'openable' | 'stopped' | 'datagram'
  >
}

/** Bytes of records by path. */
export interface PathBytes {
  readonly sent: number
  readonly received: number
}

export interface SecureStatistics extends TransportStatistics {
  readonly epoch: number
  readonly direct: PathBytes
  readonly relay: PathBytes
}

interface Session {
  readonly records: RecordLayer
  readonly transport: Transport
  readonly secured: Secured
}

/** A new address of the other end that has to answer. */
interface Challenge {
  readonly token: Uint8Array
  readonly to: Route
  readonly at: Instant
}

/** A path challenge is never longer than what it answers: an address that is not validated gets no more than it sent. */
const CHALLENGE_RECORD_BYTES = RECORD_OVERHEAD + 1 + CHALLENGE_BYTES

/** What no record is longer than. */
const scratch = new Uint8Array(MAX_PROBED_DATAGRAM)
const slab = new BufferSlab()

export class SecureSession {
  readonly #context: PeerContext
  readonly #options: SecureSessionOptions
  /** The same for every handshake; their keys differ. */
  readonly #connectionId: Uint8Array
  readonly #handshake: Handshake
  readonly #assembly = new Assembly()
  #session: Session | undefined
  #carrier: RecordPath | undefined
  /** The path of the last record is gone, and what was on it. */
  #lost = false
  #timer: Timer | undefined
  #timerAt: Instant | undefined
  #challenge: Challenge | undefined
  /** Where the record came from that is being read. */
  #source: Route | undefined
  readonly #bytes = { direct: { sent: 0, received: 0 }, relay: { sent: 0, received: 0 } }

  constructor(context: PeerContext, options: SecureSessionOptions) {
    const { remoteId, endToEnd } = options
    this.#context = context
    this.#options = options
    this.#connectionId = endToEnd.connectionIds.allocate(options.receiver)
    this.#handshake = new Handshake({
      ...{ self: context.self, remoteId, random: context.random, timers: context.timers },
      crypto: {
        ...endToEnd.crypto,
        sha256: (bytes) => context.provider.sha256(bytes),
        hmacSha256: (key, bytes) => context.provider.hmacSha256(key, bytes),
      },
      credentials: endToEnd.credentials,
      unixMs: endToEnd.unixMs,
      keyOf: (spki) => context.keys.learn(remoteId, spki),
      verify: (key, preimage, signature) => context.provider.verifyPss(key, preimage, signature),
      connectionId: this.#connectionId,
      current: () => this.#session?.secured.name,
      send: (kind, message, now) => this.#sendHandshake(kind, message, now),
      secured: (secured, now) => this.#begin(secured, now),
      failed: (why, now) => {
        if (this.#session === undefined) options.failed(why, now)
      },
      refused: () => context.count('handshakeRefused'),
    })
  }

  /** Whether records can be sent. */
  get done(): boolean {
    return this.#session !== undefined
  }

  get transport(): Transport | undefined {
    return this.#session?.transport
  }

  /** Bytes of a full record on the path of the moment; undefined: there is no path. */
  get packet(): number | undefined {
    const carrier = this.#options.carrier()
    const known = carrier !== undefined && carrier.identity === this.#carrier?.identity
    return known ? this.#session?.transport.packet : carrier?.traits.base
  }

  get statistics(): SecureStatistics | undefined {
    if (this.#session === undefined) return undefined
    const { transport, records } = this.#session
    return { ...transport.statistics, epoch: records.epoch, ...this.#bytes }
  }

  /** There is a path. */
  start(now: Instant): void {
    if (this.#session === undefined) this.#handshake.start(now)
  }

  /** The path of before is gone: what was on it is lost. */
  pathLost(): void {
    this.#lost = true
  }

  /** Says goodbye and forgets everything. */
  close(reason: string, now: Instant): void {
    this.#session?.transport.close(CLOSE_CODE.none, reason)
    this.pump(now)
    this.#handshake.stop()
    this.#end(now)
    this.#options.endToEnd.connectionIds.forget(this.#connectionId)
  }

  /** Part of a handshake message came by a session of this connection. */
  handshake(record: Uint8Array, now: Instant): void {
    const part = readHandshakePart(record)
    const message = part && this.#assembly.add(part)
    if (part !== undefined && message !== undefined) this.#handshake.receive(part.kind, message, now)
  }

  /** A record with this connection's id came. @param source of one that came directly */
  receive(record: Uint8Array, source: Route | undefined, now: Instant): void {
    const session = this.#session
    const opened = session?.records.open(record, now)
    if (session === undefined || opened === undefined) return this.#context.count('recordRefused')
    this.#handshake.confirmed()
    this.#bytes[source === undefined ? 'relay' : 'direct'].received += record.length
    if (source !== undefined) {
      this.#options.heard(source, now)
      if (opened.newest && record.length >= CHALLENGE_RECORD_BYTES) this.#follow(source, now)
    }
    this.#source = source
    session.transport.receive(opened.number, opened.payload, session.records.next, now)
    this.#source = undefined
    this.pump(now)
  }

  /** Sends what may leave now, on the best path. */
  pump(now: Instant): void {
    const session = this.#session
    if (session === undefined) return
    const carrier = this.#options.carrier()
    // Without a path there is nothing to wait for: whoever finds one comes back here.
    if (carrier === undefined) return
    this.#take(carrier, session.transport, now)
    while (carrier.ready() && this.#sendRecord(session, carrier, now));
    if (carrier.ready()) this.#arm(session.transport, now)
  }

  #sendRecord({ records, transport }: Session, carrier: RecordPath, now: Instant): boolean {
    const length = transport.fill(records.next, scratch, now)
    if (length === 0) return false
    const front = carrier.kind === 'channel' ? CHANNEL_HEADER_BYTES : 0
    const datagram = slab.take(front + RECORD_OVERHEAD + length)
    if (front > 0) writeChannelHeader(datagram, sessionBytes(carrier))
    records.seal(scratch.subarray(0, length), datagram, front, transport.acknowledged, now)
    this.#bytes[carrier.kind === 'direct' ? 'direct' : 'relay'].sent += datagram.length
    carrier.transmit(datagram, now)
    return true
  }

  /** Another path than before: the transport begins to learn anew. */
  #take(carrier: RecordPath, transport: Transport, now: Instant): void {
    if (this.#carrier?.identity === carrier.identity && !this.#lost) return
    this.#carrier = carrier
    transport.moved(carrier.traits, this.#lost, now)
    this.#lost = false
  }

  #begin(secured: Secured, now: Instant): void {
    const before = this.#session?.transport
    this.#end(now)
    const { endToEnd, events, closed, silent } = this.#options
    const transport = new Transport({
      initiator: secured.initiator,
      congestion: endToEnd.congestion,
      // Until it is told of its path, with the first record.
      path: { base: MAX_DATAGRAM, larger: [], acks: 'prompt' },
      events: {
        ...events,
        silent,
        closed: (_code, reason, at) => closed(reason, at),
        pathChallenge: (token, at) => this.#answer(token, at),
        pathResponse: (token, at) => this.#answered(token, at),
      },
    })
    this.#session = { transport, secured, records: new RecordLayer(endToEnd.crypto, secured, now) }
    // The end that did not begin shows that it has the keys.
    if (!secured.initiator) transport.ping()
    this.#options.secured(before, now)
    this.pump(now)
  }

  #end(now: Instant): void {
    this.#session?.transport.abandon(now)
    this.#session = undefined
    this.#carrier = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAt = undefined
  }

  #arm(transport: Transport, now: Instant): void {
    const { deadline } = transport
    if (deadline === undefined || (this.#timerAt !== undefined && this.#timerAt <= deadline)) return
    this.#timer?.cancel()
    // Never at once: what could be done by now is done.
    this.#timerAt = deadline <= now ? later(now, GRANULARITY) : deadline
    this.#timer = this.#context.timers.set(this.#timerAt, (at) => {
      this.#timerAt = undefined
      transport.wake(at)
      this.pump(at)
    })
  }

  #sendHandshake(kind: number, message: Uint8Array, now: Instant): void {
    const carrier = this.#options.carrier()
    if (carrier === undefined) return
    const front = carrier.kind === 'channel' ? CHANNEL_HEADER_BYTES : 0
    const session = sessionIdToBytes(carrier.session)
    const fields = { session, kind, group: this.#context.random.uint32() }
    for (const part of splitHandshake(message, carrier.traits.base - HANDSHAKE_HEADER_BYTES, fields)) {
      const datagram = new Uint8Array(front + part.length)
      if (front > 0) writeChannelHeader(datagram, session)
      datagram.set(part, front)
      carrier.transmit(datagram, now)
    }
  }

  /** The newest record came from an address that is not the other end's: perhaps its NAT gave it a new one. */
  #follow(source: Route, now: Instant): void {
    const current = this.#carrier
    if (current?.kind !== 'direct' || sameRoute(current.identity as Route, source)) return
    if (this.#challenge !== undefined && later(this.#challenge.at, CHALLENGE_LIFETIME) > now) return
    const token = this.#context.random.bytes(CHALLENGE_BYTES)
    this.#challenge = { token, to: source, at: now }
    this.#sendToken(FRAME.pathChallenge, token, source, now)
  }

  #answer(token: Uint8Array, now: Instant): void {
    if (this.#source !== undefined) this.#sendToken(FRAME.pathResponse, token, this.#source, now)
  }

  #answered(token: Uint8Array, now: Instant): void {
    const challenge = this.#challenge
    if (challenge === undefined || !equalBytes(challenge.token, token)) return
    this.#challenge = undefined
    this.#options.rebound(challenge.to, now)
  }

  #sendToken(
    type: typeof FRAME.pathChallenge | typeof FRAME.pathResponse,
    token: Uint8Array,
    to: Route,
    now: Instant,
  ): void {
    const session = this.#session
    if (session === undefined) return
    const payload = new Uint8Array(1 + CHALLENGE_BYTES)
    const writer = new FrameWriter()
    writer.reset(payload, payload.length)
    writer.token(type, token)
    const datagram = new Uint8Array(RECORD_OVERHEAD + payload.length)
    session.records.seal(payload, datagram, 0, session.transport.acknowledged, now)
    this.#context.outbox.transmit(to, datagram)
  }
}

/** The bytes of a carrier's session, decoded once. */
const decoded = new WeakMap<RecordPath, Uint8Array>()
function sessionBytes(carrier: RecordPath): Uint8Array {
  let bytes = decoded.get(carrier)
  if (bytes === undefined) {
    bytes = sessionIdToBytes(carrier.session)
    decoded.set(carrier, bytes)
  }
  return bytes
}
