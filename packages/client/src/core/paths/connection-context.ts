/**
 * What the parts of one connection share: their peer's context, with timers and work after which
 * the connection drains its parts.
 */
import type { PeerContext } from '../context/peer-context.ts'
import { drainedOutbox, drainedTimers } from '../endpoint/drained.ts'
import type { Instant } from '../endpoint/machine.ts'

export interface ConnectionContext extends PeerContext {
  /**
   * A part calls it at the end of a callback from outside the connection: the completion of a
   * request.
   */
  readonly drain: (now: Instant) => void
}

export const connectionContext = (context: PeerContext, drain: (now: Instant) => void): ConnectionContext => ({
  ...context,
  timers: drainedTimers(context.timers, drain),
  outbox: drainedOutbox(context.outbox, drain),
  drain,
})
