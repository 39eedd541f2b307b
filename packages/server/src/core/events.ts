/**
 * Events of a relay: the life cycles of bindings and sessions, for logs. Counts are in the
 * counters.
 */
import type { Endpoint, PeerId, SessionId } from '@showchain/wire'
import type { FleetAddress } from '@showchain/wire/fleet'
import type { BanRecord } from './bans.ts'
import type { BindingEnd } from './bindings.ts'
import type { Usage } from './usage.ts'

/** A session, and whom it joins. */
export interface SessionEnds {
  readonly session: SessionId
  readonly requester: PeerId
  readonly target: PeerId
}

/** Something that who runs a relay may want to know. */
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
  | { readonly type: 'unbound'; readonly id: PeerId; readonly at: Endpoint; readonly why: BindingEnd }
  /**
   * Whether it may use the relay, and what it has used of it (usage.ts): the answer is an input
   * (access-gate.ts). Comes only where access is decided, or there are quotas. `granted`: a permit has let
   * it in, or everyone is; only what it used is wanted.
   */
  | {
      readonly type: 'applied'
      readonly question: number
      readonly id: PeerId
      readonly at: Endpoint
      readonly granted: boolean
      readonly missing: readonly string[]
    }
  /** What has changed of what was used, to be kept. */
  | { readonly type: 'used'; readonly usage: readonly Usage[] }
  | {
      readonly type: 'punch'
      readonly requester: PeerId
      readonly target: PeerId
      readonly state: 'forwarded' | 'consented'
    }
  | (SessionEnds & { readonly type: 'sessionOpened' })
  | (SessionEnds & {
      readonly type: 'sessionEnded'
      readonly why: 'expired' | 'evicted'
      /** What was forwarded in it, both ways. */
      readonly bytes: number
      /** From its opening until it was used last. */
      readonly seconds: number
    })
  /** Somebody is banned, or no longer, as it was said here or at another node: to be kept. */
  | (BanRecord & { readonly type: 'banned' })
  /** Another node of the fleet came or is silent, or has the number of this one. */
  | { readonly type: 'fleetNode'; readonly node: number; readonly state: 'joined' | 'lost' | 'duplicate' }
  /** After `drain`: peers were told, and nothing goes on any more. Comes once. */
  | { readonly type: 'drained' }

/** What a relay says to other nodes of its fleet, for its owner to publish. */
export interface FleetMessage {
  readonly type: 'fleet'
  readonly to: FleetAddress
  readonly bytes: Uint8Array
}

/** What another node of the fleet said of itself last. */
export interface FleetNode {
  readonly node: number
  readonly bindings: number
  readonly sessions: number
  readonly draining: boolean
  /** Where peers reach it. */
  readonly addresses: readonly Endpoint[]
}
