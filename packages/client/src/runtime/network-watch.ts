/**
 * Notices that this host is on another network than before, which no datagram says: it looks each
 * second. Node has no event for it.
 *
 *   other addresses · a look that comes late, since the host slept · sends that fail no longer
 */
import { type Duration, duration, type Instant, later } from '../core/endpoint/machine.ts'
import type { Clock, Scheduled } from './clock.ts'

/** Between two looks. One takes 0.25 to 0.5 ms (measured). */
export const LOOK_GAP: Duration = duration(1000)
/** A look that is later than this was held up by a host that slept, or a process that was stopped. */
export const SLEPT_FOR: Duration = duration(2000)

export interface NetworkWatchOptions {
  readonly clock: Clock
  /** IP addresses of this host. */
  readonly localAddresses: () => readonly string[]
  /** What else tells one network from another. @default nothing */
  readonly networks?: (() => string) | undefined
  /** How many sends have failed so far. */
  readonly failures: () => number
  readonly changed: () => void
}

export class NetworkWatch {
  readonly #options: NetworkWatchOptions
  #addresses: readonly string[]
  #networks: string
  #failures: number
  #failing = false
  #due: Instant
  #timer: Scheduled

  constructor(options: NetworkWatchOptions) {
    this.#options = options
    this.#addresses = options.localAddresses()
    this.#networks = options.networks?.() ?? ''
    this.#failures = options.failures()
    this.#due = later(options.clock.now(), LOOK_GAP)
    this.#timer = this.#next()
  }

  /**
   * What it saw last, at most a gap ago: a request that leaves just now does not wait for another look.
   */
  get addresses(): readonly string[] {
    return this.#addresses
  }

  close(): void {
    this.#timer.cancel()
  }

  #next(): Scheduled {
    return this.#options.clock.schedule(this.#due, () => this.#look())
  }

  #look(): void {
    const { clock, localAddresses, networks, failures, changed } = this.#options
    const now = clock.now()
    const slept = later(this.#due, SLEPT_FOR) <= now
    this.#due = later(now, LOOK_GAP)
    this.#timer = this.#next()
    const before = {
      addresses: this.#addresses,
      networks: this.#networks,
      failing: this.#failing,
      failures: this.#failures,
    }
    this.#addresses = localAddresses()
    this.#networks = networks?.() ?? ''
    this.#failures = failures()
    this.#failing = this.#failures > before.failures
    const recovered = before.failing && !this.#failing
    const moved = this.#networks !== before.networks || !sameSet(this.#addresses, before.addresses)
    if (slept || recovered || moved) changed()
  }
}

/** The order says nothing. */
const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  [...one].sort().join(' ') === [...other].sort().join(' ')
