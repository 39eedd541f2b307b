/**
 * Outstanding requests of this peer (transactions in the sense of RFC 8489). A transaction signs
 * its request, retransmits it, signs it again with the cookie when it is challenged, and matches
 * answers by (op code, seq, ts): docs/protocol.md, Retransmission, Replay, Addresses.
 *
 *   signing ──► sent ──► answered (stays listed until it is closed: a late 0x113 still belongs to it)
 *      ▲         │ 0x1F1
 *      └─────────┘
 */
import type { PublicKey } from '@showchain/crypto/core'
import { type Message, type MessageOf, OP, type SignedMessage, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Datagram, type Duration, duration, type Instant, type Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { Retransmission, SUSPICIOUS_TRANSMISSIONS } from '../endpoint/retransmission.ts'
import { sameRoute } from '../endpoint/route.ts'
import { encodeFitting, sign, verify } from '../endpoint/signed-messages.ts'

/** Challenges that one request follows. */
export const MAX_CHALLENGES = 2
/**
 * Answers to one request that may fail verification; further ones are ignored, so that forged ones
 * cannot cost RSA without bound.
 */
export const MAX_FORGED_ANSWERS = 8

type RequestOp = typeof OP.directRequest | typeof OP.punchRequest | typeof OP.proxyRequest
type TransactionRequest = Unsigned<MessageOf<RequestOp>>

export interface TransactionOptions {
  readonly to: Route
  /** The request of this stamp; with the cookie of a challenge when there was one. */
  request(stamp: Stamp, cookie: Uint8Array | undefined): TransactionRequest
  /** A message that answers the request came from `to`. It is not verified yet. */
  answered(message: Message, now: Instant): void
  failed(why: string, now: Instant): void
  /** Whether a challenge is followed now; else it is as if it had been lost. @default it is */
  follows?(): boolean
  /** The request left, for the first time or again. */
  sent?(now: Instant): unknown
  /** The request was sent twice and is sent again: `to` may be gone, or know this peer elsewhere. */
  unanswered?(now: Instant): void
}

const keyOf = (op: number, seq: number, ts: number): string => `${op}:${seq}:${ts}`

/**
 * The transactions of a peer, by what answers echo. Bounded: each registration, dial and attempt
 * has a fixed number.
 */
export class Transactions {
  readonly #context: PeerContext
  readonly #open = new Map<string, Transaction>()

  constructor(context: PeerContext) {
    this.#context = context
  }

  start(options: TransactionOptions): Transaction {
    const transaction = new Transaction(this.#context, options, this.#open)
    transaction.begin(undefined)
    return transaction
  }

  /** Cancels every transaction without calling `failed`. */
  close(): void {
    for (const transaction of [...this.#open.values()]) transaction.close()
  }

  /**
   * Hands an answer to the transaction whose request it echoes, if it came from where the request
   * went.
   */
  deliver(requestOp: number, message: Message & Stamp, datagram: Datagram, now: Instant): boolean {
    const transaction = this.#open.get(keyOf(requestOp, message.seq, message.ts))
    if (transaction === undefined || !sameRoute(transaction.options.to, datagram.source)) return false
    transaction.deliver(message, now)
    return true
  }
}

/** Why a request failed that was repeated for nothing. */
export const NO_ANSWER = 'no answer'

export class Transaction {
  readonly options: TransactionOptions
  /** How long the answer took; undefined: it is not known which transmission it was to. */
  roundTrip: Duration | undefined
  readonly #context: PeerContext
  readonly #open: Map<string, Transaction>
  readonly #retransmission: Retransmission
  #key = ''
  #stamp: Stamp = { seq: 0, ts: 0 }
  #bytes: Uint8Array | undefined
  /** When it was sent; undefined: it was sent more than once. */
  #sentAt: Instant | undefined
  #challenges = 0
  #forged = 0
  #verifying = false
  #closed = false

  constructor(context: PeerContext, options: TransactionOptions, open: Map<string, Transaction>) {
    this.options = options
    this.#context = context
    this.#open = open
    this.#retransmission = new Retransmission({
      timers: context.timers,
      random: context.random,
      send: (now, transmissions) => {
        if (this.#bytes !== undefined) context.outbox.transmit(options.to, this.#bytes)
        this.#sentAt = transmissions === 1 ? now : undefined
        options.sent?.(now)
        if (transmissions >= SUSPICIOUS_TRANSMISSIONS) options.unanswered?.(now)
      },
      giveUp: (now) => this.#fail(NO_ANSWER, now),
    })
  }

  /** (seq, ts) of the request as it was sent last. */
  get stamp(): Stamp {
    return this.#stamp
  }

  /** Whether the responder did not know this peer at its address. */
  get challenged(): boolean {
    return this.#challenges > 0
  }

  /** Makes, signs and sends the request; with a cookie, in place of the one that was challenged. */
  begin(cookie: Uint8Array | undefined): void {
    this.#retransmission.stop()
    this.#open.delete(this.#key)
    const stamp = this.#context.sequence.next()
    const request = this.options.request(stamp, cookie)
    this.#stamp = stamp
    this.#key = keyOf(request.op_code, stamp.seq, stamp.ts)
    const key = this.#key
    this.#open.set(key, this)
    sign(this.#context, request, (message, at) => {
      if (this.#closed || this.#key !== key) return
      this.#bytes = message === undefined ? undefined : encodeFitting(message as Message, this.#context.encoding)
      if (message === undefined) this.#fail('the request could not be signed', at)
      else if (this.#bytes === undefined)
        this.#fail(`the request does not fit a datagram in ${this.#context.encoding}`, at)
      else this.#retransmission.start(at)
    })
  }

  deliver(message: Message, now: Instant): void {
    if (message.op_code !== OP.challenge) {
      this.roundTrip ??= this.#sentAt && duration(now - this.#sentAt)
      return this.options.answered(message, now)
    }
    if (this.#bytes === undefined) return
    if (this.#challenges === MAX_CHALLENGES || this.#context.seedMode) return
    if (this.options.follows?.() === false) return
    this.#challenges++
    this.#bytes = undefined
    this.begin(message.cookie)
  }

  /** Verifies an answer, one at a time; `valid` is called for a good signature only. */
  verify(key: PublicKey, message: SignedMessage, valid: (now: Instant) => void): void {
    if (this.#verifying || this.#closed || this.#forged === MAX_FORGED_ANSWERS) return
    this.#verifying = true
    verify(this.#context, key, message, message.sign, (good, now) => {
      this.#verifying = false
      if (this.#closed) return
      if (good) valid(now)
      else this.#forged++
    })
  }

  /** Sends it again now instead of later. */
  hurry(now: Instant): void {
    this.#retransmission.hurry(now)
  }

  /** The answer is there: stops retransmitting. */
  settle(): void {
    this.#retransmission.stop()
  }

  /** Ends the transaction: answers are no longer accepted. */
  close(): void {
    this.settle()
    this.#closed = true
    this.#open.delete(this.#key)
  }

  #fail(why: string, now: Instant): void {
    if (this.#closed) return
    this.close()
    this.options.failed(why, now)
  }
}
