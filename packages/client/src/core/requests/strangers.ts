/**
 * First contacts that a peer answers without a challenge: a few a second, and only where the answer
 * is not longer than what came (docs/protocol.md, Addresses). That saves a round trip. Whoever
 * floods a peer with them, from addresses that may be forged, makes it verify and sign no more than
 * these, and others prove their address first, as at a relay.
 */
import { OP } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { AdmissionRequest } from '../endpoint/admitted.ts'
import { Allowance } from '../endpoint/allowance.ts'
import type { Instant } from '../endpoint/machine.ts'
import { type Rate, TokenBucket } from '../endpoint/rate-limit.ts'
import { answerLength } from './direct-answer.ts'

/** A signature takes 0.7 ms with RSA-2048 and 4.6 ms with RSA-4096: so many take 0.6 % and 4 % of a core. */
export const STRANGERS_PER_SECOND = 8
export const STRANGER_BURST = 32
const RATE: Rate = { perSecond: STRANGERS_PER_SECOND, burst: STRANGER_BURST }

export class Strangers {
  readonly #context: PeerContext
  /** Made with the first one, which brings the time. */
  #rate: TokenBucket | undefined

  constructor(context: PeerContext) {
    this.#context = context
  }

  /**
   * What may be sent to this one, if it is taken, which counts then, whatever becomes of it.
   * @param token whether it shows that its sender had an answer at its ip before: it spends no rate here
   */
  take({ message, bytes, encoding, source }: AdmissionRequest, token: boolean, now: Instant): Allowance | undefined {
    if (message.op_code !== OP.directRequest) return undefined
    const answer = answerLength(this.#context, message, encoding, source)
    if (answer === undefined || answer > bytes.length) return undefined
    this.#rate ??= new TokenBucket(RATE, now)
    return token || this.#rate.take(now) ? new Allowance(bytes.length, 1) : undefined
  }
}
