/** What a congestion controller is told, and what it decides: how much may be under way, and how fast it leaves. */
import type { Instant } from '../../endpoint/machine.ts'

/** What one ACK says. */
export interface AckSample {
  readonly now: Instant
  /** Bytes that it acknowledges for the first time. */
  readonly acked: number
  /** When the newest of these packets was sent. */
  readonly sentAt: Instant
  /** The newest packet's number, and that of the next one to be sent: a round is over when a packet of the next comes back. */
  readonly newest: number
  readonly next: number
  /** Round trip of the newest packet, when this ACK measured it; milliseconds. */
  readonly rtt: number | undefined
  readonly minRtt: number
  readonly smoothedRtt: number
  /** Bytes per millisecond that reached the other end lately; undefined when it could not be told. */
  readonly rate: number | undefined
  /** Whether the application, not the path, was what kept the rate down. */
  readonly appLimited: boolean
  /** Bytes delivered so far on this path, and when the newest packet was sent. */
  readonly delivered: number
  readonly deliveredAtSend: number
  /** Bytes under way before this ACK, and after. */
  readonly inFlightBefore: number
  readonly inFlight: number
}

export interface LossSample {
  readonly now: Instant
  readonly lost: number
  /** When the newest lost packet was sent. */
  readonly sentAt: Instant
  readonly inFlight: number
  /** Everything was lost for so long that what was known of the path counts no more (RFC 9002 §7.6). */
  readonly persistent: boolean
}

export interface Congestion {
  /** For people. */
  readonly name: string
  /** Bytes that may be under way. */
  readonly window: number
  /** Bytes per millisecond; undefined: as fast as the window allows. */
  readonly pacingRate: number | undefined
  acked(sample: AckSample): void
  lost(sample: LossSample): void
}

/** @param packet bytes of a full packet */
export type CongestionFactory = (packet: number) => Congestion

/** RFC 9002 §7.2: ten packets, but no more than 14,720 bytes. */
export const initialWindow = (packet: number): number => Math.min(10 * packet, Math.max(14_720, 2 * packet))
/** RFC 9002 §7.2. */
export const minimumWindow = (packet: number): number => 2 * packet
