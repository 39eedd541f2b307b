/**
 * Connections that may have something to send. They send when the input is over that made them so,
 * each once: what several datagrams of one batch cause leaves together. They take turns, so that
 * none waits until another has sent all that it may.
 */
import type { Instant } from '../endpoint/machine.ts'

export interface Pumped {
  /**
   * Sends a train of what may leave now.
   * @returns whether there may be more
   */
  pump(now: Instant): boolean
}

export class PumpQueue {
  /** At most all connections. */
  readonly #due = new Set<Pumped>()
  /** One that is among them: it adds itself again with each datagram of a batch. */
  #latest: Pumped | undefined
  #now: Instant | undefined

  add(connection: Pumped, now: Instant): void {
    this.#now = now
    if (connection === this.#latest) return
    this.#due.add(connection)
    this.#latest = connection
  }

  /** Does something when the input is over. */
  once(act: (now: Instant) => void, now: Instant): void {
    const pump = (at: Instant): false => {
      act(at)
      return false
    }
    this.add({ pump }, now)
  }

  /** The next one has its turn. @returns false when there is none */
  turn(): boolean {
    const [next] = this.#due
    if (next === undefined || this.#now === undefined) return false
    this.#due.delete(next)
    this.#latest = undefined
    if (next.pump(this.#now)) this.#due.add(next)
    return true
  }
}
