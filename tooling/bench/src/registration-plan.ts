/**
 * Registrations with everything that belongs to them (0x101, 0x1F1, 0x101 with the cookie, 0x102).
 * The first request is signed beforehand; the second one when its cookie came, since a cookie counts
 * once. Each peer goes from one address to the next and begins again, since only a new address is
 * challenged, and each of them once a second.
 */
import { decode, OP } from '@showchain/wire'
import type { Actor } from './actors.ts'

/** Addresses of each peer. */
export const PLACES = 60

/** One registration from one of the peer's addresses. */
export interface Step {
  readonly place: number
  /** Without a cookie: what is challenged. */
  readonly first: Uint8Array
  /** What answers the challenge. */
  second(challenge: Uint8Array): Uint8Array
}

export function planSteps(peer: Actor, relay: Actor, count: number): readonly Step[] {
  const key = peer.identity.publicKey.spki
  return Array.from({ length: count }, (_, index) => ({
    place: index % PLACES,
    first: peer.registration(relay.id, Date.now(), { key }),
    second: (challenge) => peer.registration(relay.id, Date.now(), { key, cookie: cookieIn(challenge) }),
  }))
}

function cookieIn(challenge: Uint8Array): Uint8Array {
  const answer = decode(challenge)
  if (!answer.ok || answer.message.op_code !== OP.challenge) throw new Error('The relay did not challenge.')
  return answer.message.cookie
}
