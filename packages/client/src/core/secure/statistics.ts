/** What is known of a protected connection. */
import type { TransportStatistics } from '../transport/events.ts'

/** Bytes of records by path. */
export interface PathBytes {
  readonly sent: number
  readonly received: number
}

export interface SecureStatistics extends TransportStatistics {
  /** Key updates of this peer so far. */
  readonly epoch: number
  readonly direct: PathBytes
  readonly relay: PathBytes
}
