/**
 * Says before the permit of a relay ends, once, since who runs that has to give another ticket. The permit says
 * when; how many of its bytes are left the relay alone knows.
 */
import { readPermit } from '@showchain/crypto/core'
import { fromBase64url, type PeerId, type Ticket } from '@showchain/wire'
import { duration, later } from './core/index.ts'
import type { RelayEvent } from './relay-event.ts'
import type { Clock, Scheduled } from './runtime/clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/**
 * Milliseconds before the end. People look at what runs unattended once a day, and need the rest of it for a new
 * ticket. It is no part of the life of a permit, of which nobody but its relay knows when it began.
 */
export const WARNED_BEFORE: number = DAY
/** Of monotonic time until the wall clock is looked at again: it may step, and goes on while a host sleeps. */
const LOOK_GAP = HOUR

interface Watched {
  readonly until: number
  /** Where it is registered. */
  at: RelayEvent['at']
  timer: Scheduled | undefined
}

export class PermitWatch {
  readonly #clock: Clock
  readonly #tell: (event: RelayEvent) => void
  /** Those of the configuration of which nothing was said so far. */
  readonly #watched = new Map<PeerId, Watched>()

  /** @param relays those of the configuration */
  constructor(clock: Clock, relays: readonly Ticket[], tell: (event: RelayEvent) => void) {
    this.#clock = clock
    this.#tell = tell
    for (const ticket of relays) {
      const until = permitEnd(ticket)
      if (until !== undefined) this.#watched.set(ticket.id, { until, at: undefined, timer: undefined })
    }
  }

  /** Only a relay that serves this peer has taken its permit. */
  registered({ relay, at }: RelayEvent): void {
    const watched = this.#watched.get(relay)
    if (watched === undefined) return
    watched.at = at
    if (watched.timer === undefined) this.#look(relay, watched)
  }

  close(): void {
    for (const { timer } of this.#watched.values()) timer?.cancel()
    this.#watched.clear()
  }

  #look(relay: PeerId, watched: Watched): void {
    const { until, at } = watched
    const left = until - this.#clock.unixMs()
    const early = left - WARNED_BEFORE
    if (early > 0) {
      const next = later(this.#clock.now(), duration(Math.min(early, LOOK_GAP)))
      watched.timer = this.#clock.schedule(next, () => this.#look(relay, watched))
      return
    }
    this.#watched.delete(relay)
    // After its end the relay says so.
    if (left <= 0) return
    const reason = `the permit in its ticket ends in ${inWords(left)}: ask whoever runs it for a new ticket`
    this.#tell({ relay, at, state: 'expiring', until, reason })
  }
}

/**
 * When the permit in the ticket of a relay ends, Unix milliseconds; undefined: it has none, or one that only the
 * relay can read.
 */
export function permitEnd({ permit }: Pick<Ticket, 'permit'>): number | undefined {
  const bytes = permit === undefined ? undefined : fromBase64url(permit)
  return bytes && readPermit(bytes)?.untilMs
}

/** @param ms more than 0 */
export function inWords(ms: number): string {
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} days`
  if (ms >= 2 * HOUR) return `${Math.floor(ms / HOUR)} h`
  return ms >= MINUTE ? `${Math.floor(ms / MINUTE)} min` : 'less than a minute'
}
