/**
 * At most once per span to each address. Entries end with their span. At the cap new addresses are
 * refused, since forgetting one would allow a second time.
 */
import { type Duration, ExpiringMap, type Instant } from '@showchain/client/endpoint'
import { type Endpoint, formatEndpoint } from '@showchain/wire'

export class Throttle {
  readonly #sent: ExpiringMap<string, true>
  readonly #capacity: number

  constructor(span: Duration, capacity: number) {
    this.#capacity = capacity
    this.#sent = new ExpiringMap({ lifetime: span, capacity })
  }

  get size(): number {
    return this.#sent.size
  }

  /** Whether now is a time to send; then it counts as sent. */
  take(address: Endpoint, now: Instant): boolean {
    const key = formatEndpoint(address)
    if (this.#sent.get(key, now) !== undefined) return false
    if (this.#sent.size >= this.#capacity) this.#sent.expire(now)
    if (this.#sent.size >= this.#capacity) return false
    this.#sent.set(key, true, now)
    return true
  }

  expire(now: Instant): void {
    this.#sent.expire(now)
  }
}
