/**
 * Keep-alive at a relay (the seed's section 1; docs/protocol.md, Who sends what): 0x100 from a
 * bound address refreshes its binding and is answered in kind; from another address it gets the
 * error `unbound`, and no state changes.
 */
import { type Datagram, type Instant, sendKeepAlive } from '@showchain/client/endpoint'
import type { Encoding, MessageOf, OP } from '@showchain/wire'
import type { AddressRate } from './address-rate.ts'
import type { Bindings } from './bindings.ts'
import type { RelayContext } from './relay-context.ts'
import { throttle } from './throttle.ts'
import { KEEP_ALIVE_GAP } from './times.ts'
import type { UnboundErrors } from './unbound-errors.ts'

export class KeepAliveResponder {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  readonly #errors: UnboundErrors
  /** Addresses that were sent a 0x100. */
  readonly #keepAliveThrottle: AddressRate

  constructor(context: RelayContext, bindings: Bindings, errors: UnboundErrors) {
    this.#context = context
    this.#bindings = bindings
    this.#errors = errors
    this.#keepAliveThrottle = throttle(KEEP_ALIVE_GAP, context.limits.bindings, context)
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#keepAliveThrottle.size
  }

  receive(
    message: MessageOf<typeof OP.keepAlive>,
    encoding: Encoding,
    { bytes, source }: Datagram,
    now: Instant,
  ): void {
    if (this.#bindings.at(message.id, source, now) === undefined)
      return this.#errors.tell(source, encoding, bytes.length, now)
    this.#context.count('keepAlive')
    this.#bindings.refresh(message.id, now)
    if (this.#keepAliveThrottle.take(source, now)) sendKeepAlive(this.#context, this.#context.self.id, source, encoding)
  }

  expire(now: Instant): void {
    this.#keepAliveThrottle.expire(now)
  }
}
