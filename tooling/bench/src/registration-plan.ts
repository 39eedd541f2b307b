/**
 * Registrations with everything that belongs to them (0x101, 0x1F1, 0x101 with the cookie, 0x102),
 * signed beforehand. A cookie follows from source, id and op, so the one that a relay gave once is
 * the one that it gives again; each peer goes to and fro between two addresses, since only a new
 * address is challenged.
 */
import { decode, OP } from '@showchain/wire'
import type { Actor } from './actors.ts'

/** Addresses of each peer. */
export const PLACES = 2

/** One registration from one of the peer's addresses. */
export interface Step {
  readonly place: number
  /** Without a cookie: what is challenged. */
  readonly first: Uint8Array
  readonly second: Uint8Array
}

/** Brings a datagram to the relay and its answer back. */
export type AskFrom = (peer: Actor, place: number, request: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** @param cookies of this peer's addresses, by `cookiesOf`. */
export function planSteps(peer: Actor, relay: Actor, cookies: readonly Uint8Array[], count: number): readonly Step[] {
  const key = peer.identity.publicKey.spki
  return Array.from({ length: count }, (_, index) => {
    const place = index % PLACES
    const cookie = cookies[place] as Uint8Array
    return {
      place,
      first: peer.registration(relay.id, Date.now(), { key }),
      second: peer.registration(relay.id, Date.now(), { key, cookie }),
    }
  })
}

/** What the relay challenges each address of the peer with. */
export async function cookiesOf(peer: Actor, relay: Actor, ask: AskFrom): Promise<Uint8Array[]> {
  const cookies: Uint8Array[] = []
  const { spki: key } = peer.identity.publicKey
  for (let place = 0; place < PLACES; place++) {
    const answer = decode(await ask(peer, place, peer.registration(relay.id, Date.now(), { key })))
    if (!answer.ok || answer.message.op_code !== OP.challenge) throw new Error('The relay did not challenge.')
    cookies.push(answer.message.cookie)
  }
  return cookies
}
