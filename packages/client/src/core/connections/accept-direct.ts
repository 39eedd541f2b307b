/** A 0x101 of another peer was answered: it may use the session that both ends derive from it. */
import { directSession, type PublicKey } from '@showchain/crypto/core'
import { CAPS } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { isProven } from '../endpoint/allowance.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import type { DirectRequest } from '../requests/direct-answer.ts'
import type { ConnectionTable } from './connection-table.ts'

/**
 * @param found whether it is a path at once; else data shows that it is one
 * @returns whether the sender may have a direct path
 */
export function acceptDirect(
  { provider, self }: PeerContext,
  connections: ConnectionTable,
  { id, seq, ts, ext }: DirectRequest,
  { key, source, found }: { readonly key: PublicKey; readonly source: Route; readonly found: boolean },
  now: Instant,
): boolean {
  if (!connections.admits(id)) return false
  const connection = connections.open(id)
  if (!connection.paths.allowsDirect) return false
  const session = directSession(provider, { requester: id, responder: self, seq, ts })
  connection.update(({ direct }) => {
    // Who makes a hello takes records there.
    direct.learnCaps(ext?.caps ?? (ext?.hello && CAPS.directData))
    // A path that works is not left for an address that has not proved itself.
    if (found && (isProven(source) || !direct.proven))
      direct.found(session, source, key, 'the remote peer connected directly', now)
    else direct.expect(session, source, key)
  }, now)
  return true
}
