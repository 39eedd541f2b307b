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
import { equalBytes } from '@showchain/wire'
import type { HelloOffer } from '@showchain/wire/end-to-end'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import { type AnsweredHello, answerHello, type Greeting, type HelloOptions, OutgoingHello } from './hello.ts'
import { HELLO_PATIENCE, PENDING_TIME } from './limits.ts'
import { type Opened, RecordLayer } from './record-layer.ts'

export interface HelloExchangeOptions extends Omit<HelloOptions, 'requester' | 'target'> {
  readonly self: HelloOptions['requester']
  readonly remoteId: HelloOptions['requester']
  readonly timers: Pick<Timers, 'set'>
  /** What this end tells of itself at this moment. */
  offer(): HelloOffer
}

export type HelloEvent =
  /** This end's hello is not answered so far, or by a message without one. */
  | 'late'
  /** The remote peer sent no record under the keys of a hello that this end answered. */
  | 'expired'

interface Pending {
  readonly greeting: Greeting
  readonly records: RecordLayer
  readonly timer: Timer
}

export class HelloExchange {
  readonly #options: HelloExchangeOptions
  /** Whether this end's hello counts when both ends send one. */
  readonly #leads: boolean
  readonly #events = new EventQueue<HelloEvent>()
  #out: OutgoingHello | undefined
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

  /** The value for this end's requests; undefined: they go without. */
  get value(): Uint8Array | undefined {
    return this.#out?.value
  }

  /** Whether an answer to this end's hello may come at any moment, so that no handshake is wanted. */
  get awaited(): boolean {
    return this.#out !== undefined && !this.#isLate
  }

  /** Name of the connection whose first record this end waits for. */
  get pendingName(): Uint8Array | undefined {
    return this.#pending?.greeting.secured.name
  }

  get pendingRecords(): RecordLayer | undefined {
    return this.#pending?.records
  }

  /** This end dials. */
  dial(now: Instant): void {
    if (!this.#leads && this.#pending !== undefined) return
    const { timers } = this.#options
    const offer = this.#options.offer()
    if (this.#out !== undefined && this.#out.offer.mayRelay === offer.mayRelay) return
    this.giveUp()
    this.#out = new OutgoingHello(this.#ends(true), offer)
    this.#patience = timers.set(later(now, HELLO_PATIENCE), () => this.decline())
  }

  /** The remote peer answered by a message without a hello, or not at all so far. */
  decline(): void {
    if (this.#out === undefined || this.#isLate) return
    this.#isLate = true
    this.#patience?.cancel()
    this.#events.push('late')
  }

  /** The dial is over, or there are keys: no answer is taken any more. */
  giveUp(): void {
    this.#patience?.cancel()
    this.#out = undefined
    this.#isLate = false
  }

  /**
   * An answer came in a message of the remote peer, whose signature is verified.
   * @returns what follows from it, and whether that is new
   */
  take(answer: Uint8Array): { readonly greeting: Greeting; readonly first: boolean } | undefined {
    const taken = this.#taken
    if (taken !== undefined && equalBytes(taken.answer, answer)) return { greeting: taken.greeting, first: false }
    const greeting = this.#out?.read(answer)
    if (greeting === undefined) return undefined
    this.#taken = { answer: answer.slice(), greeting }
    this.giveUp()
    // No record confirms the hello of the larger id any more, which dialled, too.
    this.dropPending()
    return { greeting, first: true }
  }

  /**
   * A hello came in a request of the remote peer, which this end lets in and whose signature is
   * verified. One has the same answer in each request that it comes in.
   * @param stamp of the request: only a newer one brings another hello
   */
  answer(value: Uint8Array, stamp: Stamp, now: Instant): AnsweredHello | undefined {
    const known = this.#answered
    if (known !== undefined && equalBytes(known.value, value)) return known.with
    if (known !== undefined && !isNewer(stamp, known.stamp)) return undefined
    if (this.#leads && this.#out !== undefined) return undefined
    const answered = answerHello(this.#ends(false), value, this.#options.offer())
    if (answered === undefined) return undefined
    this.giveUp()
    this.#answered = { value: value.slice(), stamp, with: answered }
    this.dropPending()
    const { crypto, timers } = this.#options
    this.#pending = {
      greeting: answered,
      records: new RecordLayer(crypto, answered.secured, now),
      timer: timers.set(later(now, PENDING_TIME), () => {
        this.#pending = undefined
        this.#events.push('expired')
      }),
    }
    return answered
  }

  /** The first record of the remote peer under the keys of its hello. */
  confirm(record: Uint8Array, now: Instant): (Pick<Pending, 'greeting' | 'records'> & { opened: Opened }) | undefined {
    const pending = this.#pending
    const opened = pending?.records.open(record, now)
    if (pending === undefined || opened === undefined) return undefined
    this.giveUp()
    this.dropPending()
    return { ...pending, opened }
  }

  /** There are other keys, or they follow from another hello. */
  dropPending(): void {
    this.#pending?.timer.cancel()
    this.#pending = undefined
  }

  #ends(outgoing: boolean): HelloOptions {
    const { crypto, random, self, remoteId } = this.#options
    const [requester, target] = outgoing ? [self, remoteId] : [remoteId, self]
    return { crypto, random, requester, target }
  }
}

const isNewer = (a: Stamp, b: Stamp): boolean => a.ts > b.ts || (a.ts === b.ts && a.seq > b.seq)
