/**
 * Path validation (RFC 9000 §8.2): a remote peer that sends from another address, because its NAT
 * has a new mapping for it, has to send a random token back from there before anything else goes
 * there.
 */
import type { Random } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import { CHALLENGE_BYTES } from '@showchain/wire/end-to-end'
import { type Duration, duration, type Instant, later, type Route } from '../endpoint/machine.ts'
import { CHALLENGE_LIFETIME, MAX_CHALLENGE_GAP } from './limits.ts'

export class PathValidation {
  /** One at a time: more would be a way to make this peer send. */
  #challenge: { readonly token: Uint8Array; readonly to: Route } | undefined
  /** The next challenge leaves from here on: it waits twice as long after each unanswered one. */
  #next: Instant | undefined
  #gap: Duration = CHALLENGE_LIFETIME

  /** The token of a challenge to a new address; undefined while it is not time for one. */
  start(to: Route, random: Random, now: Instant): Uint8Array | undefined {
    if (this.#next !== undefined && this.#next > now) return undefined
    const token = random.bytes(CHALLENGE_BYTES)
    this.#challenge = { token, to }
    this.#next = later(now, this.#gap)
    this.#gap = duration(Math.min(2 * this.#gap, MAX_CHALLENGE_GAP))
    return token
  }

  /**
   * A PATH_RESPONSE came, on whichever path (RFC 9000 §8.2.3).
   * @returns the address that it validates
   */
  validated(token: Uint8Array): Route | undefined {
    const challenge = this.#challenge
    if (challenge === undefined || !equalBytes(challenge.token, token)) return undefined
    this.#challenge = undefined
    this.#next = undefined
    this.#gap = CHALLENGE_LIFETIME
    return challenge.to
  }
}
