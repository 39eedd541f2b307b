/** At which other nodes peers are, and how often all nodes are asked for one of which that is not known. */
import { type Duration, duration, ExpiringMap, type Instant, RateLimit } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import type { RelayLimits } from '../limits.ts'

/** docs/fleet.md, What happens where: as long as a binding lasts. */
const PLACE_LIFETIME: Duration = duration(60_000)
/** How often everybody is asked for one peer. Two requests, each sent five times, are fewer. */
const ASKING = { perSecond: 10, burst: 20 } as const

export class Places extends ExpiringMap<PeerId, number> {
  readonly #asking: RateLimit

  constructor(limits: RelayLimits) {
    super({ lifetime: PLACE_LIFETIME, capacity: limits.bindings })
    this.#asking = new RateLimit(ASKING, limits.rateSources)
  }

  /** Whether all may be asked for this peer once more. */
  mayAsk(id: PeerId, now: Instant): boolean {
    return this.#asking.take(id, now)
  }

  override expire(now: Instant): void {
    super.expire(now)
    this.#asking.expire(now)
  }
}
