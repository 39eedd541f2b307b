/**
 * One direction of a path: what it has in its queue, whether it is in a burst of losses, and
 * chances of its own.
 *
 *   too big for it? ──► queue ──► bandwidth ──► lost? ──► corrupted? ──► latency, jitter, held back, doubled
 */
import { type Duration, duration, type Instant } from '@showchain/client/core'
import type { Random } from '@showchain/crypto/core'
import { UDP_HEADERS } from '@showchain/wire'
import type { Conditions } from './conditions.ts'

/**
 * - `carried`: on its way
 * - `corrupted`: on its way, with one bit flipped
 * - `lost`: by chance, alone or in a burst
 * - `queue full`: more was sent than the bandwidth takes
 * - `too big`: larger than the MTU
 */
export type LineFate = 'carried' | 'corrupted' | 'lost' | 'queue full' | 'too big'

/** What becomes of a packet. */
export interface Carriage {
  readonly fate: LineFate
  /** After how long each copy arrives; none when it never does. */
  readonly delays: readonly Duration[]
  /** What arrives. */
  readonly bytes: Uint8Array
}

/** One direction between two stations, with the queue and the bursts that it has. */
export class Line {
  readonly #random: Random
  #bad = false
  /** When what is in the queue is sent. */
  #free = 0

  constructor(random: Random) {
    this.#random = random
  }

  /**
   * Each datagram draws as often as every other under the same kinds of conditions, so that more
   * loss does not change who is delayed.
   */
  carry(bytes: Uint8Array, family: 4 | 6, conditions: Conditions, now: Instant): Carriage {
    const size = bytes.length + UDP_HEADERS[family]
    const none = (fate: LineFate): Carriage => ({ fate, delays: [], bytes })
    if (size > conditions.mtu) return none('too big')
    const queued = this.#queue(size, conditions, now)
    if (queued === undefined) return none('queue full')
    const random = this.#random
    const inBurst = conditions.bursts !== undefined && this.#losesInBurst(conditions.bursts)
    const lost = random.uniform() < conditions.loss
    const held = random.uniform() < conditions.reorder
    const doubled = random.uniform() < conditions.duplicate
    const first = conditions.latency + random.uniform() * conditions.jitter + (held ? conditions.reorderDelay : 0)
    const second = conditions.latency + random.uniform() * conditions.jitter
    const corrupted = conditions.corrupt > 0 && random.uniform() < conditions.corrupt
    const arrived = corrupted ? flipped(bytes, random) : bytes
    if (lost || inBurst) return none('lost')
    const delays = (doubled ? [first, second] : [first]).map((delay) => duration(queued + delay))
    return { fate: corrupted && bytes.length > 0 ? 'corrupted' : 'carried', delays, bytes: arrived }
  }

  /** How long it waits and is sent, in milliseconds; undefined when the queue is full. */
  #queue(size: number, { bandwidth, queue }: Conditions, now: Instant): number | undefined {
    if (bandwidth === Number.POSITIVE_INFINITY) return 0
    const bytesPerMs = bandwidth / 8000
    const waiting = Math.max(this.#free - now, 0)
    if (waiting * bytesPerMs > queue) return undefined
    this.#free = now + waiting + size / bytesPerMs
    return this.#free - now
  }

  #losesInBurst({ enter, leave, loss = 1 }: NonNullable<Conditions['bursts']>): boolean {
    const change = this.#random.uniform()
    this.#bad = this.#bad ? change >= leave : change < enter
    return this.#random.uniform() < loss && this.#bad
  }
}

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  const bit = Math.floor(random.uniform() * bytes.length * 8)
  return bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
}
