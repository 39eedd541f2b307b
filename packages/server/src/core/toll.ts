/** What a relay does about frames that go beyond quotas: nothing is passed on, and their sender is told. */
import type { Instant } from '@showchain/client/endpoint'
import { WIRE_ERROR } from '@showchain/wire'
import type { AddressRate } from './address-rate.ts'
import type { Bindings } from './bindings.ts'
import { errorBytes } from './error-bytes.ts'
import { NONE } from './expiring-rows.ts'
import type { Purse } from './holder.ts'
import type { Meter } from './meter.ts'
import type { RelayContext } from './relay-context.ts'
import { throttle } from './throttle.ts'
import { QUOTA_GAP } from './times.ts'

const BYTES = { overQuota: errorBytes(WIRE_ERROR.overQuota), permitUsedUp: errorBytes(WIRE_ERROR.permitUsedUp) }

export class Toll {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  readonly #meter: Meter
  /** Addresses that were told. */
  readonly #throttle: AddressRate

  constructor(context: RelayContext, bindings: Bindings, meter: Meter) {
    this.#context = context
    this.#bindings = bindings
    this.#meter = meter
    this.#throttle = throttle(QUOTA_GAP, context.limits.rateSources, context)
  }

  get size(): number {
    return this.#throttle.size
  }

  expire(now: Instant): void {
    this.#throttle.expire(now)
  }

  /** Whether the peer in this row may send so many bytes. */
  pays(row: number, bytes: number, now: Instant): boolean {
    const stop = this.#meter.take(row, bytes, now)
    if (stop === undefined) return true
    this.#context.count(stop)
    if (stop !== 'overRate') this.#tell(row, stop, now)
    return false
  }

  /** The binding in this row is about to be over, and its peer may go on for a while. */
  part(row: number): Purse | undefined {
    return this.#meter.part(row)
  }

  /** Whether a peer that was bound here may send so many bytes. It is told nothing: it is bound elsewhere. */
  paysFrom(purse: Purse, bytes: number, now: Instant): boolean {
    const stop = this.#meter.takeOf(purse, bytes, now)
    if (stop !== undefined) this.#context.count(stop)
    return stop === undefined
  }

  close(purse: Purse): void {
    this.#meter.close(purse)
  }

  /** What another node may pass on for the peer in this row, of what it wants to. */
  lend(row: number, wanted: number, now: Instant): number {
    return row === NONE ? 0 : this.#meter.lend(row, wanted, now)
  }

  /** Another node did not need so much of it. */
  repaid(row: number, bytes: number): void {
    if (row !== NONE) this.#meter.repaid(row, bytes)
  }

  /** Who is refused registers again, and learns why. Beyond the rate a frame is lost, as anywhere else on its way. */
  #tell(row: number, why: keyof typeof BYTES, now: Instant): void {
    const { id, source, encoding, knowsExtensions } = this.#bindings.in(row)
    if (this.#meter.endsAt(why)) this.#bindings.end(id, 'refused', now)
    if (!knowsExtensions || !this.#throttle.take(source, now)) return
    this.#context.outbox.transmit(source, BYTES[why][encoding])
  }
}
