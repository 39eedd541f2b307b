/** Requests that wait for the same thing: each is called once, when it is settled. */
export class Waiters<Arguments extends readonly unknown[]> {
  /** Bounded by the requests that the owner admits. */
  #waiting: ((...how: Arguments) => void)[] = []

  add(waiter: (...how: Arguments) => void): void {
    this.#waiting.push(waiter)
  }

  /** Those that are added meanwhile wait for the next time. */
  settle(...how: Arguments): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) waiter(...how)
  }
}
