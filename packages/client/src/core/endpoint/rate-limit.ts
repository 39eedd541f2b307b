/**
 * Rate limits by token bucket, one bucket for each key, in a table with a cap.
 */
import type { Instant } from './machine.ts'

export interface Rate {
  /** Tokens that come back per second. */
  readonly perSecond: number
  /** Tokens of a full bucket. */
  readonly burst: number
}

export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: Instant

  constructor(rate: Rate, now: Instant) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** Takes tokens; false when there are too few. */
  take(now: Instant, amount = 1): boolean {
    this.#tokens = this.#filled(now)
    this.#at = now
    if (this.#tokens < amount) return false
    this.#tokens -= amount
    return true
  }

  /** A full bucket holds no more information than a new one. */
  isFull(now: Instant): boolean {
    return this.#filled(now) >= this.#rate.burst
  }

  #filled(now: Instant): number {
    const { perSecond, burst } = this.#rate
    return Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond)
  }
}

/**
 * Buckets that one new key inspects to keep the table small, and to find a slot in a full one: constant work,
 * and every bucket is inspected in turn.
 */
const TIDY_SEARCH = 2
const ROOM_SEARCH = 8
/** And that a sweep inspects. */
const SWEEP_SEARCH = 4096

interface Slot {
  readonly key: string
  readonly bucket: TokenBucket
}

/**
 * A bucket for each key. At the cap, buckets that are full again are evicted. When none of the
 * inspected ones is full, the new key is refused. Only a flood from ever new (forged) sources can
 * keep the table busy. It shuts out new keys while it lasts and leaves known keys alone. Evicting a
 * bucket that is not full would forget a limit in force.
 */
export class RateLimit {
  readonly #rate: Rate
  readonly #capacity: number
  readonly #buckets = new Map<string, TokenBucket>()
  /** The same in any order, to be inspected in turns: a Map keeps holes of what was deleted at its front. */
  readonly #slots: Slot[] = []
  #next = 0

  /** @param capacity most buckets. */
  constructor(rate: Rate, capacity: number) {
    this.#rate = rate
    this.#capacity = capacity
  }

  get size(): number {
    return this.#slots.length
  }

  /** Whether one more is within this key's rate. */
  take(key: string, now: Instant): boolean {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      this.#dropFull(now, this.size < this.#capacity ? TIDY_SEARCH : ROOM_SEARCH)
      if (this.size >= this.#capacity) return false
      bucket = new TokenBucket(this.#rate, now)
      this.#buckets.set(key, bucket)
      this.#slots.push({ key, bucket })
    }
    return bucket.take(now)
  }

  /** Called now and then, it keeps the table small: most buckets are full again after seconds. */
  expire(now: Instant): void {
    this.#dropFull(now, SWEEP_SEARCH)
  }

  /** Drops the full ones among the next few. */
  #dropFull(now: Instant, search: number): void {
    for (let looked = Math.min(search, this.size); looked > 0; looked--) {
      if (this.#next >= this.size) this.#next = 0
      const { key, bucket } = this.#slots[this.#next] as Slot
      if (!bucket.isFull(now)) {
        this.#next++
        continue
      }
      this.#buckets.delete(key)
      // The last one takes its place, and is inspected next.
      const last = this.#slots.pop() as Slot
      if (last.bucket !== bucket) this.#slots[this.#next] = last
    }
  }
}
