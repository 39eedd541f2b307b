/** What is asked of peers where it does not matter at which node of a fleet they are bound. */
import type { Instant, Route } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import type { Binding } from './bindings.ts'

/** From when to when a relay heard no other of its fleet. */
export interface Silence {
  readonly since: Instant
  readonly until: Instant
}

/** Peers, wherever they are bound. */
export interface Peers {
  /** The last one: what was sent meanwhile to peers at other nodes reached nobody. Undefined: there was none. */
  readonly silence: Silence | undefined
  get(id: PeerId, now: Instant): Binding | undefined
  /** When this is where it is bound. */
  at(id: PeerId, source: Route, now: Instant): Binding | undefined
  /** An accepted message came from there. */
  refresh(id: PeerId, now: Instant): void
  /** Where the binding is, or NONE: it is at another node of the fleet. */
  rowOf(id: PeerId, now: Instant): number
  /** Whether it may send one more proxied message. */
  takeData(id: PeerId, now: Instant): boolean
}
