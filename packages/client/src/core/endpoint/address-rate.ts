/**
 * A rate for each address and port, as of a token bucket (rate-limit.ts), by the time at which the bucket will
 * be full again (GCRA, ITU-T I.371). A full bucket says nothing, so its place is free. Where all of a set are in
 * force, a new address is refused: to forget one would forget a limit.
 */
import type { Random } from '@showchain/crypto/core'
import type { Endpoint } from '@showchain/wire'
import { AddressTimes } from './address-times.ts'
import { type Instant, instant } from './machine.ts'
import type { Rate } from './rate-limit.ts'

/** Milliseconds that sums of times may be too large by. */
const ROUNDING = 1e-3

export class AddressRate {
  readonly #times: AddressTimes
  /** Milliseconds for which one is paid, and that may be open at most. */
  readonly #interval: number
  readonly #most: number

  /** @param capacity most addresses */
  constructor({ perSecond, burst }: Rate, capacity: number, random: Pick<Random, 'uint32'>) {
    this.#times = new AddressTimes(capacity, random)
    this.#interval = 1000 / perSecond
    this.#most = burst * this.#interval
  }

  get size(): number {
    return this.#times.size
  }

  /** Whether one more is within the rate of this address. */
  take(address: Endpoint, now: Instant): boolean {
    const found = this.#times.find(address, now)
    if (found.taken) return false
    const full = (found.until ?? now) + this.#interval
    if (full - now > this.#most + ROUNDING) return false
    this.#times.put(found, instant(full))
    return true
  }

  expire(now: Instant): void {
    this.#times.expire(now)
  }
}
