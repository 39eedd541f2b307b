/**
 * Nodes that serve at the very same port (docs/fleet.md, Workers): the kernel gives each the channel frames
 * of its own sessions. So a node takes frames of peers that are bound at another one, and sends them theirs,
 * if that one has said where they are bound:
 *
 *   first frame of a peer ─► handed ─► its node ─► arrived, as in any fleet
 *   share ─► its node ─► shared, with its address: its next frames need no bus
 *
 * What was shared holds for 3 s. It is asked for again each second while frames go, which keeps the peer
 * registered; and its node says at once when the peer moves or is bound no longer.
 */
import {
  type Duration,
  duration,
  ExpiringMap,
  type Instant,
  isProven,
  later,
  type Rate,
  RateLimit,
  type Route,
  rateSource,
  sameRoute,
  TokenBucket,
} from '@showchain/client/endpoint'
import type { Endpoint, PeerId } from '@showchain/wire'
import type { FleetHanded, FleetItem, FleetShare, FleetShared } from '@showchain/wire/fleet'
import type { RelayLimits } from '../limits.ts'
import type { RelayContext } from '../relay-context.ts'
import type { FleetParts } from './fleet-options.ts'

/** docs/fleet.md, Workers. */
const SHARE_GAP: Duration = duration(1000)
const SHARE_LIFETIME: Duration = duration(3000)

/** A peer whose frames this node takes, though it is bound at another one. */
class Share {
  readonly node: number
  /** Where it is bound, as its node said. */
  at: Route | undefined
  asked: Instant
  /** Frames came from there since its node was asked. */
  heard = false
  readonly #frames: TokenBucket
  readonly #bytes: TokenBucket

  constructor(node: number, limits: RelayLimits, now: Instant) {
    this.node = node
    this.asked = now
    this.#frames = new TokenBucket(framesOf(limits), now)
    this.#bytes = new TokenBucket(
      { perSecond: limits.frameBytesPerSecondPerId, burst: limits.frameBytesBurstPerId },
      now,
    )
  }

  /** Whether the peer may send one more frame of so many bytes. */
  takeFrame(bytes: number, now: Instant): boolean {
    return this.#frames.take(now) && this.#bytes.take(now, bytes)
  }
}

const framesOf = (limits: RelayLimits): Rate => ({
  // Read each time: limits may change.
  get perSecond() {
    return limits.framesPerSecondPerId
  },
  get burst() {
    return limits.frameBurstPerId
  },
})

export class Beside {
  readonly #context: RelayContext
  readonly #parts: FleetParts
  readonly #nodes: readonly number[]
  readonly #post: (node: number, item: FleetItem) => void
  readonly #shares: ExpiringMap<PeerId, Share>
  /** Nodes that were told where a peer is that is bound here. An entry ends with the binding. */
  readonly #told = new Map<PeerId, Set<number>>()
  /** What one source makes this node hand over: no more than one peer may send. */
  readonly #handing: RateLimit

  constructor(context: RelayContext, parts: FleetParts, post: (node: number, item: FleetItem) => void) {
    const { limits } = context
    this.#context = context
    this.#parts = parts
    this.#nodes = parts.beside ?? []
    this.#post = post
    this.#shares = new ExpiringMap({ lifetime: SHARE_LIFETIME, capacity: limits.bindings })
    this.#handing = new RateLimit(framesOf(limits), limits.rateSources)
  }

  has(node: number): boolean {
    return this.#nodes.includes(node)
  }

  /** Whether a frame came from where a peer of another node is bound; then it counts for the peer's rate. */
  takes(peer: PeerId, source: Route, bytes: number, now: Instant): boolean | 'rateLimited' {
    const share = this.#shares.get(peer, now)
    if (share?.at === undefined || !sameRoute(share.at, source)) return false
    if (!share.takeFrame(bytes, now)) return 'rateLimited'
    share.heard = true
    // A socket that keeps what it has decoded hands over the same object, and sends to it without a look-up.
    share.at = source
    this.#used(peer, share, now)
    return true
  }

  /** Where a peer of another node is bound, if that node has shared it. */
  routeTo(peer: PeerId, now: Instant): Route | undefined {
    const share = this.#shares.get(peer, now)
    if (share?.at === undefined) return undefined
    this.#used(peer, share, now)
    return share.at
  }

  /** A frame of a peer came over the bus from its node: the next ones need not. */
  ask(peer: PeerId, node: number, now: Instant): void {
    if (!this.has(node) || this.#shares.get(peer, now)?.node === node) return
    this.#shares.set(peer, new Share(node, this.#context.limits, now), now)
    this.#post(node, { kind: 'share', peer, heard: false })
  }

  /** It is bound somewhere else than its node said. */
  forget(peer: PeerId): void {
    this.#shares.delete(peer)
  }

  /** A frame goes to where its sender may be known. @param node undefined: to all of them */
  handOver(bytes: Uint8Array, { ip, port }: Endpoint, node: number | undefined, now: Instant): void {
    const { count } = this.#context
    if (!this.#handing.take(rateSource(ip), now)) return count('rateLimited')
    const nodes = node === undefined ? this.#nodes : [node]
    count('fleetHanded')
    for (const each of nodes)
      this.#post(each, { kind: 'handed', alone: nodes.length === 1, from: { ip, port }, datagram: bytes })
  }

  /** What only nodes of one port say. @returns whether it is such a node that says it */
  hears(item: FleetHanded | FleetShare | FleetShared, node: number, now: Instant): boolean {
    if (!this.has(node)) return false
    if (item.kind === 'share') this.#asked(item, node, now)
    else if (item.kind === 'shared') this.#answered(item, node, now)
    else this.#parts.handed(item.datagram, item.from, item.alone, now)
    return true
  }

  /** Another node asks for a peer that is bound here. */
  #asked({ peer, heard }: FleetShare, node: number, now: Instant): void {
    const { bindings, toll } = this.#parts
    const source = bindings.get(peer, now)?.source
    // A connection is this node's alone, and who shows less than that it receives speaks to no other node.
    if (source === undefined || (source.socket ?? 0) !== 0 || !isProven(source)) return this.#tell(node, peer)
    // What it sends is counted here, frame by frame.
    if (toll !== undefined) return this.#tell(node, peer)
    if (heard) bindings.refresh(peer, now)
    const told = this.#told.get(peer)
    if (told === undefined) this.#told.set(peer, new Set([node]))
    else told.add(node)
    this.#context.count('fleetVouched')
    this.#tell(node, peer, { ip: source.ip, port: source.port })
  }

  /** The node of a peer says where it is bound. */
  #answered({ peer, at }: FleetShared, node: number, now: Instant): void {
    const share = this.#shares.get(peer, now)
    if (share?.node !== node) return
    if (at !== undefined) {
      this.#shares.touch(peer, now)
      if (share.at === undefined || !sameRoute(share.at, at)) share.at = at
    } else if (share.at !== undefined) this.#shares.delete(peer)
  }

  /** A peer is not bound any more where it was bound here. */
  left(peer: PeerId): void {
    for (const node of this.#told.get(peer) ?? []) this.#tell(node, peer)
    this.#told.delete(peer)
  }

  expire(now: Instant): void {
    this.#shares.expire(now)
    this.#handing.expire(now)
  }

  /** Its node hears once in a second that it is. */
  #used(peer: PeerId, share: Share, now: Instant): void {
    this.#context.count('fleetShared')
    if (later(share.asked, SHARE_GAP) > now) return
    share.asked = now
    this.#post(share.node, { kind: 'share', peer, heard: share.heard })
    share.heard = false
  }

  #tell(node: number, peer: PeerId, at?: Endpoint): void {
    this.#post(node, { kind: 'shared', peer, at })
  }
}
