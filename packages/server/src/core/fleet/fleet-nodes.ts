/**
 * The nodes of a fleet, by what they say of themselves each 5 s. One that is silent is gone: its
 * sessions are as unknown as any that nobody has.
 */
import { type Duration, duration, ExpiringMap, type Instant, later } from '@showchain/client/endpoint'
import { type FleetHeader, type FleetStatus, MAX_FLEET_ADDRESSES } from '@showchain/wire/fleet'
import type { FleetNode } from '../events.ts'
import type { Silence } from '../peers.ts'
import type { FleetParts } from './fleet-options.ts'

/** docs/fleet.md, Nodes: while others are heard, and while nobody is. */
const STATUS_GAP: Duration = duration(5000)
const STATUS_GAP_ALONE: Duration = duration(1000)
/** docs/fleet.md, Nodes: three statuses were lost. */
export const NODE_LIFETIME: Duration = duration(16_000)
/** docs/fleet.md, Nodes: two statuses of everybody were lost. */
const SILENCE: Duration = duration(11_000)
/** Far more than anybody runs; more are not listened to. */
const MAX_NODES = 1024

interface Known extends FleetNode {
  readonly life: number
}

/** What this node says of itself. */
export const statusOf = ({ bindings, sessions, addresses = [] }: FleetParts, draining: boolean): FleetStatus => ({
  kind: 'status',
  bindings: bindings.size,
  sessions: sessions(),
  draining,
  addresses: addresses.slice(0, MAX_FLEET_ADDRESSES),
})

export class FleetNodes {
  readonly #nodes: ExpiringMap<number, Known>
  readonly #beside: readonly number[]
  #heardAt: Instant | undefined
  #silence: Silence | undefined

  /** @param beside those with the same port, on a bus of their own */
  constructor(beside: readonly number[], lost: (node: number) => void) {
    this.#beside = beside
    this.#nodes = new ExpiringMap({ lifetime: NODE_LIFETIME, capacity: MAX_NODES, onEnd: lost })
  }

  get size(): number {
    return this.#nodes.size
  }

  /** Nobody else is heard: the bus may be away, and all of them there. */
  get alone(): boolean {
    for (const [node] of this.#nodes.entries()) if (!this.#beside.includes(node)) return false
    return true
  }

  /** Between two statuses of this node. */
  get statusGap(): Duration {
    return this.alone ? STATUS_GAP_ALONE : STATUS_GAP
  }

  /** The last long one of all others. */
  get silence(): Silence | undefined {
    return this.#silence
  }

  /** A message of a node came. */
  spoke(node: number, now: Instant): void {
    if (this.#beside.includes(node)) return
    if (this.#heardAt !== undefined && later(this.#heardAt, SILENCE) <= now)
      this.#silence = { since: this.#heardAt, until: now }
    this.#heardAt = now
  }

  has(node: number, now: Instant): boolean {
    return this.#nodes.get(node, now) !== undefined
  }

  all(): readonly FleetNode[] {
    return [...this.#nodes.entries()].map(([, { life: _life, ...node }]) => node)
  }

  /** It said something. @returns whether this process of it was not known */
  heard({ from, life }: FleetHeader, { bindings, sessions, draining, addresses }: FleetStatus, now: Instant): boolean {
    const known = this.#nodes.get(from, now)
    if (known === undefined && this.#nodes.size >= MAX_NODES) return false
    this.#nodes.set(from, { node: from, life, bindings, sessions, draining, addresses }, now)
    return known?.life !== life
  }

  expire(now: Instant): void {
    this.#nodes.expire(now)
  }
}
