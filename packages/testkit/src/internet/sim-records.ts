/** What a simulated peer records of its dials, connections and messages. */
import type { ConnectionHandle, EarlyBytes, Instant, Path, PeerEvent, SendFailure } from '@showchain/client/core'
import type { Endpoint, PeerId } from '@showchain/wire'
import type { SimRelay } from './sim-relay.ts'

/** A message that came. */
export interface Arrived {
  readonly at: Instant
  readonly from: PeerId
  readonly link: ConnectionHandle
  readonly bytes: Uint8Array
}

/** A dial, followed until it ends. */
export interface Dialled {
  readonly started: Instant
  ended: Instant | undefined
  link: ConnectionHandle | undefined
  /** What was tried when it failed. */
  attempts: Extract<PeerEvent, { type: 'dialFailed' }>['attempts'] | undefined
}

/** A message, followed until it is acknowledged or fails. */
export interface Delivery {
  readonly started: Instant
  ended: Instant | undefined
  failure: SendFailure
}

/** A connection of such a peer, as its events tell. */
export interface SimConnection {
  readonly id: ConnectionHandle
  readonly remoteId: PeerId
  readonly incoming: boolean
  path: Path
  readonly paths: Path[]
  closed: string | undefined
}

/** Where a dial looks for its target, and what it says before an answer. */
export interface DialWays {
  readonly relays?: readonly SimRelay[]
  readonly addresses?: readonly Endpoint[]
  readonly early?: EarlyBytes | undefined
}
