/** What a secure session hands up to its owner. */
import type { Early } from '@showchain/wire/end-to-end'
import type { Route } from '../endpoint/machine.ts'
import type { StreamEvent, TransportEvent, UnreadStream } from '../transport/events.ts'

/** What was not read of the connection that the remote peer has lost, when there was one. */
export type Restart = readonly UnreadStream[] | undefined

export type SecureEvent =
  | StreamEvent
  /**
   * There are keys.
   * @param remoteDialled whether the remote peer's application asked for the connection
   * @param byHello whether they come of a hello, and not of a handshake
   * @param early how the first stream of the initiator begins
   */
  | {
      readonly type: 'secured'
      readonly before: Restart
      readonly remoteDialled: boolean
      readonly byHello: boolean
      readonly early: Early | undefined
    }
  /** The handshake failed, so that the connection cannot be protected; or nothing comes any more. */
  | { readonly type: 'failed'; readonly reason: string }
  | Extract<TransportEvent, { type: 'probeTimeout' | 'closed' | 'staticKey' }>
  /** An answer to a path challenge of the owner. @param asks whether a challenge came with it */
  | { readonly type: 'pathResponse'; readonly token: Uint8Array; readonly asks: boolean }
  /** The remote peer answered a path challenge at another address than before (RFC 9000 §9.3.3). */
  | { readonly type: 'rebound'; readonly route: Route }
