/** Events of a peer's machine as one union, and the types in them. */
import type { Endpoint, Nat, PeerId } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { ConnectionEnd } from '../transport/ending.ts'
import type { StreamChange, UnreadStream } from '../transport/events.ts'
import type { Carrier } from './carriers.ts'

/** The ways to reach a peer. */
export type Via = 'direct' | 'punch' | 'relay'

/** The path that a connection's data takes. */
export type Path =
  | { readonly kind: 'direct'; readonly remote: Endpoint }
  | {
      readonly kind: 'relay'
      readonly remote: Endpoint
      readonly relay: PeerId
      /** What carries it between this end and the relay. */
      readonly over: Carrier
    }

/** A path as applications have it: the socket that it takes is no matter of theirs. */
export const toldPath = (path: Path): Path => ({ ...path, remote: { ip: path.remote.ip, port: path.remote.port } })

/** Which paths a connection may take. `relay-only` hides both ends' addresses. */
export type PathPolicy = 'auto' | 'direct-only' | 'relay-only'

/** What a dial tries: every way, every direct way, the relay alone, or one way. */
export type DialPolicy = PathPolicy | 'direct' | 'punch'

/** One way that a dial tried, and its result. */
export interface DialAttempt {
  readonly via: Via
  /** The address or relay, as text. */
  readonly at: string
  readonly state: 'trying' | 'reached' | 'failed'
  /** Why it failed, as text. */
  readonly why: string | undefined
}

/** Handle of a connection; never reused. */
export type ConnectionHandle = number
/** Handle of a dial; never reused. */
export type DialId = number

/** What the NAT in front of this peer does (RFC 4787), as far as discovery could tell. */
export interface NatReport extends Nat {
  /** This peer's address as the first server sees it. */
  readonly mapped: Endpoint | undefined
  /** Whether it differs from the host's own addresses. */
  readonly natted: boolean | undefined
  /** The seed's type; undefined when too little is known. */
  readonly type: 'T1' | 'T2' | 'T3' | 'T4' | undefined
  /** What could not be determined and why, in sentences. */
  readonly notes: readonly string[]
}

export type PeerEvent =
  /** `registered` comes again when the observed address changed. */
  | {
      readonly type: 'relay'
      readonly relay: PeerId
      readonly at: Endpoint
      readonly state: 'registered'
      readonly observed: Endpoint | undefined
      readonly over: Carrier
    }
  | {
      readonly type: 'relay'
      readonly relay: PeerId
      readonly at: Endpoint
      readonly state: 'lost' | 'failed' | 'draining' | 'limited'
      readonly reason: string
    }
  /** Where a relay's address of the other IP family sees this peer; undefined: nowhere any more. */
  | { readonly type: 'seen'; readonly by: Endpoint; readonly observed: Endpoint | undefined }
  /** A relay leaves questions unanswered, and may be lost soon. */
  | { readonly type: 'relayDoubted'; readonly relay: PeerId; readonly at: Endpoint }
  /** NAT discovery after a registration found another behaviour than before. */
  | { readonly type: 'nat'; readonly report: NatReport }
  /**
   * Another host uses this identity: each takes the binding at the relay from the other. Repeated
   * while that lasts.
   */
  | { readonly type: 'duplicate'; readonly relay: PeerId; readonly at: Endpoint }
  /** A peer wants to connect. Nothing is answered before `decide(true)`. */
  | { readonly type: 'consent'; readonly id: PeerId; readonly via: Via; decide(allowed: boolean, now: Instant): void }
  | {
      readonly type: 'open'
      readonly connection: ConnectionHandle
      readonly remoteId: PeerId
      readonly path: Path
      readonly incoming: boolean
      /** Whether the first stream of the initiator begins with what it said before an answer. */
      readonly early: boolean
    }
  | { readonly type: 'path'; readonly connection: ConnectionHandle; readonly path: Path; readonly reason: string }
  | { readonly type: 'datagram'; readonly connection: ConnectionHandle; readonly bytes: Uint8Array }
  /** The remote peer opened a stream. `protocol` is the name of one that has it. */
  | {
      readonly type: 'streamOpened'
      readonly connection: ConnectionHandle
      readonly stream: number
      readonly protocol: string | undefined
    }
  | {
      readonly type: 'stream'
      readonly connection: ConnectionHandle
      readonly stream: number
      readonly what: StreamChange
    }
  /** The remote peer allows more streams (MAX_STREAMS). */
  | { readonly type: 'openable'; readonly connection: ConnectionHandle }
  /** The remote peer asked to stop sending on a stream (STOP_SENDING). */
  | {
      readonly type: 'streamStopped'
      readonly connection: ConnectionHandle
      readonly stream: number
      readonly code: number
    }
  /**
   * The connection is over. Bounded by the connection's flow control, `unread` is what came on its
   * streams.
   */
  | ({
      readonly type: 'closed'
      readonly connection: ConnectionHandle
      readonly unread: readonly UnreadStream[]
    } & ConnectionEnd)
  /** A line of a connection's timeline. `attempt`: the way whose trying ended. */
  | {
      readonly type: 'note'
      readonly remoteId: PeerId
      readonly what: string
      readonly attempt?: DialAttempt
    }
  /** A connection ended that was never open. */
  | { readonly type: 'abandoned'; readonly remoteId: PeerId }
  | { readonly type: 'dialed'; readonly dial: DialId; readonly connection: ConnectionHandle }
  | { readonly type: 'dialFailed'; readonly dial: DialId; readonly attempts: readonly DialAttempt[] }
