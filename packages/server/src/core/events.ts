/**
 * Events of a relay: the life cycles of bindings and sessions, for logs. Counts are in the
 * counters.
 */
import type { Endpoint, PeerId, SessionId } from '@showchain/wire'

export type RelayEvent =
  /**
   * A peer registered, or moved to another address. A renewal from the same address causes no
   * event.
   */
  | {
      readonly type: 'bound'
      readonly id: PeerId
      readonly at: Endpoint
      readonly seedMode: boolean
      readonly moved: boolean
    }
  | { readonly type: 'unbound'; readonly id: PeerId; readonly at: Endpoint; readonly why: 'expired' | 'evicted' }
  | {
      readonly type: 'punch'
      readonly requester: PeerId
      readonly target: PeerId
      readonly state: 'forwarded' | 'consented'
    }
  | { readonly type: 'sessionOpened'; readonly session: SessionId; readonly requester: PeerId; readonly target: PeerId }
  | {
      readonly type: 'sessionEnded'
      readonly session: SessionId
      readonly requester: PeerId
      readonly target: PeerId
      readonly why: 'expired' | 'evicted'
    }
  /** After `drain`: peers were told, and nothing goes on any more. Comes once. */
  | { readonly type: 'drained' }
