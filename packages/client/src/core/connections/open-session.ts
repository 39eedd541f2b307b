/**
 * A session that a relay granted to this end: a message that the remote peer acknowledges, since a
 * session alone does not show that it is there. It is the first of the handshake, or an empty one.
 */
import { type SessionId, sessionIdToBytes } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { Sent } from '../messages/outgoing-message.ts'
import type { Registration } from '../relays/registration.ts'
import type { ConnectionMachine } from './connection-machine.ts'

const NO_BYTES = new Uint8Array(0)

export function openSession(
  connection: ConnectionMachine,
  session: SessionId,
  registration: Registration,
  opened: Sent,
  now: Instant,
): void {
  connection.update(({ relayed }, secure) => {
    const id = sessionIdToBytes(session)
    const first = secure?.agree((keys) => keys.begin(id, now), now) ?? NO_BYTES
    relayed.open(session, registration, first, opened, now)
  }, now)
}
