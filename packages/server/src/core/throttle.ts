/**
 * At most once per span to each address. Entries end with their span. At the cap the oldest is
 * forgotten: what is sent is never longer than what it answers, so that a second time costs nobody
 * anything, while a refusal would let forged addresses silence the relay towards everybody.
 */
import { type Duration, ExpiringMap, type Instant } from '@showchain/client/endpoint'
import { type Endpoint, formatEndpoint } from '@showchain/wire'

export class Throttle {
  readonly #sent: ExpiringMap<string, true>

  constructor(span: Duration, capacity: number) {
    this.#sent = new ExpiringMap({ lifetime: span, capacity })
  }

  get size(): number {
    return this.#sent.size
  }

  /** Whether now is a time to send; then it counts as sent. */
  take(address: Endpoint, now: Instant): boolean {
    const key = formatEndpoint(address)
    if (this.#sent.get(key, now) !== undefined) return false
    this.#sent.set(key, true, now)
    return true
  }

  expire(now: Instant): void {
    this.#sent.expire(now)
  }
}
