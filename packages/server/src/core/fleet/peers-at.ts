/**
 * Who is bound at which address of this node; and who was, until it registered at another one. That learns
 * later than this node where it is bound now: its frames come from where it was, and are not lost meanwhile.
 */
import {
  type Duration,
  duration,
  ExpiringMap,
  type Instant,
  isProven,
  type Route,
  routeKey,
} from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import type { Binding } from '../bindings.ts'
import type { Purse } from '../holder.ts'
import type { RelayContext } from '../relay-context.ts'
import type { FleetParts } from './fleet-options.ts'
import { FrameRate } from './frame-rate.ts'

/** docs/fleet.md, Items. A peer that is banned is gone within as long. */
const FORMER_LIFETIME: Duration = duration(10_000)

/** A peer that is at another node by now. */
interface Former {
  readonly binding: Binding
  readonly rate: FrameRate
  /** Undefined: what it sends is not counted. */
  readonly purse: Purse | undefined
  /** Whether something came from there since. */
  speaks: boolean
}

export class PeersAt {
  readonly #context: RelayContext
  readonly #parts: Pick<FleetParts, 'bindings' | 'toll'>
  /** Those that are bound, and those that were. */
  readonly #peers = new Map<string, PeerId>()
  readonly #former: ExpiringMap<PeerId, Former>

  constructor(context: RelayContext, parts: Pick<FleetParts, 'bindings' | 'toll'>) {
    this.#context = context
    this.#parts = parts
    const onEnd = (_id: PeerId, former: Former): void => this.#end(former)
    this.#former = new ExpiringMap({ lifetime: FORMER_LIFETIME, capacity: context.limits.bindings, onEnd })
  }

  bound({ id, source }: Binding, now: Instant): void {
    const key = routeKey(source)
    for (const each of [id, this.#peers.get(key)]) this.#forget(each, now)
    this.#peers.set(key, id)
  }

  left({ id, source }: Binding): void {
    const key = routeKey(source)
    if (this.#peers.get(key) === id) this.#peers.delete(key)
  }

  /** The peer in this row registered at another node: its binding ends. */
  leaves(row: number, now: Instant): void {
    const { bindings, toll } = this.#parts
    const binding = bindings.in(row)
    const { id, source } = binding
    const purse = isProven(source) ? toll?.part(row) : undefined
    this.#context.count('fleetMoved')
    bindings.end(id, 'elsewhere', now)
    if (!isProven(source)) return
    this.#former.expire(now)
    this.#peers.set(routeKey(source), id)
    this.#former.set(id, { binding, rate: new FrameRate(this.#context.limits, now), purse, speaks: false }, now)
  }

  /** Only an address that proved itself speaks to other nodes. */
  speaker(source: Route, now: Instant): Binding | undefined {
    const id = this.#peers.get(routeKey(source))
    const binding = id === undefined ? undefined : this.#parts.bindings.at(id, source, now)
    return binding !== undefined && isProven(binding.source) ? binding : undefined
  }

  /** Who was bound there, and sends a frame of so many bytes; false: it may not send so much. */
  formerSpeaker(source: Route, bytes: number, now: Instant): Binding | false | undefined {
    const id = this.#peers.get(routeKey(source))
    const former = id === undefined ? undefined : this.#former.get(id, now)
    if (former === undefined) return undefined
    former.speaks = true
    const { binding, rate, purse } = former
    if (!rate.take(bytes, now)) this.#context.count('rateLimited')
    else if (purse === undefined || this.#parts.toll?.paysFrom(purse, bytes, now) === true) return binding
    return false
  }

  /** Where a peer was bound that still speaks from there. */
  formerOf(id: PeerId, now: Instant): Binding | undefined {
    const former = this.#former.get(id, now)
    return former?.speaks === true ? former.binding : undefined
  }

  expire(now: Instant): void {
    this.#former.expire(now)
  }

  #forget(id: PeerId | undefined, now: Instant): void {
    const former = id === undefined ? undefined : this.#former.get(id, now)
    if (id === undefined || former === undefined) return
    this.#former.delete(id)
    this.#end(former)
  }

  #end({ binding, purse }: Former): void {
    this.left(binding)
    if (purse !== undefined) this.#parts.toll?.close(purse)
  }
}
