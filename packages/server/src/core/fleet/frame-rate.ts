/** How often a peer that is not bound here may send frames that this node takes all the same: as often as one that is. */
import { type Instant, type Rate, TokenBucket } from '@showchain/client/endpoint'
import type { RelayLimits } from '../limits.ts'

export class FrameRate {
  readonly #frames: TokenBucket
  readonly #bytes: TokenBucket

  constructor(limits: RelayLimits, now: Instant) {
    this.#frames = new TokenBucket(framesOf(limits), now)
    this.#bytes = new TokenBucket(
      { perSecond: limits.frameBytesPerSecondPerId, burst: limits.frameBytesBurstPerId },
      now,
    )
  }

  /** Whether it may send one more frame of so many bytes. */
  take(bytes: number, now: Instant): boolean {
    return this.#frames.take(now) && this.#bytes.take(now, bytes)
  }
}

/** Frames of one peer, whatever their size. */
export const framesOf = (limits: RelayLimits): Rate => ({
  // Read each time: limits may change.
  get perSecond() {
    return limits.framesPerSecondPerId
  },
  get burst() {
    return limits.frameBurstPerId
  },
})
