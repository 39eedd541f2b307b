/**
 * Round trips that the application asks for: path challenges (docs/protocol.md, Change of path) on
 * the path that data takes. None is sent again, so that one that is lost shows as lost.
 */
import type { Random } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import { CHALLENGE_BYTES } from '@showchain/wire/end-to-end'
import type { Path } from '../context/events.ts'
import { type Duration, duration, type Instant } from '../endpoint/machine.ts'
import type { MessageSession } from '../messages/message-session.ts'

/** Pings that may be under way; one more takes the place of the oldest, which counts as lost. */
export const MAX_PINGS = 16

/** Called when a ping is answered, and never when it is lost. @param path which it took */
export type Ponged = (rtt: Duration, path: Path) => void

interface Ping {
  readonly token: Uint8Array
  readonly path: Path
  readonly at: Instant
  readonly ponged: Ponged
}

export class Pings {
  readonly #random: Random
  readonly #challenge: (session: MessageSession, token: Uint8Array, now: Instant) => void
  /** At most MAX_PINGS, the oldest first. */
  #open: readonly Ping[] = []

  /** @param challenge sends a path challenge in the session */
  constructor(random: Random, challenge: (session: MessageSession, token: Uint8Array, now: Instant) => void) {
    this.#random = random
    this.#challenge = challenge
  }

  /** @param session of the path */
  ask(session: MessageSession, path: Path, ponged: Ponged, now: Instant): void {
    const token = this.#random.bytes(CHALLENGE_BYTES)
    this.#open = [...this.#open, { token, path, at: now, ponged }].slice(-MAX_PINGS)
    this.#challenge(session, token, now)
  }

  /** A PATH_RESPONSE came. @returns whether it answers one of these */
  answered(token: Uint8Array, now: Instant): boolean {
    const ping = this.#open.find((each) => equalBytes(each.token, token))
    if (ping === undefined) return false
    this.#open = this.#open.filter((each) => each !== ping)
    ping.ponged(duration(now - ping.at), ping.path)
    return true
  }
}
