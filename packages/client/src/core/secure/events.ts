/** What a secure session hands up to its owner. */
import type { Route } from '../endpoint/machine.ts'
import type { StreamEvent, TransportEvent } from '../transport/events.ts'
import type { Transport } from '../transport/transport.ts'

export type SecureEvent =
  | StreamEvent
  /** The handshake is complete. `before`: the transport of the connection that the remote peer no longer has. */
  | { readonly type: 'secured'; readonly before: Transport | undefined }
  /** The handshake failed: the connection cannot be protected. */
  | { readonly type: 'failed'; readonly reason: string }
  /** The remote peer closed the connection, or violated the protocol. */
  | { readonly type: 'closed'; readonly reason: string }
  | Extract<TransportEvent, { type: 'probeTimeout' }>
  /** The remote peer answered a path challenge at another address than before (RFC 9000 §9.3.3). */
  | { readonly type: 'rebound'; readonly route: Route }
