/** What makes a relay a node of a fleet, and what of the relay its node needs. */
import type { Instant, Route } from '@showchain/client/endpoint'
import type { Endpoint } from '@showchain/wire'
import type { Bindings } from '../bindings.ts'
import type { Toll } from '../toll.ts'
import type { SharedBans } from './ban-sharing.ts'
import type { Elsewhere } from './elsewhere.ts'

/** What makes a relay a node of a fleet. */
export interface FleetOptions {
  /** The number of this node: from 0 to 65534, and no other node has it. */
  readonly node: number
  /** 32 bytes that all nodes have. */
  readonly secret: Uint8Array
  /** Where peers reach this node, for its status. @default unknown */
  readonly addresses?: readonly Endpoint[] | undefined
  /**
   * Other nodes that serve at the very same addresses and ports, where each gets the channel frames of its
   * own sessions, whoever sent them. @default none
   */
  readonly beside?: readonly number[] | undefined
}

export interface FleetParts extends FleetOptions {
  readonly bindings: Bindings
  readonly access: SharedBans
  readonly unixMs: () => number
  readonly sessions: () => number
  /** Undefined: there are no quotas. A peer's node counts what it sends. */
  readonly toll: Toll | undefined
  /** Something came for a session of this node. */
  readonly arrived: (bytes: Uint8Array, source: Elsewhere, now: Instant) => void
  /** A frame came to a node with the same port, from an address that may be bound here. @param alone nowhere else */
  readonly handed: (bytes: Uint8Array, source: Route, alone: boolean, now: Instant) => void
}
