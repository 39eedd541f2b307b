/**
 * At most once per span to each address. At the cap the oldest of a few is forgotten: what is sent is
 * never longer than what it answers, so that a second time costs nobody anything, while a refusal would
 * let forged addresses silence the relay towards everybody.
 */
import { AddressTimes, type Duration, type Instant, later } from '@showchain/client/endpoint'
import type { Endpoint } from '@showchain/wire'
import type { RelayContext } from './relay-context.ts'

export class Throttle {
  readonly #span: Duration
  readonly #times: AddressTimes

  constructor(span: Duration, capacity: number, { random }: Pick<RelayContext, 'random'>) {
    this.#span = span
    this.#times = new AddressTimes(capacity, random)
  }

  get size(): number {
    return this.#times.size
  }

  /** Whether now is a time to send; then it counts as sent. */
  take(address: Endpoint, now: Instant): boolean {
    const found = this.#times.find(address, now)
    if (found.until !== undefined) return false
    this.#times.put(found, later(now, this.#span))
    return true
  }

  expire(now: Instant): void {
    this.#times.expire(now)
  }
}
