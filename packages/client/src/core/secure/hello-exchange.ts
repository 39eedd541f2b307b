/**
 * The hellos of one connection: this end's, until it is answered, and the newest of the remote peer
 * that this end answered, until its first record shows that the remote peer has the answer.
 *
 *   dial ──► out ──── answer ──► keys            hello ──► pending ── record ──► keys
 *             │ nothing in PATIENCE: late                    │ nothing in PENDING_TIME: expired
 *
 * When both ends dial, the hello of the smaller id counts (tooling/models, glare.pml): the smaller
 * leaves a hello unanswered while its own is out, and the larger gives up its own for it.
 */
import { equalBytes, type PeerId } from '@showchain/wire'
import { HELLO_KIND, type HelloOffer, MAX_EARLY_BYTES, WARM_HELLO_BYTES, writeEarly } from '@showchain/wire/end-to-end'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import type { Acquaintances } from './acquaintances.ts'
import type { EarlyBytes } from './early-bytes.ts'
import { type EarlyOnce, isNewer } from './early-once.ts'
import type { Ephemerals } from './ephemerals.ts'
import {
  type AnsweredHello,
  answerHello,
  type Greeting,
  type HelloOptions,
  OutgoingHello,
  type WarmTarget,
} from './hello.ts'
import { HELLO_PATIENCE, HELLO_SPREAD, PENDING_TIME } from './limits.ts'
import { type Opened, RecordLayer } from './record-layer.ts'
import type { WarmKeys } from './warm-keys.ts'

export interface HelloExchangeOptions extends Pick<HelloOptions, 'crypto'> {
  readonly self: HelloOptions['requester']
  readonly remoteId: HelloOptions['requester']
  readonly timers: Pick<Timers, 'set'>
  readonly ephemerals: Ephemerals
  readonly acquaintances: Pick<Acquaintances, 'staticKey' | 'forgetStaticKey'>
  /** Undefined: this end takes nothing early. */
  readonly early: Pick<EarlyOnce, 'judged' | 'take'> | undefined
  readonly warmKeys: Pick<WarmKeys, 'find'>
  /** A hello of this end has left: there is time until its answer comes. */
  prepare(now: Instant): void
  /** What this end tells of itself at this moment. */
  offer(): HelloOffer
  /**
   * Whether there is a connection already, which what is said early would replace, or a handshake,
   * which the remote peer may have completed.
   */
  connecting(): boolean
}

/** What a dial wants to be in its hello. */
export interface Dialled {
  readonly early: EarlyBytes | undefined
  /** Whether each request has room for a hello of so many bytes. */
  fits(bytes: number): boolean
}

export type HelloEvent =
  /** This end's hello is not answered so far, or by a message without one. */
  | 'late'
  /** The remote peer sent no record under the keys of a hello that this end answered. */
  | 'expired'

/** What follows from an answer, and whether that is new. */
export interface Taken {
  readonly greeting: Greeting
  /** What the remote peer has of this end's first stream already. */
  readonly early: Uint8Array | undefined
  readonly first: boolean
}

interface Pending {
  readonly greeting: AnsweredHello
  readonly records: RecordLayer
  /** What this end said early in the hello that it gave up for this one. */
  readonly givenUp: EarlyBytes | undefined
  readonly timer: Timer
}

const NO_BYTES = new Uint8Array(0)

/** @param wanted whether what is said early is taken, if it never was before */
export const warmTarget = (
  { early, warmKeys }: Pick<HelloExchangeOptions, 'early' | 'warmKeys'>,
  remoteId: PeerId,
  stamp: Stamp,
  wanted: boolean,
  now: Instant,
): WarmTarget => ({
  find: (hint) => warmKeys.find(hint, now),
  judged: (ephemeral) => early?.judged(remoteId, ephemeral) === true,
  take: (ephemeral) => early?.take(remoteId, ephemeral, stamp, wanted) === true,
})

export class HelloExchange {
  readonly #options: HelloExchangeOptions
  /** Whether this end's hello counts when both ends send one. */
  readonly #leads: boolean
  readonly #events = new EventQueue<HelloEvent>()
  #out: OutgoingHello | undefined
  /** What this end's hello says early. */
  #early: EarlyBytes | undefined
  /** `ts` of the first request that had this end's hello. */
  #since: number | undefined
  #patience: Timer | undefined
  #isLate = false
  /** The answer that this end's hello had: it comes by each relay that passed the hello on. */
  #taken: { readonly answer: Uint8Array; readonly greeting: Greeting } | undefined
  /** The newest one that was answered. */
  #answered: { readonly value: Uint8Array; readonly stamp: Stamp; readonly with: AnsweredHello } | undefined
  #pending: Pending | undefined

  constructor(options: HelloExchangeOptions) {
    this.#options = options
    this.#leads = options.self < options.remoteId
  }

  poll(): HelloEvent | undefined {
    return this.#events.poll()
  }

  /** Whether this end's requests may carry one. */
  get isOut(): boolean {
    return this.#out !== undefined
  }

  /**
   * The value for a request of this end; undefined: it goes without. One that comes too late after the
   * first ends the hello: its receiver forgets in time what it took early.
   */
  valueFor({ ts }: Stamp): Uint8Array | undefined {
    this.#since ??= ts
    if (ts - this.#since > HELLO_SPREAD) this.giveUp()
    return this.#out?.value
  }

  /** Whether an answer to this end's hello may come at any moment, so that no handshake is wanted. */
  get awaited(): boolean {
    return this.#out !== undefined && !this.#isLate
  }

  /** The handshake hash of the connection whose first record this end waits for. */
  get pendingHash(): Uint8Array | undefined {
    return this.#pending?.greeting.secured.hash
  }

  get pendingRecords(): RecordLayer | undefined {
    return this.#pending?.records
  }

  /** This end dials. @param made the hello, if it was made before this connection was */
  dial(dialled: Dialled, now: Instant, made?: OutgoingHello): void {
    if (!this.#leads && this.#pending !== undefined) return
    const { timers } = this.#options
    const offer = this.#options.offer()
    if (this.#out !== undefined && this.#out.offer.mayRelay === offer.mayRelay) return
    this.giveUp()
    this.#out = made ?? this.#warm(offer, dialled) ?? new OutgoingHello(this.#ends(true), offer)
    this.#patience = timers.set(later(now, HELLO_PATIENCE), () => this.#late())
    timers.set(now, (at) => {
      this.#out?.prepare()
      this.#options.prepare(at)
    })
  }

  /** One under the static key that the remote peer told, if there is room for it. */
  #warm(offer: HelloOffer, { early, fits }: Dialled): OutgoingHello | undefined {
    const { acquaintances, remoteId } = this.#options
    const targetKey = acquaintances.staticKey(remoteId)
    if (targetKey === undefined || !fits(WARM_HELLO_BYTES)) return undefined
    const frames = early?.state === 'unsent' ? writeEarly({ bytes: early.bytes, fin: false }) : NO_BYTES
    const says = frames.length > 0 && frames.length <= MAX_EARLY_BYTES && fits(WARM_HELLO_BYTES + frames.length)
    try {
      const hello = new OutgoingHello(this.#ends(true), offer, { targetKey, early: says ? frames : NO_BYTES })
      this.#early = says ? early : undefined
      if (this.#early !== undefined) this.#early.state = 'sent'
      return hello
    } catch {
      // Of small order.
      acquaintances.forgetStaticKey(remoteId)
      return undefined
    }
  }

  /** The remote peer answered by a message without a hello. It may be of a version without warm ones. */
  decline(): void {
    if (this.#out?.value[0] === HELLO_KIND.warm) this.#options.acquaintances.forgetStaticKey(this.#options.remoteId)
    this.#late()
  }

  #late(): void {
    if (this.#out === undefined || this.#isLate) return
    this.#isLate = true
    this.#patience?.cancel()
    this.#events.push('late')
  }

  /** The dial is over, or there are keys: no answer is taken any more. */
  giveUp(): void {
    this.#patience?.cancel()
    this.#out = undefined
    this.#since = undefined
    this.#isLate = false
    this.#early = undefined
  }

  /** An answer came in a message of the remote peer, whose signature is verified. */
  take(answer: Uint8Array): Taken | undefined {
    const taken = this.#taken
    if (taken !== undefined && equalBytes(taken.answer, answer))
      return { greeting: taken.greeting, early: undefined, first: false }
    const greeting = this.#out?.read(answer)
    if (greeting === undefined) return undefined
    if (this.#early !== undefined) this.#early.state = greeting.warm ? 'taken' : 'unsent'
    this.#taken = { answer: answer.slice(), greeting }
    const early = greeting.warm ? this.#early?.bytes : undefined
    this.giveUp()
    // No record confirms the hello of the larger id any more, which dialled, too.
    this.dropPending()
    return { greeting, early, first: true }
  }

  /**
   * A hello came in a request of the remote peer, which this end lets in and whose signature is
   * verified. One has the same answer in each request that it comes in.
   * @param stamp of the request: only a newer one brings another hello
   * @param made the answer, if it was made before this connection was
   */
  answer(value: Uint8Array, stamp: Stamp, now: Instant, made?: AnsweredHello): AnsweredHello | undefined {
    const known = this.#answered
    if (known !== undefined && equalBytes(known.value, value)) return known.with
    if (known !== undefined && !isNewer(stamp, known.stamp)) return undefined
    if (this.#leads && this.#out !== undefined) return undefined
    const answered = made ?? answerHello(this.#ends(false), value, this.#options.offer(), this.#target(stamp, now))
    if (answered === undefined) return undefined
    if (this.#early !== undefined) this.#early.state = 'given up'
    const givenUp = this.#early
    this.giveUp()
    this.#answered = { value: value.slice(), stamp, with: answered }
    this.dropPending()
    const { crypto, timers, ephemerals } = this.#options
    timers.set(now, () => ephemerals.prepare())
    this.#pending = {
      ...{ greeting: answered, givenUp },
      records: new RecordLayer(crypto, answered.secured, now),
      timer: timers.set(later(now, PENDING_TIME), () => {
        this.#pending = undefined
        this.#events.push('expired')
      }),
    }
    return answered
  }

  #target(stamp: Stamp, now: Instant): WarmTarget {
    const { remoteId, connecting } = this.#options
    // Only a record tells that what this end said early itself was not taken.
    const wanted = !connecting() && this.#early === undefined
    return warmTarget(this.#options, remoteId, stamp, wanted, now)
  }

  /** The first record of the remote peer under the keys of its hello. */
  confirm(record: Uint8Array, now: Instant): (Pick<Pending, 'greeting' | 'records'> & { opened: Opened }) | undefined {
    const pending = this.#pending
    const opened = pending?.records.open(record, now)
    if (pending === undefined || opened === undefined) return undefined
    // It takes nothing of this end while its own hello is out.
    if (pending.givenUp !== undefined) pending.givenUp.state = 'unsent'
    this.giveUp()
    this.dropPending()
    return { ...pending, opened }
  }

  /** What the remote peer said early makes its keys count before a record does. */
  takeEarly(): (Pick<Pending, 'records'> & { readonly greeting: AnsweredHello }) | undefined {
    const pending = this.#pending
    if (pending?.greeting.early === undefined) return undefined
    this.dropPending()
    return pending
  }

  /** There are other keys, or they follow from another hello. */
  dropPending(): void {
    this.#pending?.timer.cancel()
    this.#pending = undefined
  }

  #ends(outgoing: boolean): HelloOptions {
    const { crypto, ephemerals, self, remoteId } = this.#options
    const [requester, target] = outgoing ? [self, remoteId] : [remoteId, self]
    return { crypto, ephemerals, requester, target }
  }
}
