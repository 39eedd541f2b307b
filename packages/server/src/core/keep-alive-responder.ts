/**
 * Keep-alive at a relay (the seed's section 1; docs/protocol.md, Who sends what): 0x100 from a
 * bound address refreshes its binding and is answered in kind; from another address it gets the
 * error `unbound`, and no state changes.
 */
import { type Datagram, type Instant, sendMessage } from '@showchain/client/endpoint'
import { type Encoding, type MessageOf, OP, WIRE_ERROR } from '@showchain/wire'
import type { Bindings } from './bindings.ts'
import type { RelayContext } from './relay-context.ts'
import { Throttle } from './throttle.ts'
import { KEEP_ALIVE_GAP, UNBOUND_GAP } from './times.ts'

export class KeepAliveResponder {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  /** Addresses that were sent a 0x100. */
  readonly #keepAliveThrottle: Throttle
  /** Addresses to which `unbound` was sent. */
  readonly #errorThrottle: Throttle

  constructor(context: RelayContext, bindings: Bindings) {
    this.#context = context
    this.#bindings = bindings
    this.#keepAliveThrottle = new Throttle(KEEP_ALIVE_GAP, context.limits.bindings)
    this.#errorThrottle = new Throttle(UNBOUND_GAP, context.limits.rateSources)
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#keepAliveThrottle.size + this.#errorThrottle.size
  }

  receive(message: MessageOf<typeof OP.keepAlive>, encoding: Encoding, { source }: Datagram, now: Instant): void {
    if (this.#bindings.at(message.id, source, now) === undefined) {
      if (!this.#errorThrottle.take(source, now)) return
      this.#context.count('unboundSent')
      // Shorter than any 0x100, which has an id: nothing to amplify.
      const error = { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const
      return sendMessage(this.#context, source, error, encoding)
    }
    this.#context.count('keepAlive')
    this.#bindings.refresh(message.id, now)
    if (this.#keepAliveThrottle.take(source, now))
      sendMessage(this.#context, source, { op_code: OP.keepAlive, id: this.#context.self.id, seq: 0, ts: 0 }, encoding)
  }

  expire(now: Instant): void {
    this.#keepAliveThrottle.expire(now)
    this.#errorThrottle.expire(now)
  }
}
