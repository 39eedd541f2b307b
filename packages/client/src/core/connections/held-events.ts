/**
 * What the remote peer sends while this end has its keys and no path yet: records may come from an
 * address that this end has not checked. The application learns of it once it has the connection.
 */
import type { StreamEvent } from '../transport/events.ts'

/** Datagrams that wait; further ones are dropped. Changes of streams are bounded by the streams there may be. */
export const MAX_HELD_DATAGRAMS = 64

export class HeldEvents {
  #events: StreamEvent[] = []
  /** Each change once: what it says is that there is something to look at. */
  #changes = new Set<string>()
  #datagrams = 0

  hold(event: StreamEvent): void {
    if (event.type === 'datagram') {
      if (this.#datagrams++ >= MAX_HELD_DATAGRAMS) return
    } else {
      const change = event.type === 'stream' ? `${event.stream} ${event.what}` : JSON.stringify(event)
      if (this.#changes.has(change)) return
      this.#changes.add(change)
    }
    this.#events.push(event)
  }

  /** Everything, in order; nothing waits afterwards. */
  take(): readonly StreamEvent[] {
    const events = this.#events
    this.#events = []
    this.#changes = new Set()
    this.#datagrams = 0
    return events
  }
}
