/** What a path does to datagrams: delays, loses, doubles and overtakes. */
import { type Duration, duration } from '@showchain/client/core'
import type { Random } from '@showchain/crypto/core'

export interface Conditions {
  /** One way. */
  readonly latency: Duration
  /** Up to this much on top, evenly spread; what is sent within it may overtake. */
  readonly jitter: Duration
  /** Share of datagrams that never arrive. */
  readonly loss: number
  /** Share of datagrams that arrive twice. */
  readonly duplicate: number
  /** Share of datagrams that are held back for `reorderDelay`, so that later ones overtake them. */
  readonly reorder: number
  readonly reorderDelay: Duration
}

/** A good line across a continent. */
export const GOOD_CONDITIONS: Conditions = {
  latency: duration(10),
  jitter: duration(0),
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderDelay: duration(50),
}

/**
 * After how long each copy of the next datagram arrives; none when it is lost. Each datagram draws
 * the same number of times, so that more loss does not change who is delayed.
 */
export function arrivals(conditions: Conditions, random: Random): readonly Duration[] {
  const lost = random.uniform() < conditions.loss
  const held = random.uniform() < conditions.reorder
  const doubled = random.uniform() < conditions.duplicate
  const first = conditions.latency + random.uniform() * conditions.jitter + (held ? conditions.reorderDelay : 0)
  const second = conditions.latency + random.uniform() * conditions.jitter
  if (lost) return []
  return doubled ? [duration(first), duration(second)] : [duration(first)]
}
