/**
 * The requester's side of a punch (the seed's section 3): 0x111 to the relay, 0x115 with the
 * target's consent and address, 0x113 when both share a public address, then the attempt.
 *
 * A seed-only target cannot verify a signature over extension fields, so after a second without an
 * answer a second 0x111 goes without signed ones (docs/protocol.md, Meeting the seed). When that
 * one is answered, a third goes with them: the first may have been lost, and the second has
 * outdated it.
 */
import type { PublicKey } from '@showchain/crypto/core'
import { type Extensions, type Message, type MessageOf, OP, type PeerId, type SessionId } from '@showchain/wire'
import { type PeerContext, signerKey } from '../context/peer-context.ts'
import { type Duration, type Instant, later } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { Flight } from '../relays/flights.ts'
import type { Registration } from '../relays/registration.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import { HELLO_PATIENCE } from '../secure/limits.ts'
import { introduction, needless, probeAll, type Registrations, withHello } from './candidates.ts'
import type { PunchAttempt } from './punch-attempt.ts'
import type { PunchAttempts } from './punch-attempts.ts'

/**
 * Meeting the seed: a requester that got no 0x115 by now asks again without signed extension
 * fields.
 */
export const PLAIN_PUNCH_AFTER: Duration = HELLO_PATIENCE

/** Why there is no direct path. */
const CONCEALED = 'this peer shows nobody its address'

export interface PunchRequesterOptions {
  readonly target: PeerId
  readonly registration: Registration
  readonly registrations: Registrations
  /** Whether the target has shown that it knows extensions. */
  readonly knowsExtensions: boolean
  readonly attempts: PunchAttempts
  /** Whether it is for the session of the introduction alone: neither end shows its address. */
  readonly concealed?: boolean
  /** The first request is about to be made. */
  begins?(now: Instant): unknown
  /** The hello for a request; undefined: it goes without. */
  hello(request: Stamp): Uint8Array | undefined
  /** The target's 0x115 came. @param hello the one in it @param session that of the introduction */
  answered(hello: Uint8Array | undefined, session: SessionId, now: Instant): void
  /** @param why undefined: there is a direct path. */
  done(why: string | undefined, now: Instant): void
}

export class PunchRequester implements Flight {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #options: PunchRequesterOptions
  /** The request, and the one without signed fields. */
  readonly #open: Transaction[] = []
  #attempt: PunchAttempt | undefined
  #fallback: Timer | undefined
  #begun = false
  #signed = false
  /** The remote peer has announced all that it will. */
  #complete = false
  /** What a 0x113 that came before the 0x115 announced. */
  #sameNetwork: Message | undefined

  constructor(context: PeerContext, transactions: Transactions, options: PunchRequesterOptions) {
    this.#context = context
    this.#transactions = transactions
    this.#options = options
  }

  /** At once, or beside what registers this peer with the relay. */
  start(now: Instant): void {
    const { registration } = this.#options
    if (registration.registered) this.#begin(now)
    else registration.flights.add(this, now)
  }

  /** @see Flight: the relay drops a 0x111 that comes before the 0x101. */
  leave(now: Instant): void {
    if (!this.#begun) this.#begin(now)
    else for (const transaction of this.#open) transaction.hurry(now)
  }

  /** @see Flight */
  landed(why: string | undefined, now: Instant): void {
    if (this.#begun) return
    if (why === undefined) this.#begin(now)
    else this.#options.done(`not registered with it: ${why}`, now)
  }

  #begin(now: Instant): void {
    this.#begun = true
    this.#options.begins?.(now)
    this.#signed = !this.#context.seedMode && this.#options.registration.knowsExtensions
    this.#send(this.#signed)
    if (this.#signed && !this.#options.knowsExtensions && !this.#options.concealed)
      this.#fallback = this.#context.timers.set(later(now, PLAIN_PUNCH_AFTER), () => this.#send(false))
  }

  close(): void {
    this.#options.registration.flights.remove(this)
    this.#fallback?.cancel()
    for (const transaction of this.#open) transaction.close()
  }

  #send(signed: boolean): void {
    const { concealed, registration, registrations, target } = this.#options
    const transaction: Transaction = this.#transactions.start({
      to: registration.route,
      // A relay drops the request of a peer that it knows at another address.
      unanswered: (at) => registration.suspect(at),
      request: (stamp, cookie) => {
        const { ext } = registration.knowsExtensions
          ? introduction(this.#context, registrations, signed, registration.relay.endpoint, concealed)
          : {}
        const full = signed && ext !== undefined ? this.#withHello(ext, stamp) : ext
        const fields = cookie === undefined ? full : { ...full, cookie }
        return {
          op_code: OP.punchRequest,
          target,
          id: this.#context.self,
          ...stamp,
          ...(fields === undefined ? {} : { ext: fields }),
        }
      },
      answered: (message) => this.#answered(transaction, message),
      failed: (why, now) => this.#failed(transaction, why, now),
    })
    this.#open.push(transaction)
  }

  #withHello(ext: Extensions, stamp: Stamp): Extensions {
    const { target } = this.#options
    const hello = this.#options.hello(stamp)
    const acquainted = this.#context.keys.get(target) !== undefined
    return withHello(this.#context, target, ext, acquainted, hello?.length, () => hello)
  }

  #answered(transaction: Transaction, message: Message): void {
    if (message.op_code === OP.sameAddressResponse) this.#answeredSame(transaction, message)
    else if (message.op_code === OP.punchPassAck) this.#answeredAck(transaction, message)
  }

  /** Signed by the relay; another reading of the seed has the target sign it. */
  #answeredSame(transaction: Transaction, message: MessageOf<typeof OP.sameAddressResponse>): void {
    const { target, registration } = this.#options
    if (message.target !== target || (message.id !== registration.relay.id && message.id !== target)) return
    const key = signerKey(this.#context, message.id, message)
    if (key === undefined) return this.#context.count('unknownKey')
    transaction.verify(key, message, (now) => {
      this.#sameNetwork = message
      this.#probeSame(now)
    })
  }

  #answeredAck(transaction: Transaction, message: MessageOf<typeof OP.punchPassAck>): void {
    const { target } = this.#options
    if (message.id !== target || this.#complete) return
    const key = signerKey(this.#context, target, message)
    if (key === undefined) return this.#context.count('unknownKey')
    transaction.verify(key, message, (now) => {
      if (this.#complete) return
      this.#fallback?.cancel()
      for (const each of this.#open) each.settle()
      this.#complete = message.ext?.caps !== undefined || !this.#signed || this.#attempt !== undefined
      if (!this.#complete) this.#send(true)
      // Its session may be all that the application waits for: a direct path is looked for after that.
      this.#context.pumps.once((at) => this.#look(message, key, at), now)
      this.#options.answered(message.ext?.hello, message.session, now)
      this.#context.outbox.pause()
    })
  }

  /** Looks for a direct path where the target says that it is. */
  #look(message: MessageOf<typeof OP.punchPassAck>, key: PublicKey, now: Instant): void {
    const { target, registration, registrations, attempts } = this.#options
    const why = this.#options.concealed ? CONCEALED : needless(this.#context, message.ext)
    if (why !== undefined) return this.#options.done(why, now)
    const attempt = attempts.open(target, key, message.ext?.caps, undefined, now)
    if (this.#attempt !== attempt)
      attempt.whenDone(
        (found, at) =>
          this.#options.done(found ? undefined : 'the relay introduced both peers, but no probe was answered', at),
        now,
      )
    this.#attempt = attempt
    probeAll(this.#context, attempts, attempt, message, registration, registrations, now)
    this.#probeSame(now)
  }

  #probeSame(now: Instant): void {
    for (const endpoint of this.#sameNetwork?.ext?.local ?? []) {
      if (this.#context.allows(endpoint, true)) this.#attempt?.probe(endpoint, now)
      else this.#context.count('addressRefused')
    }
  }

  #failed(transaction: Transaction, why: string, now: Instant): void {
    this.#open.splice(this.#open.indexOf(transaction), 1)
    if (this.#open.length === 0 && this.#attempt === undefined)
      this.#options.done(`${why}: the other end is absent, or refuses`, now)
  }
}
