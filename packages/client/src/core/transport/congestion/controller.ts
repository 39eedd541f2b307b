/**
 * What a congestion controller learns, and what it decides: the congestion window and the pacing
 * rate.
 */
import type { Instant } from '../../endpoint/machine.ts'

/** What one ACK frame tells of the path. Times in milliseconds. */
export interface AckSample {
  readonly now: Instant
  /** Bytes newly acknowledged. */
  readonly acked: number
  /** When the newest packet acknowledged was sent. */
  readonly sentAt: Instant
  /**
   * Its number, and that of the next packet to be sent. A round ends when a packet sent after it
   * began is acknowledged.
   */
  readonly newest: number
  readonly next: number
  /** RTT sample; undefined when this ACK gives none (RFC 9002 §5.1). */
  readonly rtt: number | undefined
  readonly minRtt: number
  readonly smoothedRtt: number
  /** Delivery rate, bytes per millisecond; undefined when it could not be sampled. */
  readonly rate: number | undefined
  /** Whether the application, not the path, limited that rate. */
  readonly appLimited: boolean
  /** Bytes delivered on this path: so far, and when the newest packet was sent. */
  readonly delivered: number
  readonly deliveredAtSend: number
  /** Bytes in flight before this ACK, and after. */
  readonly inFlightBefore: number
  readonly inFlight: number
}

export interface LossSample {
  readonly now: Instant
  /** Bytes declared lost. */
  readonly lost: number
  /** When the newest lost packet was sent. */
  readonly sentAt: Instant
  readonly inFlight: number
  /** Persistent congestion (RFC 9002 §7.6). */
  readonly persistent: boolean
}

export interface Congestion {
  /** Shown in statistics. */
  readonly name: string
  /** Congestion window, bytes. */
  readonly window: number
  /** Bytes per millisecond; undefined: not paced. */
  readonly pacingRate: number | undefined
  acked(sample: AckSample): void
  lost(sample: LossSample): void
}

/** @param packet bytes of a full packet */
export type CongestionFactory = (packet: number) => Congestion

/** RFC 9002 §7.2: ten packets, at most 14,720 bytes, at least two packets. */
export const initialWindow = (packet: number): number => Math.min(10 * packet, Math.max(14_720, 2 * packet))
/** RFC 9002 §7.2, kMinimumWindow. */
export const minimumWindow = (packet: number): number => 2 * packet
