/** What an inner machine has to say to its owner, in order. The owner polls it before it returns from what called into the machine. */
export class EventQueue<Event> {
  /** Bounded by what one call into the machine makes. */
  readonly #events: Event[] = []

  push(event: Event): void {
    this.#events.push(event)
  }

  poll(): Event | undefined {
    return this.#events.shift()
  }
}
