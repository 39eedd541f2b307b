/**
 * Where a contact was reached last, beside the ticket that it was added with: the relay and the
 * address of the last connections, as a ticket of one route of each kind.
 */
import type { Path } from '@showchain/client'
import { formatAddress, formatTicket, MAX_TICKET_ROUTES, type PeerId, parseTicket, type Ticket } from '@showchain/wire'

export interface Known {
  readonly id: PeerId
  readonly ticket?: string | undefined
  readonly seen?: string | undefined
}

/** With what was seen last first; undefined: only the id is known. @throws ShowchainError `ERR_BAD_TICKET` */
export function reachedBy({ id, ticket, seen }: Known): Ticket | undefined {
  const known = [seen, ticket].flatMap((text) => (text === undefined ? [] : [parseTicket(text)]))
  if (known.length === 0) return undefined
  const relays = new Map(
    known.flatMap((each) => each.relays.map((relay) => [`${relay.id}@${formatAddress(relay.address)}`, relay])),
  )
  const addresses = new Map(known.flatMap((each) => each.addresses.map((address) => [formatAddress(address), address])))
  return {
    id,
    relays: [...relays.values()].slice(0, MAX_TICKET_ROUTES),
    addresses: [...addresses.values()].slice(0, MAX_TICKET_ROUTES),
  }
}

/** After a connection on this path. */
export function seenOn(path: Path, { id, seen }: Known): string {
  const { relays, addresses } = seen === undefined ? { relays: [], addresses: [] } : parseTicket(seen)
  const { ip: host, port } = path.remote
  return path.kind === 'direct'
    ? formatTicket({ id, relays, addresses: [{ host, port }] })
    : formatTicket({ id, relays: [{ id: path.relay, address: { host, port } }], addresses })
}
