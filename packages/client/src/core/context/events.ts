/** What a peer's machine tells its owner: life-cycle events as one union. */
import type { Endpoint, Nat, PeerId } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { Transport } from '../transport/transport.ts'

/** The ways to reach a peer. */
export type Via = 'direct' | 'punch' | 'relay'

/** How a connection's messages travel at the moment. */
export type Path =
  | { readonly kind: 'direct'; readonly remote: Endpoint }
  | { readonly kind: 'relay'; readonly remote: Endpoint; readonly relay: PeerId }

/** Which paths a connection may take. `relay-only` hides both ends' addresses. */
export type PathPolicy = 'auto' | 'direct-only' | 'relay-only'

/** What a dial tries: all ways, all that are direct, the relay alone, or one way. */
export type DialPolicy = PathPolicy | 'direct' | 'punch'

/** One way that a dial tried, and what came of it. */
export interface DialAttempt {
  readonly via: Via
  /** The address or the relay that was tried, for people. */
  readonly at: string
  readonly state: 'trying' | 'reached' | 'failed'
  /** Why it failed, for people. */
  readonly why: string | undefined
}

/** Number of a connection; never used again. */
export type ConnectionHandle = number
/** Number of a dial; never used again. */
export type DialId = number

/** What the NAT in front of this peer does (RFC 4787), as far as discovery could tell. */
export interface NatReport extends Nat {
  /** This peer's address as the first server sees it. */
  readonly mapped: Endpoint | undefined
  /** Whether that is another than the host's own. */
  readonly natted: boolean | undefined
  /** The seed's type; undefined when too little is known. */
  readonly type: 'T1' | 'T2' | 'T3' | 'T4' | undefined
  /** What could not be told, and why, in sentences. */
  readonly notes: readonly string[]
}

/** Of a stream: the other end opened it; there is something to read; there is room to write; everything written was acknowledged. */
export type StreamChange = 'opened' | 'readable' | 'writable' | 'finished'

export type PeerEvent =
  /** `registered` comes again when the observed address changed. */
  | {
      readonly type: 'relay'
      readonly relay: PeerId
      readonly at: Endpoint
      readonly state: 'registered'
      readonly observed: Endpoint | undefined
    }
  | {
      readonly type: 'relay'
      readonly relay: PeerId
      readonly at: Endpoint
      readonly state: 'lost' | 'failed'
      readonly reason: string
    }
  /** What the NAT in front of this peer does, as far as the relays can tell: found out after registering, and when it changed. */
  | { readonly type: 'nat'; readonly report: NatReport }
  /** Another host uses this identity: each takes the binding at the relay from the other. Comes again while that lasts. */
  | { readonly type: 'duplicate'; readonly relay: PeerId; readonly at: Endpoint }
  /** Somebody wants to connect. Until `decide(true)` nothing is answered. */
  | { readonly type: 'consent'; readonly id: PeerId; readonly via: Via; decide(allowed: boolean, now: Instant): void }
  | {
      readonly type: 'open'
      readonly connection: ConnectionHandle
      readonly remoteId: PeerId
      readonly path: Path
      readonly incoming: boolean
    }
  | { readonly type: 'path'; readonly connection: ConnectionHandle; readonly path: Path; readonly reason: string }
  | { readonly type: 'message'; readonly connection: ConnectionHandle; readonly bytes: Uint8Array }
  | {
      readonly type: 'stream'
      readonly connection: ConnectionHandle
      readonly stream: number
      readonly what: StreamChange
    }
  /** The other end allows more streams. */
  | { readonly type: 'openable'; readonly connection: ConnectionHandle }
  /** The other end does not want the rest of a stream. */
  | {
      readonly type: 'streamStopped'
      readonly connection: ConnectionHandle
      readonly stream: number
      readonly code: number
    }
  /** The connection is over. `transport` has what came and was not read yet. */
  | {
      readonly type: 'closed'
      readonly connection: ConnectionHandle
      readonly reason: string
      readonly transport: Transport | undefined
    }
  /** A line of the connection's story. */
  | { readonly type: 'note'; readonly remoteId: PeerId; readonly what: string }
  | { readonly type: 'dialed'; readonly dial: DialId; readonly connection: ConnectionHandle }
  | { readonly type: 'dialFailed'; readonly dial: DialId; readonly attempts: readonly DialAttempt[] }
