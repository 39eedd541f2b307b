/** Hellos of a peer's connections: in the requests of others, and in the answers to this peer's dials. */
import type { PeerId, SessionId } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Registration } from '../relays/registration.ts'
import type { AnsweredHello, Greeting } from '../secure/hello.ts'
import { proofOf } from '../secure/path-probing.ts'
import type { ConnectionMachine } from './connection-machine.ts'
import type { ConnectionTable } from './connection-table.ts'

/** A hello in a request of a peer that was let in. @see HelloExchange.answer */
export function answerHello(
  connections: ConnectionTable,
  peer: PeerId,
  value: Uint8Array | undefined,
  stamp: Stamp,
  now: Instant,
): AnsweredHello | undefined {
  if (value === undefined || !connections.admits(peer)) return undefined
  const connection = connections.get(peer)
  if (connection === undefined) return connections.meet(peer, value, stamp, now)
  return connection.update((_, secure) => secure?.agree((keys) => keys.answer(value, stamp, now), now), now)
}

/** The remote peer answered a request of this peer's dial. @see KeyAgreement.greeted */
export function takeAnswer(
  connection: ConnectionMachine,
  answer: Uint8Array | undefined,
  now: Instant,
): Greeting | undefined {
  return connection.update((_, secure) => secure?.agree((keys) => keys.greeted(answer), now), now)
}

/**
 * The remote peer answered at its address: what leaves on that path first shows that it is there.
 * @param proof the signature of the answer, if it had a hello: to repeat it shows that this end receives there
 */
export function showPath(
  connections: ConnectionTable,
  peer: PeerId,
  proof: Uint8Array | undefined,
  now: Instant,
): void {
  connections.get(peer)?.update(({ direct }, secure) => {
    if (proof === undefined) direct.announce(now)
    else if (direct.session !== undefined) secure?.prove(direct.session, proofOf(proof), now)
  }, now)
}

/**
 * Both ends agreed in the session of an introduction.
 * @returns whether it is a path: its relay forwards in it, and may carry records of both ends
 */
export function introduced(
  connection: ConnectionMachine | undefined,
  { mayRelay }: Greeting,
  session: SessionId,
  registration: Registration,
  now: Instant,
): boolean {
  if (connection?.paths.allowsRelay !== true || !mayRelay || !registration.introduces) return false
  connection.update(({ relayed }) => relayed.introduced(session, registration), now)
  return true
}
