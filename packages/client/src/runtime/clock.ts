/**
 * Time as a port: Node's clock here, a virtual one in the simulator. The only `setTimeout` of the
 * repository.
 */
import { type Instant, instant } from '../core/endpoint/machine.ts'

export interface Scheduled {
  cancel(): void
}

export interface Clock {
  /** Monotonic: for deadlines. */
  now(): Instant
  /** Unix milliseconds, which may step: for the `ts` of messages and for logs. */
  unixMs(): number
  /** Calls `fire` once, at `at` or a little later; at the next opportunity when `at` has passed. */
  schedule(at: Instant, fire: () => void): Scheduled
}

/**
 * Longest delay that Node's timers take; what is due later fires early, which a driver answers by
 * arming again.
 */
const MAX_TIMER_DELAY = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => instant(performance.now()),
  unixMs: () => Date.now(),
  schedule(at, fire) {
    const delay = Math.min(Math.max(0, Math.ceil(at - performance.now())), MAX_TIMER_DELAY)
    // A timer of Node takes a millisecond at least. A page has no turns to wait for.
    if (delay === 0 && typeof setImmediate === 'function') {
      const turn = setImmediate(fire)
      return { cancel: () => clearImmediate(turn) }
    }
    const timer = setTimeout(fire, delay)
    return { cancel: () => clearTimeout(timer) }
  },
}
