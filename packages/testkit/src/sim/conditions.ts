/** What a path does to datagrams, as numbers; line.ts does it. */
import { type Duration, duration } from '@showchain/client/core'

/** What a line does to datagrams. */
export interface Conditions {
  /** One way. */
  readonly latency: Duration
  /** Up to this much on top, evenly spread; what is sent within it may overtake. */
  readonly jitter: Duration
  /** Share of datagrams that never arrive, each for itself. */
  readonly loss: number
  /** Loss in bursts, beside `loss`. @default undefined: none */
  readonly bursts: Bursts | undefined
  /** Share of datagrams that arrive twice. */
  readonly duplicate: number
  /** Share of datagrams that are held back for `reorderDelay`, so that later ones overtake them. */
  readonly reorder: number
  readonly reorderDelay: Duration
  /**
   * Share of datagrams that arrive with one bit of their payload flipped, as a checksum does not
   * see it or was not asked.
   */
  readonly corrupt: number
  /** Bits per second that the path takes, IP and UDP headers included. */
  readonly bandwidth: number
  /** Bytes that wait for the bandwidth; what comes on top is dropped (drop-tail). */
  readonly queue: number
  /**
   * Bytes of the largest IP packet. A larger one is dropped silently: a PMTU black hole
   * (RFC 8899 §1.1).
   */
  readonly mtu: number
}

/**
 * Loss after Gilbert and Elliott: a line that is good or bad, and changes with each datagram by
 * chance.
 */
export interface Bursts {
  /** Chance that a good line turns bad before a datagram. */
  readonly enter: number
  /**
   * Chance that a bad line turns good before a datagram; a burst lasts 1/leave datagrams on
   * average.
   */
  readonly leave: number
  /** Share of datagrams that a bad line loses. @default 1: all, which is Gilbert's line */
  readonly loss?: number | undefined
}

/** A good line across a continent. */
export const GOOD_CONDITIONS: Conditions = {
  latency: duration(10),
  jitter: duration(0),
  loss: 0,
  bursts: undefined,
  duplicate: 0,
  reorder: 0,
  reorderDelay: duration(50),
  corrupt: 0,
  bandwidth: Number.POSITIVE_INFINITY,
  // What a home router keeps: about 100 full packets.
  queue: 150_000,
  mtu: 1500,
}
