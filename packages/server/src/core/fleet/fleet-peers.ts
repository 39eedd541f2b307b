/** The peers of all nodes, for what does not matter at which one they are: those here, and ways to the others. */
import type { Instant, Route } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import type { Binding, Bindings } from '../bindings.ts'
import { NONE } from '../expiring-rows.ts'
import type { Peers, Silence } from '../peers.ts'
import { Elsewhere } from './elsewhere.ts'
import type { Fleet } from './fleet.ts'

export class FleetPeers implements Peers {
  readonly #bindings: Bindings
  readonly #fleet: Fleet

  constructor(bindings: Bindings, fleet: Fleet) {
    this.#bindings = bindings
    this.#fleet = fleet
  }

  get silence(): Silence | undefined {
    return this.#fleet.silence
  }

  get(id: PeerId, now: Instant): Binding | undefined {
    return this.#bindings.get(id, now) ?? this.#fleet.elsewhere(id, now)
  }

  /** What another node says comes from the peer's address does. */
  at(id: PeerId, source: Route, now: Instant): Binding | undefined {
    if (source instanceof Elsewhere) return source.id === id ? source : undefined
    return this.#bindings.at(id, source, now)
  }

  rowOf(id: PeerId, now: Instant): number {
    return this.#bindings.rowOf(id, now)
  }

  refresh(id: PeerId, now: Instant): void {
    this.#bindings.refresh(id, now)
  }

  /** Of a peer elsewhere its own node has asked that. */
  takeData(id: PeerId, now: Instant): boolean {
    return this.#bindings.rowOf(id, now) === NONE || this.#bindings.takeData(id, now)
  }
}
