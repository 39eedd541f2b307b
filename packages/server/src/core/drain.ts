/**
 * The end of a relay, told beforehand (docs/protocol.md, Draining): every bound peer is told once, and
 * registers again. The signed answer says that the relay drains, so the peer leaves for another one.
 *
 *   begin ──► error `draining` to each bound peer, paced ──► quiet for 2 s, no work outstanding ──► over
 */
import { type Duration, duration, type Instant, later } from '@showchain/client/endpoint'
import { WIRE_ERROR } from '@showchain/wire'
import type { Binding, Bindings } from './bindings.ts'
import { errorBytes } from './error-bytes.ts'
import type { RelayContext } from './relay-context.ts'

/** Peers that are told at once: 1,000 a second, as many as a relay has signatures for. */
const TOLD_AT_ONCE = 10
const TELL_GAP: Duration = duration(10)
/** Nothing is forwarded and nobody registers for this long: whoever wanted to leave has left. */
export const QUIET: Duration = duration(2000)
/** Between two looks at whether it is quiet. */
const LOOK_GAP: Duration = duration(250)

const BYTES = errorBytes(WIRE_ERROR.draining)

export class Drain {
  readonly #context: RelayContext
  /** How much was forwarded and registered so far. */
  readonly #busyness: () => number
  /** Those who are still to be told. */
  readonly #untold: Binding[]
  #seen: number
  #busyAt: Instant
  #next: Instant
  #over = false

  constructor(context: RelayContext, bindings: Bindings, busyness: () => number, now: Instant) {
    this.#context = context
    this.#busyness = busyness
    this.#untold = [...bindings.all()].filter(({ knowsExtensions }) => knowsExtensions)
    this.#seen = busyness()
    // Without anybody who could leave there is nothing to wait for.
    this.#busyAt = bindings.size === 0 ? later(now, duration(-QUIET)) : now
    this.#next = now
  }

  get deadline(): Instant | undefined {
    return this.#over ? undefined : this.#next
  }

  /** Goes on, and says once that it is over. */
  wake(now: Instant): void {
    if (this.#over) return
    this.#look(now)
    if (!this.#isOver(now) || this.#context.outbox.pendingWork > 0) return
    this.#over = true
    this.#context.outbox.event({ type: 'drained' })
  }

  /** Tells the next few, and looks whether something is going on. */
  #look(now: Instant): void {
    if (this.#next > now) return
    for (const { source, encoding } of this.#untold.splice(0, TOLD_AT_ONCE)) {
      this.#context.count('drainingSent')
      this.#context.outbox.transmit(source, BYTES[encoding])
    }
    const busyness = this.#busyness()
    if (this.#untold.length > 0 || busyness !== this.#seen) this.#busyAt = now
    this.#seen = busyness
    this.#next = later(now, this.#untold.length > 0 ? TELL_GAP : LOOK_GAP)
  }

  /** Whether everybody was told and nothing was going on for a while. */
  #isOver(now: Instant): boolean {
    return this.#untold.length === 0 && later(this.#busyAt, QUIET) <= now
  }
}
