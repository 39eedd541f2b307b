/**
 * Error `unbound`: a peer that believes to be bound, and is not at its address, is told so and
 * registers again (docs/protocol.md, Who sends what). It is never longer than what it answers, and goes to
 * an address once in a second.
 */
import { type Instant, labPolicy } from '@showchain/client/endpoint'
import { type Encoding, type Endpoint, WIRE_ERROR } from '@showchain/wire'
import type { AddressRate } from './address-rate.ts'
import { errorBytes } from './error-bytes.ts'
import type { RelayContext } from './relay-context.ts'
import { throttle } from './throttle.ts'
import { UNBOUND_GAP } from './times.ts'

const BYTES = errorBytes(WIRE_ERROR.unbound)

export class UnboundErrors {
  readonly #context: RelayContext
  /** Addresses that were told. */
  readonly #throttle: AddressRate

  constructor(context: RelayContext) {
    this.#context = context
    this.#throttle = throttle(UNBOUND_GAP, context.limits.rateSources, context)
  }

  get size(): number {
    return this.#throttle.size
  }

  /** @param received bytes of what came */
  tell(source: Endpoint, encoding: Encoding, received: number, now: Instant): void {
    const bytes = BYTES[encoding]
    if (bytes.length > received || source.port === 0 || !labPolicy(source, false)) return
    if (!this.#throttle.take(source, now)) return
    this.#context.count('unboundSent')
    this.#context.outbox.transmit(source, bytes)
  }

  expire(now: Instant): void {
    this.#throttle.expire(now)
  }
}
