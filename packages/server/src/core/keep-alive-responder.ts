/**
 * Keep-alive at a relay (the seed's section 1; docs/protocol.md, Who sends what): 0x100 from a
 * bound address refreshes its binding and is answered in kind; from another address it gets the
 * error `unbound`, and no state changes.
 */
import type { Datagram, Instant } from '@showchain/client/endpoint'
import { type Encoding, type MessageOf, OP, WIRE_ERROR } from '@showchain/wire'
import type { Bindings } from './bindings.ts'
import { type RelayBase, send } from './relay-context.ts'
import { OncePer } from './throttle.ts'
import { KEEP_ALIVE_GAP, UNBOUND_GAP } from './times.ts'

export class KeepAlive {
  readonly #base: RelayBase
  readonly #bindings: Bindings
  /** Addresses that were sent a 0x100. */
  readonly #sent: OncePer
  /** Addresses to which `unbound` was sent. */
  readonly #told: OncePer

  constructor(base: RelayBase, bindings: Bindings) {
    this.#base = base
    this.#bindings = bindings
    this.#sent = new OncePer(KEEP_ALIVE_GAP, base.limits.bindings)
    this.#told = new OncePer(UNBOUND_GAP, base.limits.rateSources)
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#sent.size + this.#told.size
  }

  receive(message: MessageOf<typeof OP.keepAlive>, encoding: Encoding, { source }: Datagram, now: Instant): void {
    if (this.#bindings.at(message.id, source, now) === undefined) {
      if (!this.#told.take(source, now)) return
      this.#base.count('unboundTold')
      // Shorter than any 0x100, which has an id: nothing to amplify.
      const error = { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const
      return send(this.#base, source, error, encoding)
    }
    this.#base.count('keepAlive')
    this.#bindings.refresh(message.id, now)
    if (this.#sent.take(source, now))
      send(this.#base, source, { op_code: OP.keepAlive, id: this.#base.self.id, seq: 0, ts: 0 }, encoding)
  }

  expire(now: Instant): void {
    this.#sent.expire(now)
    this.#told.expire(now)
  }
}
