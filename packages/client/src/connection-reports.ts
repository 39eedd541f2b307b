/** What a connection tells of itself. */
import type { DialAttempt, Path, SecureStatistics } from './core/index.ts'

/** Statistics of a connection and its path. Bytes count records; `rtt` is in milliseconds. */
export interface ConnectionStatistics extends SecureStatistics {
  readonly path: Path
  /** Why the connection took this path. */
  readonly why: string
}

/** The answer to a ping. */
export interface Pong {
  /** Milliseconds there and back. */
  readonly rtt: number
  /** The path that the ping took. */
  readonly path: Path
}

/** What happened to a connection, and when. */
export interface TimelineEntry {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
  /** The way to connect that was tried, and how that ended, where the entry is about one. */
  readonly attempt?: DialAttempt | undefined
}
