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
 *
 * Where bytes are counted, its node does that: it counts some in advance and lends them. A frame beyond them is
 * handed to it, as any of a peer that is not shared, and it says what becomes of that.
 */
import {
  type Duration,
  duration,
  ExpiringMap,
  type Instant,
  isProven,
  later,
  RateLimit,
  type Route,
  rateSource,
  sameRoute,
} from '@showchain/client/endpoint'
import type { Endpoint, PeerId } from '@showchain/wire'
import type { FleetBeside, FleetItem, FleetShare, FleetShared } from '@showchain/wire/fleet'
import type { RelayLimits } from '../limits.ts'
import type { RelayContext } from '../relay-context.ts'
import type { FleetParts } from './fleet-options.ts'
import { FrameRate, framesOf } from './frame-rate.ts'

/** docs/fleet.md, Workers. */
const SHARE_GAP: Duration = duration(1000)
const SHARE_LIFETIME: Duration = duration(3000)
/**
 * Bytes that are borrowed of a peer at a time. Half of them has to last until more are there, which takes some
 * ms of a busy relay: the most is enough for 60 MB/s (`frameBytesPerSecondPerId`). Each loan within a second of the
 * one before has twice as much, so that a peer that sends little ties up little.
 */
const LEAST_LOAN = 65_536
const MOST_LOAN = 1_048_576
/** Until the next is asked for when one does not come: all may be used up, or more than the rate. */
const LOAN_GAP: Duration = duration(50)

/** A peer whose frames this node takes, though it is bound at another one. */
class Share {
  readonly node: number
  /** Where it is bound, as its node said. */
  at: Route | undefined
  asked: Instant
  /** Frames came from there since its node was asked. */
  heard = false
  /** Bytes of it that may be passed on. */
  lent = 0
  /** What was lent last, when some was asked for, and when more may be. */
  #loan = LEAST_LOAN
  #borrowed: Instant
  #mayBorrow: Instant
  readonly rate: FrameRate

  constructor(node: number, limits: RelayLimits, now: Instant) {
    this.node = node
    this.asked = now
    this.#borrowed = now
    this.#mayBorrow = later(now, LOAN_GAP)
    this.rate = new FrameRate(limits, now)
  }

  /** Bytes to borrow now, for one more frame; 0: none. */
  borrows(now: Instant): number {
    if (this.lent >= this.#loan / 2 || this.#mayBorrow > now) return 0
    const more = later(this.#borrowed, SHARE_GAP) > now
    this.#borrowed = now
    this.#mayBorrow = later(now, LOAN_GAP)
    return more ? Math.min(2 * this.#loan, MOST_LOAN) : LEAST_LOAN
  }

  lends(bytes: number, now: Instant): void {
    if (bytes === 0) return
    this.lent += bytes
    this.#loan = bytes
    this.#mayBorrow = now
  }
}

export class Beside {
  readonly #context: RelayContext
  readonly #parts: FleetParts
  readonly #nodes: readonly number[]
  readonly #post: (node: number, item: FleetItem) => void
  /** What peers send is counted, by the node that each is bound at. */
  readonly #counts: boolean
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
    this.#counts = parts.toll !== undefined
    const onEnd = (peer: PeerId, { node, lent }: Share): void => this.#repay(peer, node, lent)
    this.#shares = new ExpiringMap({ lifetime: SHARE_LIFETIME, capacity: limits.bindings, onEnd })
    this.#handing = new RateLimit(framesOf(limits), limits.rateSources)
  }

  has(node: number): boolean {
    return this.#nodes.includes(node)
  }

  /** Whether a frame came from where a peer of another node is bound; then it counts for the peer's rate. */
  takes(peer: PeerId, source: Route, bytes: number, now: Instant): boolean | 'rateLimited' {
    const share = this.#shares.get(peer, now)
    if (share?.at === undefined || !sameRoute(share.at, source)) return false
    // Its node says what becomes of one that it has not lent.
    if (this.#counts && !this.#borrowed(peer, share, bytes, now)) return false
    if (!share.rate.take(bytes, now)) return 'rateLimited'
    if (this.#counts) share.lent -= bytes
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
    this.#shares.expire(now)
    this.forget(peer, now)
    this.#shares.set(peer, new Share(node, this.#context.limits, now), now)
    this.#post(node, { kind: 'share', peer, heard: false, wants: this.#counts ? LEAST_LOAN : 0 })
  }

  /** It is bound somewhere else than its node said. */
  forget(peer: PeerId, now: Instant): void {
    const share = this.#shares.get(peer, now)
    if (share === undefined) return
    this.#shares.delete(peer)
    this.#repay(peer, share.node, share.lent)
  }

  /** Whether its node has lent as much as this frame has; asks for more in time. */
  #borrowed(peer: PeerId, share: Share, bytes: number, now: Instant): boolean {
    const wants = share.borrows(now)
    if (wants > 0) this.#say(peer, share, wants, now)
    return share.lent >= bytes
  }

  #repay(peer: PeerId, node: number, bytes: number): void {
    if (bytes > 0) this.#post(node, { kind: 'repaid', peer, bytes })
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
  hears(item: FleetBeside, node: number, now: Instant): boolean {
    if (!this.has(node)) return false
    const { bindings, toll } = this.#parts
    if (item.kind === 'share') this.#asked(item, node, now)
    else if (item.kind === 'shared') this.#answered(item, node, now)
    else if (item.kind === 'repaid') toll?.repaid(bindings.rowOf(item.peer, now), item.bytes)
    else this.#parts.handed(item.datagram, item.from, item.alone, now)
    return true
  }

  /** Another node asks for a peer that is bound here. */
  #asked({ peer, heard, wants }: FleetShare, node: number, now: Instant): void {
    const { bindings, toll } = this.#parts
    const source = bindings.get(peer, now)?.source
    // A connection is this node's alone, and who shows less than that it receives speaks to no other node.
    if (source === undefined || (source.socket ?? 0) !== 0 || !isProven(source)) return this.#tell(node, peer)
    if (heard) bindings.refresh(peer, now)
    const told = this.#told.get(peer)
    if (told === undefined) this.#told.set(peer, new Set([node]))
    else told.add(node)
    this.#context.count('fleetVouched')
    const lent = wants === 0 ? 0 : (toll?.lend(bindings.rowOf(peer, now), wants, now) ?? 0)
    this.#tell(node, peer, { ip: source.ip, port: source.port }, lent)
  }

  /** The node of a peer says where it is bound. */
  #answered({ peer, at, lent }: FleetShared, node: number, now: Instant): void {
    const share = this.#shares.get(peer, now)
    if (share?.node !== node) return this.#repay(peer, node, lent)
    share.lends(lent, now)
    if (at !== undefined) {
      this.#shares.touch(peer, now)
      if (share.at === undefined || !sameRoute(share.at, at)) share.at = at
    } else if (share.at !== undefined) this.forget(peer, now)
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
    if (later(share.asked, SHARE_GAP) <= now) this.#say(peer, share, 0, now)
  }

  #say(peer: PeerId, share: Share, wants: number, now: Instant): void {
    share.asked = now
    this.#post(share.node, { kind: 'share', peer, heard: share.heard, wants })
    share.heard = false
  }

  #tell(node: number, peer: PeerId, at?: Endpoint, lent = 0): void {
    this.#post(node, { kind: 'shared', peer, at, lent })
  }
}
