/** Sessions that a peer ended: their late messages open no new connection. */
import type { SessionId } from '@showchain/wire'
import { ExpiringMap } from '../endpoint/expiring-map.ts'
import { type Duration, duration, type Instant } from '../endpoint/machine.ts'

/** As long as a relay keeps a session that is idle. */
export const CLOSED_SESSION_LIFETIME: Duration = duration(600_000)
/** At the cap the oldest is forgotten. */
export const MAX_CLOSED_SESSIONS = 4096
/** Of connections that proved nothing: as long as a request is repeated. */
export const UNPROVEN_SESSION_LIFETIME: Duration = duration(15_000)

export class EndedSessions {
  readonly #proven = new ExpiringMap<SessionId, true>({
    lifetime: CLOSED_SESSION_LIFETIME,
    capacity: MAX_CLOSED_SESSIONS,
  })
  /** By themselves: forgers push out none but their own. */
  readonly #unproven: ExpiringMap<SessionId, true>

  /** @param unproven of how many connections that proved nothing it remembers one */
  constructor(unproven: number) {
    this.#unproven = new ExpiringMap({ lifetime: UNPROVEN_SESSION_LIFETIME, capacity: unproven })
  }

  /** @param proven whether the connection was */
  add(session: SessionId, proven: boolean, now: Instant): void {
    const ended = proven ? this.#proven : this.#unproven
    ended.set(session, true, now)
  }

  has(session: SessionId, now: Instant): boolean {
    return this.#proven.get(session, now) === true || this.#unproven.get(session, now) === true
  }

  expire(now: Instant): void {
    this.#proven.expire(now)
    this.#unproven.expire(now)
  }
}
