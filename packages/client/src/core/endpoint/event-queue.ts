/**
 * Events of an inner machine for its owner, in order. The owner polls them before it returns from
 * its call into the machine.
 */
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
