/** Another process that has the number of this node: it is not listened to, and reported. */
import { type Duration, duration, type Instant, later } from '@showchain/client/endpoint'
import type { RelayContext } from '../relay-context.ts'

/** Between two reports. */
const TWIN_GAP: Duration = duration(60_000)

export class Twin {
  readonly #context: RelayContext
  readonly #node: number
  #told: Instant | undefined

  constructor(context: RelayContext, node: number) {
    this.#context = context
    this.#node = node
  }

  heard(now: Instant): void {
    this.#context.count('fleetTwin')
    if (this.#told !== undefined && later(this.#told, TWIN_GAP) > now) return
    this.#told = now
    this.#context.outbox.event({ type: 'fleetNode', node: this.#node, state: 'duplicate' })
  }
}
