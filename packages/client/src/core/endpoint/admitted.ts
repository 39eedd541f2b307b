/** What admission takes, and what it hands on (admission.ts). */
import type { PublicKey } from '@showchain/crypto/core'
import type { Encoding, MessageOf, OP } from '@showchain/wire'
import { type Duration, duration, type Instant, type Route } from './machine.ts'

/** Retransmission: how long an answer is kept for the same request. */
export const ANSWER_LIFETIME: Duration = duration(15_000)

export type RequestMessage = MessageOf<typeof OP.directRequest | typeof OP.punchRequest | typeof OP.proxyRequest>

export interface AdmissionRequest<Message extends RequestMessage = RequestMessage> {
  readonly message: Message
  readonly bytes: Uint8Array
  readonly source: Route
  readonly encoding: Encoding
}

/**
 * Address validation (RFC 9000 §8) of the source of a request:
 * - `validated`: the source is the address at which this id is bound
 * - `expected`: both ends consented to a punch attempt to which this request may belong, and its
 *   key is known
 * - `unvalidated`: neither
 */
export type AddressValidation = 'validated' | 'expected' | 'unvalidated'

export interface Admitted<Message extends RequestMessage = RequestMessage> {
  readonly message: Message
  readonly key: PublicKey
  readonly source: Route
  readonly encoding: Encoding
  /**
   * What validates the source address: a cookie, an earlier binding (`bound`), a punch attempt, or
   * (seed mode) the signature alone. Nothing does where it is `unproven`: the source has an allowance.
   */
  readonly by: 'cookie' | 'bound' | 'expected' | 'seed' | 'unproven'
  /** Sends the answer, and sends it again when the same request comes again within 15 s. */
  respond(answer: Uint8Array, now: Instant): void
  /** What the same request does when it comes again within 15 s. */
  onRepeat(repeat: (now: Instant) => void): void
  /** Asks the sender to prove its address after all, in place of an answer. */
  challenge(now: Instant): void
}
