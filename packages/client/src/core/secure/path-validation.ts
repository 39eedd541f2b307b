/**
 * Path validation (RFC 9000 §8.2): a remote peer that sends from another address, because its NAT
 * has a new mapping for it, has to send a random token back from there before anything else goes
 * there.
 */
import type { Random } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import { CHALLENGE_BYTES, FRAME, FrameWriter, RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import { type Instant, later, type Route } from '../endpoint/machine.ts'
import { CHALLENGE_LIFETIME } from './limits.ts'

/**
 * Bytes of a record with a PATH_CHALLENGE. Only a record of at least this size is answered by one:
 * an address that is not validated gets no more than it sent.
 */
export const CHALLENGE_RECORD_BYTES: number = RECORD_OVERHEAD + 1 + CHALLENGE_BYTES

export class PathValidation {
  /** One at a time: more would be a way to make this peer send. */
  #challenge: { readonly token: Uint8Array; readonly to: Route; readonly sentAt: Instant } | undefined

  /** The token of a challenge to a new address; undefined while another one is open. */
  start(to: Route, random: Random, now: Instant): Uint8Array | undefined {
    if (this.#challenge !== undefined && later(this.#challenge.sentAt, CHALLENGE_LIFETIME) > now) return undefined
    const token = random.bytes(CHALLENGE_BYTES)
    this.#challenge = { token, to, sentAt: now }
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
    return challenge.to
  }
}

/** The frames of a record with a challenge or a response alone. */
export function pathFrame(type: 'pathChallenge' | 'pathResponse', token: Uint8Array): Uint8Array {
  const payload = new Uint8Array(1 + CHALLENGE_BYTES)
  const writer = new FrameWriter()
  writer.reset(payload, payload.length)
  writer.token(FRAME[type], token)
  return payload
}
