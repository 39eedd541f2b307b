/**
 * Events of an inner machine for its owner, in order. The owner polls them before it returns from
 * its call into the machine.
 */

/** Slots that are kept when the queue is empty. */
const KEPT = 64

export class EventQueue<Event> {
  /**
   * Bounded by what one call into the machine makes. Slots are reused, since there are such calls
   * for each packet.
   */
  #events: (Event | undefined)[] = []
  #next = 0
  #end = 0

  push(event: Event): void {
    this.#events[this.#end++] = event
  }

  poll(): Event | undefined {
    // Nearly always.
    if (this.#end === 0) return undefined
    if (this.#next === this.#end) {
      if (this.#end > KEPT) this.#events = []
      this.#next = 0
      this.#end = 0
      return undefined
    }
    const event = this.#events[this.#next]
    this.#events[this.#next++] = undefined
    return event
  }
}
