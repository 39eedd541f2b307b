/** Who is bound at which address of this node. */
import { type Instant, isProven, type Route, routeKey } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import type { Binding, Bindings } from '../bindings.ts'

export class PeersAt {
  readonly #bindings: Bindings
  readonly #peers = new Map<string, PeerId>()

  constructor(bindings: Bindings) {
    this.#bindings = bindings
  }

  bound({ id, source }: Binding): void {
    this.#peers.set(routeKey(source), id)
  }

  left({ id, source }: Binding): void {
    const key = routeKey(source)
    if (this.#peers.get(key) === id) this.#peers.delete(key)
  }

  /** Only an address that proved itself speaks to other nodes. */
  speaker(source: Route, now: Instant): Binding | undefined {
    const id = this.#peers.get(routeKey(source))
    const binding = id === undefined ? undefined : this.#bindings.at(id, source, now)
    return binding !== undefined && isProven(binding.source) ? binding : undefined
  }
}
