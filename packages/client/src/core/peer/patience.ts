/**
 * Relays that a dial asks for a session only when their introduction comes to nothing: the session of
 * the introduction may be a path.
 */
import { type Instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import type { Registration } from '../relays/registration.ts'
import { HELLO_PATIENCE } from '../secure/limits.ts'

export class Patience<Way> {
  readonly #timers: Pick<Timers, 'set'>
  /** At most the relays of one dial. */
  readonly #waiting = new Map<Registration, { readonly way: Way; readonly timer: Timer }>()

  constructor(timers: Pick<Timers, 'set'>) {
    this.#timers = timers
  }

  /** @param ask called unless the wait is ended by then */
  wait(relay: Registration, way: Way, ask: () => void, now: Instant): void {
    const timer = this.#timers.set(later(now, HELLO_PATIENCE), () => {
      this.#waiting.delete(relay)
      ask()
    })
    this.#waiting.set(relay, { way, timer })
  }

  /** @returns the way that waited for it */
  end(relay: Registration): Way | undefined {
    const waiting = this.#waiting.get(relay)
    waiting?.timer.cancel()
    this.#waiting.delete(relay)
    return waiting?.way
  }

  close(): void {
    for (const { timer } of this.#waiting.values()) timer.cancel()
    this.#waiting.clear()
  }
}
