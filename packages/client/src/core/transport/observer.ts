/** What a recording of a protected connection is made from. */
import type { Endpoint, PeerId } from '@showchain/wire'
import type { RecoveryMetrics } from './events.ts'

export type ObservedPath =
  | { readonly kind: 'direct'; readonly to: Endpoint }
  | { readonly kind: 'channel' | 'message'; readonly session: Uint8Array }

/**
 * Sees the records of one connection as they pass. It must not throw, keep a payload, or call into
 * the connection.
 */
export interface TransportObserver {
  /**
   * @param payload its frames, readable during the call
   * @param bytes of the record
   */
  sent(number: number, payload: Uint8Array, bytes: number): void
  received(number: number, payload: Uint8Array, bytes: number): void
  lost(number: number): void
  /** The next records take this path. */
  path(path: ObservedPath): void
  metrics(metrics: RecoveryMetrics): void
  closed(by: 'local' | 'remote', code: number, reason: string): void
}

/**
 * Called when a handshake is complete; record numbers start at 0 then. Undefined: the connection is
 * not recorded.
 */
export type Observe = (connection: {
  readonly remoteId: PeerId
  /** Whether this end began the handshake. */
  readonly initiator: boolean
}) => TransportObserver | undefined
