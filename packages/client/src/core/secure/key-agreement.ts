/**
 * How a connection gets its keys: by a hello in the requests that introduce both ends, or by a
 * handshake on the first path, where no hello is on its way, or its answer is late.
 */
import type { Random } from '@showchain/crypto/core'
import type { PeerId } from '@showchain/wire'
import { type Early, HANDSHAKE_KIND, writeHandshakePart } from '@showchain/wire/end-to-end'
import type { Count } from '../endpoint/counters.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import type { EndToEnd } from './end-to-end.ts'
import { Handshake } from './handshake.ts'
import { HandshakeInbox } from './handshake-inbox.ts'
import type { HandshakeOptions, Secured } from './handshake-options.ts'
import { HandshakeSender } from './handshake-sender.ts'
import type { AnsweredHello, Greeting, OutgoingHello } from './hello.ts'
import { type Dialled, HelloExchange } from './hello-exchange.ts'
import { PENDING_TIME } from './limits.ts'
import type { Opened, RecordLayer } from './record-layer.ts'
import type { RecordPath } from './record-path.ts'

/** This end knows named streams. */
export const NAMED_STREAMS = true

export interface KeyAgreementOptions extends Omit<HandshakeOptions, 'transmit' | 'namedStreams'> {
  readonly endToEnd: Pick<EndToEnd, 'acquaintances' | 'ephemerals' | 'warmKeys' | 'early'>
  readonly self: PeerId
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  readonly count: Count<'handshakeRefused'>
  /** Whether a relay may carry this end's records. */
  mayRelay(): boolean
  /** @see HelloExchangeOptions.prepare */
  prepare(now: Instant): void
  /** The best path at the moment. */
  path(): RecordPath | undefined
}

export type KeyAgreementEvent =
  /**
   * There are keys, or other ones than before.
   * @param records what has opened a record under them already
   * @param byHello whether they come of a hello, and not of a handshake
   * @param early how the first stream of the initiator begins
   */
  | {
      readonly type: 'secured'
      readonly secured: Secured
      readonly records: RecordLayer | undefined
      readonly byHello: boolean
      readonly early: Early | undefined
    }
  /** @see HandshakeEvent */
  | { readonly type: 'refused'; readonly secured: Secured; readonly records: undefined; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string }
  /** The remote peer said something early, and sent no record. */
  | { readonly type: 'silent'; readonly reason: string }

export class KeyAgreement {
  readonly #options: KeyAgreementOptions
  readonly #events = new EventQueue<KeyAgreementEvent>()
  readonly #handshake: Handshake
  readonly #sender: HandshakeSender
  readonly #inbox = new HandshakeInbox()
  readonly #hello: HelloExchange
  /** Until the remote peer sends a record, after what it said early. */
  #unconfirmed: Timer | undefined

  constructor(options: KeyAgreementOptions) {
    const { self, remoteId, crypto, timers, connectionId, dialled, mayRelay, current, path, random, prepare } = options
    const { acquaintances, ephemerals, warmKeys, early } = options.endToEnd
    this.#options = options
    this.#sender = new HandshakeSender(random, path)
    this.#hello = new HelloExchange({
      ...{ self, remoteId, crypto, timers, acquaintances, ephemerals, warmKeys, early, prepare },
      connecting: () => current() !== undefined || this.#handshake.running || this.#handshake.committed,
      offer: () => ({ mayRelay: mayRelay(), dialled: dialled(), namedStreams: NAMED_STREAMS, connectionId }),
    })
    this.#handshake = new Handshake({
      ...{ ...options, namedStreams: NAMED_STREAMS },
      current: () => current() ?? this.#hello.pendingHash,
      transmit: (kind, message, now) => this.#sender.send(kind, message, now),
    })
  }

  /** Polled by the owner after each call, timer and certificate. */
  poll(now: Instant): KeyAgreementEvent | undefined {
    for (let event = this.#hello.poll(); event !== undefined; event = this.#hello.poll()) this.#goOn(event, now)
    for (let event = this.#handshake.poll(); event !== undefined; event = this.#handshake.poll()) {
      if (event.type === 'failed') this.#events.push(event)
      else if (event.type === 'refused') this.#events.push({ ...event, records: undefined })
      else {
        this.#hello.giveUp()
        this.#hello.dropPending()
        this.#events.push({ ...event, records: undefined, byHello: false, early: undefined })
      }
    }
    return this.#events.poll()
  }

  /** There is a path, and there are no keys yet. */
  start(now: Instant): void {
    if (!this.#hello.awaited && !this.mayConfirm) this.#handshake.start(now)
  }

  /**
   * Begins a handshake, whichever id is smaller, in a session that this end asked for.
   * @param session its id, 16 bytes
   * @returns the first message, as a part; undefined: the keys come another way
   */
  begin(session: Uint8Array, now: Instant): Uint8Array | undefined {
    const { current, random } = this.#options
    if (current() !== undefined || this.#hello.awaited || this.mayConfirm) return undefined
    const bytes = this.#handshake.begin(now)
    const group = random.uint32()
    return bytes && writeHandshakePart({ session, kind: HANDSHAKE_KIND.first, group, index: 0, count: 1, bytes })
  }

  stop(): void {
    this.#handshake.stop()
    this.#hello.giveUp()
    this.#hello.dropPending()
    this.#unconfirmed?.cancel()
  }

  /** A genuine record arrived: the remote peer has the keys. */
  confirmed(): void {
    this.#unconfirmed?.cancel()
    this.#handshake.confirmed()
  }

  /** A part of a handshake message arrived by a session of this connection, on that path. */
  receiveHandshake(record: Uint8Array, by: RecordPath, now: Instant): void {
    // What a relay passes on is not signed: it must not keep an answer out that is.
    if (this.#hello.awaited) return
    const message = this.#inbox.receive(record, by, now)
    if (message === 'refused') return this.#options.count('handshakeRefused')
    if (message === undefined) return
    this.#sender.cameBy(by)
    this.#handshake.receive(message.kind, message.bytes, now)
  }

  /** Whether requests of this end's dial may carry a hello. */
  get hasHello(): boolean {
    return this.#hello.isOut
  }

  /** The hello for a request of this end's dial; undefined: it goes without. */
  helloFor(request: Stamp): Uint8Array | undefined {
    return this.#hello.valueFor(request)
  }

  /** This end dials: its requests may carry a hello. @param made one that they carry already */
  dial(dialled: Dialled, now: Instant, made?: OutgoingHello): void {
    if (this.#options.current() === undefined) this.#hello.dial(dialled, now, made)
  }

  /** The dial is over. */
  giveUp(): void {
    this.#hello.giveUp()
  }

  /**
   * The remote peer answered a request of the dial.
   * @param answer the hello in its answer; undefined: there was none
   * @returns undefined: no keys follow from it
   */
  greeted(answer: Uint8Array | undefined): Greeting | undefined {
    if (answer === undefined) this.#hello.decline()
    // The remote peer takes the handshake for complete with this end's last message.
    if (answer === undefined || this.#handshake.committed) return undefined
    const taken = this.#hello.take(answer)
    if (taken?.first === true)
      this.#secured(taken.greeting, undefined, taken.early && { bytes: taken.early, fin: false })
    return taken?.greeting
  }

  /** @see HelloExchange.answer */
  answer(hello: Uint8Array, stamp: Stamp, now: Instant, made?: AnsweredHello): AnsweredHello | undefined {
    const answered = this.#hello.answer(hello, stamp, now, made)
    const taken = this.#hello.takeEarly()
    if (taken === undefined) return answered
    this.#secured(taken.greeting, taken.records, taken.greeting.early)
    const reason = 'the remote peer said something, and sent nothing more'
    this.#unconfirmed = this.#options.timers.set(later(now, PENDING_TIME), () =>
      this.#events.push({ type: 'silent', reason }),
    )
    return answered
  }

  /** Whether a record may be the first under other keys than those of the connection at hand. */
  get mayConfirm(): boolean {
    return this.#hello.pendingHash !== undefined
  }

  /** The records of a hello that this end answered, and whose keys the remote peer did not use so far. */
  get unconfirmed(): RecordLayer | undefined {
    return this.#hello.pendingRecords
  }

  /** Opens the first record under the keys of a hello that this end answered. */
  confirm(record: Uint8Array, now: Instant): Opened | undefined {
    const confirmed = this.#hello.confirm(record, now)
    if (confirmed === undefined) return undefined
    const { greeting, records, opened } = confirmed
    this.#secured(greeting, records, undefined)
    return opened
  }

  #secured({ secured }: Greeting, records: RecordLayer | undefined, early: Early | undefined): void {
    this.#handshake.stop()
    this.#events.push({ type: 'secured', secured, records, byHello: true, early })
  }

  #goOn(event: 'late' | 'expired', now: Instant): void {
    if (this.#options.current() !== undefined) return
    if (event === 'late' || this.#options.dialled()) {
      if (this.#options.path() !== undefined) this.#handshake.start(now)
    } else if (!this.#handshake.running)
      this.#events.push({ type: 'failed', reason: 'the remote peer asked for keys, and never used them' })
  }
}
