/**
 * Protects one connection: the key agreement, then records that carry the frames of a transport. Paths
 * come and go underneath: it asks its owner for the best one whenever it has something to send.
 *
 *   transport.fill ──► record layer seals ──► record path (direct, a channel frame, or a 0x123)
 *   transport.receive ◄── record layer opens ◄── any path
 *
 * After each call, timer and result of work, the owner polls it for events, then calls `pump`.
 */
import type { CryptoProvider, KeyCache, Random } from '@showchain/crypto/core'
import { MAX_RECORD_DATAGRAM, type PeerId } from '@showchain/wire'
import { RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import type { Count } from '../endpoint/counters.ts'
import { drainedTimers } from '../endpoint/drained.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Timers } from '../endpoint/timers.ts'
import type { DatagramQueue } from '../transport/datagram-queue.ts'
import type { Goodbye } from '../transport/ending.ts'
import type { Streams } from '../transport/streams/streams.ts'
import type { Transport } from '../transport/transport.ts'
import { drainedCredentials } from './credentials.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import { type EndToEnd, noiseCrypto, type RecordReceiver } from './end-to-end.ts'
import { type Established, Establishing } from './established.ts'
import type { Restart, SecureEvent } from './events.ts'
import { IdleTimeout, type IdleTimeoutActions } from './idle-timeout.ts'
import { KeyAgreement, type KeyAgreementEvent } from './key-agreement.ts'
import { TRAIN_RECORDS } from './limits.ts'
import { type Newest, NOTHING_READ, type PathFramesRead, PathProbing, type PathQuestions } from './path-probing.ts'
import type { Opened } from './record-layer.ts'
import { type RecordPath, samePath } from './record-path.ts'
import { RecordSender } from './record-sender.ts'
import type { SecureStatistics } from './statistics.ts'

export interface SecureSessionOptions extends Pick<IdleTimeoutActions, 'reachableSince'> {
  readonly self: PeerId
  readonly remoteId: PeerId
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  readonly provider: CryptoProvider
  readonly keys: KeyCache
  readonly endToEnd: EndToEnd
  readonly receiver: RecordReceiver
  readonly count: Count<'recordRefused' | 'handshakeRefused'>
  /** Whether this end's application asked for the connection. */
  dialled(): boolean
  /** Whether a relay may carry its records. */
  mayRelay(): boolean
  /** The best path at the moment. */
  path(): RecordPath | undefined
  readonly questions: PathQuestions
  readonly connectionId: Uint8Array | undefined
  /** The path that gets a copy of each record while that one is in doubt. */
  standby(): RecordPath | undefined
}

/** Records are never longer. */
const scratch = new Uint8Array(MAX_RECORD_DATAGRAM)
/** What of it the last record took. */
let filled = scratch

export class SecureSession {
  readonly #options: SecureSessionOptions
  /** The same for every handshake; their keys differ. */
  readonly #connectionId: Uint8Array
  readonly #establishing: Establishing
  readonly keys: KeyAgreement
  readonly #timer: DeadlineTimer
  readonly #idle: IdleTimeout
  readonly #sender = new RecordSender()
  /** A `pathResponse` with its token follows when a path answers that it asks. */
  readonly probing: PathProbing
  readonly #events = new EventQueue<SecureEvent>()
  #established: Established | undefined
  /** The path of the last record. */
  #path: RecordPath | undefined
  /** That path is gone, and what was in flight on it is lost. */
  #pathLost = false
  #closed = false

  constructor(options: SecureSessionOptions) {
    const { remoteId, random, timers, provider, keys, endToEnd, receiver, questions, reachableSince } = options
    const drain = (now: Instant): void => this.#drainKeys(now)
    this.#options = options
    this.#connectionId = endToEnd.connectionIds.allocate(receiver, options.connectionId)
    this.#establishing = new Establishing(endToEnd, remoteId)
    this.probing = new PathProbing({
      ...{ random, questions },
      send: (payload, to, now) => {
        const { records = this.keys.unconfirmed, transport, observer } = this.#established ?? {}
        if (records === undefined) return false
        observer?.sent(records.next, payload, payload.length + RECORD_OVERHEAD)
        this.#sender.send(records, payload, transport?.largestAcked ?? -1, to, undefined, now)
        return true
      },
    })
    this.#timer = new DeadlineTimer(timers, (now) => this.#wake(now))
    const ask = (): void => this.#established?.transport.ping()
    const silent = (reason: string): void => this.#events.push({ type: 'failed', reason })
    this.#idle = new IdleTimeout(timers, endToEnd.idleTimeout, { reachableSince, ask, silent })
    this.keys = new KeyAgreement({
      ...{ ...options, unixMs: endToEnd.unixMs },
      timers: drainedTimers(timers, drain),
      crypto: noiseCrypto(endToEnd.crypto, provider),
      credentials: drainedCredentials(endToEnd.credentials, drain),
      keyOf: (spki) => keys.learn(remoteId, spki),
      verify: (key, preimage, signature) => provider.verifyPss(key, preimage, signature),
      connectionId: this.#connectionId,
      prepare: (now) => this.#establishing.prepare(now),
      current: () => this.#established?.secured.hash,
    })
  }

  /** What happened, in order; nothing after the session was closed. */
  poll(): SecureEvent | undefined {
    return this.#closed ? undefined : this.#events.poll()
  }

  /** Whether there are keys. */
  get secured(): boolean {
    return this.#established !== undefined
  }

  get streams(): Streams | undefined {
    return this.#established?.transport.streams
  }

  get datagrams(): DatagramQueue | undefined {
    return this.#established?.transport.datagrams
  }

  /** Bytes of a full record on the current path, and on the one for copies; undefined without a path. */
  get recordSize(): number | undefined {
    const path = this.#options.path()
    const known = path !== undefined && this.#path !== undefined && samePath(path, this.#path)
    const size = known ? this.#established?.transport.recordSize : path?.traits.base
    return size && Math.min(size, this.#options.standby()?.traits.base ?? size)
  }

  get statistics(): SecureStatistics | undefined {
    const { transport, records } = this.#established ?? {}
    return transport && records && { ...transport.statistics, epoch: records.epoch, ...this.#sender.bytes }
  }

  /** There is a path, or works again: the key agreement begins, or data goes on at once. */
  start(now: Instant): void {
    if (this.#established === undefined) this.keys.start(now)
    else this.#established.transport.hurry()
    this.#drainKeys(now)
  }

  /** Uses the key agreement, and takes up what follows. */
  agree<Result>(use: (keys: KeyAgreement) => Result, now: Instant): Result {
    const result = use(this.keys)
    this.#drainKeys(now)
    return result
  }

  /** The former path is gone: what was in flight on it is lost. */
  pathLost(): void {
    this.#pathLost = true
  }

  /** Sends CONNECTION_CLOSE and forgets everything. */
  close(goodbye: Goodbye, now: Instant): void {
    this.#established?.transport.close(goodbye)
    this.pump(now)
    this.#closed = true
    this.keys.stop()
    this.#end(now)
    this.#options.endToEnd.connectionIds.forget(this.#connectionId)
  }

  /**
   * A record with this connection's id arrived.
   * @param by where it came from, as a path; undefined: nowhere that is known
   * @returns what it is, when it is genuine and none with a higher number came before
   */
  receive(record: Uint8Array, by: RecordPath | undefined, now: Instant): Newest | undefined {
    const opened = this.#open(record, now)
    const { records, transport } = this.#established ?? {}
    if (records === undefined || transport === undefined || opened === undefined) {
      this.#options.count('recordRefused')
      return undefined
    }
    this.keys.confirmed()
    this.#idle.heard(now)
    this.#sender.received(record.length, by)
    const arrival = by && { by, length: record.length, newest: opened.newest }
    const challenge = arrival && this.probing.challenge(arrival, this.#path, now)
    transport.receive(opened.number, opened.payload, records.next, now)
    const read = this.#drainTransport(transport, by)
    if (arrival !== undefined) this.probing.answer(arrival, read, challenge, now)
    return opened.newest ? this.probing.newest(read) : undefined
  }

  /** Under the keys at hand, or those of the hello whose first record it is. */
  #open(record: Uint8Array, now: Instant): Opened | undefined {
    // What does not open may be written over.
    const copy = this.keys.mayConfirm ? record.slice() : undefined
    const opened = this.#established?.records.open(record, now)
    if (opened !== undefined || copy === undefined) return opened
    return this.agree((keys) => keys.confirm(copy, now), now)
  }

  /**
   * Sends a train of what may leave now, on the best path.
   * @returns whether there may be more
   */
  pump(now: Instant): boolean {
    const established = this.#established
    const path = this.#options.path()
    // Without a path there is nothing to wait for: the owner pumps once there is one.
    if (established === undefined || path === undefined) return false
    this.#switchPath(path, established.transport)
    const standby = this.#options.standby()
    let sent = 0
    while (sent < TRAIN_RECORDS && path.ready() && this.#sendRecord(established, path, standby, now)) sent++
    if (sent > 0 && established.transport.unanswered) this.#idle.asked(now)
    if (sent === TRAIN_RECORDS) return true
    if (path.ready()) this.#timer.arm(established.transport.deadline, now)
    return false
  }

  #sendRecord(
    { records, transport }: Established,
    path: RecordPath,
    standby: RecordPath | undefined,
    now: Instant,
  ): boolean {
    const into = standby === undefined ? scratch : scratch.subarray(0, standby.traits.base)
    const length = transport.fill(records.next, into, now)
    if (length === 0) return false
    // Most records of a train are of one length: one view for all of them.
    if (filled.length !== length) filled = scratch.subarray(0, length)
    const copyTo = standby?.ready() === true ? standby : undefined
    this.#sender.send(records, filled, transport.largestAcked, path, copyTo, now)
    return true
  }

  #switchPath(path: RecordPath, transport: Transport): void {
    if (this.#path !== undefined && samePath(path, this.#path) && !this.#pathLost) return
    this.#path = path
    transport.migrate(path.traits, { abandonInFlight: this.#pathLost, observed: path })
    this.#pathLost = false
  }

  #drainKeys(now: Instant): void {
    for (let event = this.keys.poll(now); event !== undefined; event = this.keys.poll(now)) this.#onKeys(event, now)
  }

  #onKeys(event: KeyAgreementEvent, now: Instant): void {
    if (event.type === 'failed' && this.#established !== undefined) return
    const before = 'secured' in event ? this.#establish(event, now) : undefined
    // What is refused is there to say goodbye.
    if (event.type !== 'secured') return this.#events.push({ type: 'failed', reason: event.reason })
    const { byHello, secured, early } = event
    this.#events.push({ type: 'secured', before, byHello, early, remoteDialled: secured.remoteDialled })
    if (this.#established !== undefined) this.#drainTransport(this.#established.transport)
  }

  #drainTransport(transport: Transport, by?: RecordPath): PathFramesRead {
    let event = transport.poll()
    if (event === undefined) return NOTHING_READ
    let asked: Uint8Array | undefined
    const answers: Uint8Array[] = []
    for (; event !== undefined; event = transport.poll())
      if (event.type === 'pathChallenge') asked = event.token
      else if (event.type === 'pathResponse') answers.push(event.token)
      else this.#events.push(event)
    for (const token of answers) {
      const route = this.probing.validated(token, by)
      this.#events.push(route ? { type: 'rebound', route } : { type: 'pathResponse', token, asks: asked !== undefined })
    }
    return { asked, answers }
  }

  /** @returns what was not read of the connection before it */
  #establish(agreed: Parameters<Establishing['establish']>[0], now: Instant): Restart {
    const before = this.#established?.transport.streams.unread()
    this.#end(now)
    this.#established = this.#establishing.establish(agreed, now)
    this.#idle.start(now)
    return before
  }

  #end(now: Instant): void {
    this.#established?.transport.datagrams.abandon(now)
    this.#established = undefined
    this.#path = undefined
    this.#timer.cancel()
    this.#idle.stop()
  }

  #wake(now: Instant): void {
    this.#established?.transport.wake(now)
    if (this.#established !== undefined) this.#drainTransport(this.#established.transport)
  }
}
