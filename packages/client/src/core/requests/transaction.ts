/**
 * Requests that this peer has outstanding. An exchange signs its request, sends it by the
 * retransmission rule, follows challenges by signing anew with the cookie, and matches answers by
 * (op code, seq, ts): docs/protocol.md, Retransmission, Replay, Addresses.
 *
 *   signing ──► sent ──► answered (stays listed until it is closed: a late 0x113 still belongs to it)
 *      ▲         │ 0x1F1
 *      └─────────┘
 */
import type { PublicKey } from '@showchain/crypto/core'
import { type Message, type MessageOf, OP, type SignedMessage, type Unsigned } from '@showchain/wire'
import type { Base } from '../context/peer-context.ts'
import { MAX_CHALLENGES, MAX_FORGED_ANSWERS } from '../context/timing.ts'
import type { Datagram, Instant, Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { Retransmission } from '../endpoint/retransmission.ts'
import { sameRoute } from '../endpoint/route.ts'
import { encodeFitting, sign, verify } from '../endpoint/signed-messages.ts'

type RequestOp = typeof OP.directRequest | typeof OP.punchRequest | typeof OP.proxyRequest
type Request = Unsigned<MessageOf<RequestOp>>

export interface ExchangeOptions {
  readonly to: Route
  /** The request of this stamp; with the cookie of a challenge when there was one. */
  request(stamp: Stamp, cookie: Uint8Array | undefined): Request
  /** A message that answers the request came from `to`. It is not verified yet. */
  answered(message: Message, now: Instant): void
  failed(why: string, now: Instant): void
}

const keyOf = (op: number, seq: number, ts: number): string => `${op}:${seq}:${ts}`

/** Every exchange of a peer, by what answers echo. Bounded: each registration, dial and attempt holds a fixed number. */
export class Exchanges {
  readonly #base: Base
  readonly #open = new Map<string, Exchange>()

  constructor(base: Base) {
    this.#base = base
  }

  start(options: ExchangeOptions): Exchange {
    const exchange = new Exchange(this.#base, options, this.#open)
    exchange.begin(undefined)
    return exchange
  }

  /** Ends all without a word. */
  close(): void {
    for (const exchange of [...this.#open.values()]) exchange.close()
  }

  /** Hands an answer to the exchange whose request it echoes, when it comes from where the request went. */
  deliver(requestOp: number, message: Message & Stamp, datagram: Datagram, now: Instant): boolean {
    const exchange = this.#open.get(keyOf(requestOp, message.seq, message.ts))
    if (exchange === undefined || !sameRoute(exchange.options.to, datagram.source)) return false
    exchange.deliver(message, now)
    return true
  }
}

export class Exchange {
  readonly options: ExchangeOptions
  readonly #base: Base
  readonly #open: Map<string, Exchange>
  readonly #retransmission: Retransmission
  #key = ''
  #stamp: Stamp = { seq: 0, ts: 0 }
  #bytes: Uint8Array | undefined
  #challenges = 0
  #forged = 0
  #verifying = false
  #closed = false

  constructor(base: Base, options: ExchangeOptions, open: Map<string, Exchange>) {
    this.options = options
    this.#base = base
    this.#open = open
    this.#retransmission = new Retransmission({
      timers: base.timers,
      random: base.random,
      send: () => {
        if (this.#bytes !== undefined) base.outbox.transmit(options.to, this.#bytes)
      },
      giveUp: (now) => this.#fail('no answer', now),
    })
  }

  /** (seq, ts) of the request as it was sent last. */
  get stamp(): Stamp {
    return this.#stamp
  }

  /** Makes, signs and sends the request; with a cookie, in place of the one that was challenged. */
  begin(cookie: Uint8Array | undefined): void {
    this.#retransmission.stop()
    this.#open.delete(this.#key)
    const stamp = this.#base.sequence.next()
    const request = this.options.request(stamp, cookie)
    this.#stamp = stamp
    this.#key = keyOf(request.op_code, stamp.seq, stamp.ts)
    const key = this.#key
    this.#open.set(key, this)
    sign(this.#base, request, (message, at) => {
      if (this.#closed || this.#key !== key) return
      this.#bytes = message === undefined ? undefined : encodeFitting(message as Message, this.#base.encoding)
      if (message === undefined) this.#fail('the request could not be signed', at)
      else if (this.#bytes === undefined)
        this.#fail(`the request does not fit a datagram in ${this.#base.encoding}`, at)
      else this.#retransmission.start(at)
    })
  }

  deliver(message: Message, now: Instant): void {
    if (message.op_code !== OP.challenge) return this.options.answered(message, now)
    if (this.#bytes === undefined) return
    if (this.#challenges === MAX_CHALLENGES || this.#base.seedMode) return
    this.#challenges++
    this.#bytes = undefined
    this.begin(message.cookie)
  }

  /** Verifies an answer, one at a time; `valid` is called for a good signature only. */
  verify(key: PublicKey, message: SignedMessage, valid: (now: Instant) => void): void {
    if (this.#verifying || this.#closed || this.#forged === MAX_FORGED_ANSWERS) return
    this.#verifying = true
    verify(this.#base, key, message, message.sign, (good, now) => {
      this.#verifying = false
      if (this.#closed) return
      if (good) valid(now)
      else this.#forged++
    })
  }

  /** The answer is there: no more sending. */
  settle(): void {
    this.#retransmission.stop()
  }

  /** Nothing that answers this is wanted any more. */
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
