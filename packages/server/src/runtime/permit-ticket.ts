/** Tickets of a relay that let their holder in (docs/protocol.md, Permits). */
import { nodeRuntime, type Runtime } from '@showchain/client/runtime'
import { type Identity, Permits, type PermitTerms } from '@showchain/crypto'
import { formatTicket, parseTicket, ShowchainError, toBase64url } from '@showchain/wire'

/**
 * The ticket of a relay with a permit, for relays that are opened with `permits`.
 * @param identity that of the relay
 * @param ticket what it printed
 * @throws ShowchainError `ERR_BAD_TICKET`, also when it is that of another relay; `ERR_BAD_ARGUMENT`
 */
export function permitTicket(
  identity: Identity,
  ticket: string,
  terms: PermitTerms,
  { provider, random }: Runtime = nodeRuntime,
): string {
  const parsed = parseTicket(ticket)
  if (parsed.id !== identity.id)
    throw new ShowchainError('ERR_BAD_TICKET', `It is that of ${parsed.id}, and the relay is ${identity.id}.`)
  if (parsed.relays.length > 0) throw new ShowchainError('ERR_BAD_TICKET', 'It is that of a peer, and not of a relay.')
  const permit = toBase64url(new Permits(provider, identity).issue(random, terms))
  return formatTicket({ ...parsed, permit })
}
