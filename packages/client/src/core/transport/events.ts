/** What a transport hands up, and what it tells of itself. */
import type { Duration } from '../endpoint/machine.ts'

/** Of a stream: it has data or its end to read; it takes more data; all its data is acknowledged. */
export type StreamChange = 'readable' | 'writable' | 'finished'

/** How a stream is opened. */
export interface StreamOpening {
  /** Data of streams with a lower number is sent first. */
  readonly priority: number
  /** The name of its protocol; undefined: it has none. */
  readonly protocol?: string | undefined
}

/** The remote peer is of a version that knows no named streams. */
export type NoNames = 'no names'

/** What the application's side is told of its streams and datagrams. */
export type StreamEvent =
  /** The remote peer opened it. @param protocol undefined: it has no name */
  | { readonly type: 'streamOpened'; readonly stream: number; readonly protocol: string | undefined }
  | { readonly type: 'stream'; readonly stream: number; readonly what: StreamChange }
  /** STOP_SENDING: the remote peer does not read the rest of this stream. */
  | { readonly type: 'streamStopped'; readonly stream: number; readonly code: number }
  /** MAX_STREAMS: the remote peer allows more streams. */
  | { readonly type: 'openable' }
  | { readonly type: 'datagram'; readonly bytes: Uint8Array }

export type TransportEvent =
  | StreamEvent
  /** A token to be sent back on the path that it came by (RFC 9000 §8.2). */
  | { readonly type: 'pathChallenge'; readonly token: Uint8Array }
  | { readonly type: 'pathResponse'; readonly token: Uint8Array }
  /** STATIC_KEY: for hellos to the remote peer, for so many seconds. */
  | { readonly type: 'staticKey'; readonly key: Uint8Array; readonly lifetimeS: number }
  /**
   * @see RFC 9002 §6.2.
   * `ptoCount`: probe timeouts in a row without an acknowledgement.
   * `silence`: how long that took.
   */
  | { readonly type: 'probeTimeout'; readonly ptoCount: number; readonly silence: Duration }
  /** The remote peer closed the connection, or violated the protocol. */
  | { readonly type: 'closed'; readonly by: 'remote' | 'local'; readonly code: number; readonly reason: string }

/** What a stream has for its reader. */
export type StreamRead =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'reset'; readonly code: number }

/** What arrived on a stream and was not read when its connection ended. */
export interface UnreadStream {
  readonly stream: number
  /** In order; the last one is the stream's end, if that arrived. */
  readonly reads: readonly StreamRead[]
}

/** Of the current path (RFC 9002 §5, §6.2, §7), for recordings. Times in milliseconds. */
export interface RecoveryMetrics {
  /** All four undefined before the first sample. */
  readonly minRtt: number | undefined
  readonly smoothedRtt: number | undefined
  readonly latestRtt: number | undefined
  readonly rttVariation: number | undefined
  /** Probe timeouts in a row without an acknowledgement. */
  readonly ptoCount: number
  readonly congestionWindow: number
  readonly bytesInFlight: number
  /** Bytes per second. */
  readonly pacingRate: number | undefined
}

export interface TransportStatistics {
  /** Smoothed round-trip time, milliseconds; undefined before the first sample on this path. */
  readonly rtt: number | undefined
  readonly minRtt: number | undefined
  /** Bytes of the largest record that the path is known to take. */
  readonly mtu: number
  /** Name of the congestion controller. */
  readonly congestion: string
  /** Congestion window and bytes in flight. */
  readonly window: number
  readonly inFlight: number
  /** Pacing rate, bytes per second. */
  readonly pacing: number | undefined
  /** Ack-eliciting records sent, and those declared lost. */
  readonly sent: number
  readonly lost: number
  readonly streams: number
}
