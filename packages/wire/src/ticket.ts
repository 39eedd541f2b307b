/**
 * Tickets: URIs that a person gives to another to be reached. A ticket has an id, relays and
 * addresses (docs/protocol.md, Tickets):
 *
 *   showchain:<id>?relay=<relay-id>@host:port&relay=…&addr=host:port
 *   showchain:<relay-id>?addr=host:port&mailbox=<id>&permit=…   a relay's own one
 *
 * `via` follows the relay that it is about, or is in a relay's own ticket.
 *
 * IPv6 addresses are in brackets, nothing is escaped, unknown parameters are ignored.
 */
import * as z from 'zod/mini'
import { fromBase64url } from './base64url.ts'
import { splitHostPort } from './endpoint.ts'
import { ShowchainError } from './errors.ts'
import { quote } from './foreign.ts'
import { type PeerId, peerIdFromText, peerIdSchema } from './ids.ts'
import { canonicalIp } from './ip.ts'
import { MAX_PERMIT_BYTES, MAX_TICKET_LENGTH, MAX_TICKET_ROUTES, MAX_U16 } from './limits.ts'
import { formatVia, viaFrom, type WebSocketAt, websocketSchema } from './websocket.ts'

const SCHEME = 'showchain:'
/** A DNS name (RFC 1123 §2.1) of at most 253 characters. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** Resolvers read a name whose last label is a number as an IPv4 address: `127.1`, `0x7f000001`. */
const NUMBER_AT_END = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/i

/** A canonical IP address, or a host name in lower case. */
const canonicalHost = (text: string): string | undefined =>
  canonicalIp(text) ?? (HOST_NAME.test(text) && !NUMBER_AT_END.test(text) ? text.toLowerCase() : undefined)

const hostSchema = z.string().check(z.refine((host) => canonicalHost(host) === host, 'not an IP address or host name'))
/** Like an endpoint, but with an IP address or a host name. */
export const addressSchema = z.readonly(
  z.strictObject({ host: hostSchema, port: z.int().check(z.gte(1), z.lte(MAX_U16)) }),
)
/** A host, by name or IP address, and a port. */
export type Address = z.infer<typeof addressSchema>

const isPermit = (text: string): boolean => {
  const { length = 0 } = fromBase64url(text) ?? {}
  return length > 0 && length <= MAX_PERMIT_BYTES
}

const relaySchema = z.readonly(
  z.strictObject({ id: peerIdSchema, address: addressSchema, websocket: z.optional(websocketSchema) }),
)
/** Checks a ticket. */
export const ticketSchema = z
  .readonly(
    z.strictObject({
      id: peerIdSchema,
      relays: z.readonly(z.array(relaySchema).check(z.maxLength(MAX_TICKET_ROUTES))),
      addresses: z.readonly(z.array(addressSchema).check(z.maxLength(MAX_TICKET_ROUTES))),
      /** In a relay's own ticket: the peer at that relay which has its mailbox (docs/mailbox.md). */
      mailbox: z.optional(peerIdSchema),
      /** In a relay's own ticket: where it takes WebSocket connections. */
      websocket: z.optional(websocketSchema),
      /** In a relay's own ticket: what lets its holder use the relay, base64url. It is a secret. */
      permit: z.optional(z.string().check(z.refine(isPermit, 'not a permit'))),
    }),
  )
  .check(
    z.refine(({ relays, permit }) => permit === undefined || relays.length === 0, 'a permit beside relays'),
    z.refine(({ relays, mailbox }) => mailbox === undefined || relays.length === 0, 'a mailbox beside relays'),
    z.refine(
      ({ relays, websocket }) => websocket === undefined || relays.length === 0,
      'a relay of its own beside relays',
    ),
  )
/**
 * Who a peer is, and where it may be reached: through relays and at addresses (docs/protocol.md,
 * Tickets).
 */
export type Ticket = z.infer<typeof ticketSchema>

/** `host:port`, IPv6 in brackets. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/**
 * Reads `host:port` with an IP address (IPv6 in brackets) or a host name.
 * @throws ShowchainError `ERR_BAD_ENDPOINT`
 */
export function parseAddress(text: string): Address {
  const address = addressFrom(text)
  if (address === undefined)
    throw new ShowchainError('ERR_BAD_ENDPOINT', `Got ${quote(text)}; a host name may replace the ip.`)
  return address
}

function addressFrom(text: string): Address | undefined {
  const split = splitHostPort(text)
  const host = split === undefined ? undefined : canonicalHost(split.host)
  return split === undefined || host === undefined ? undefined : { host, port: split.port }
}

/** The text of a ticket, which `parseTicket` reads. */
export function formatTicket({ id, relays, addresses, mailbox, websocket, permit }: Ticket): string {
  const via = (at: WebSocketAt | undefined): string[] => (at === undefined ? [] : [`via=${formatVia(at)}`])
  const parameters = [
    ...relays.flatMap((relay) => [`relay=${relay.id}@${formatAddress(relay.address)}`, ...via(relay.websocket)]),
    ...addresses.map((address) => `addr=${formatAddress(address)}`),
    ...(mailbox === undefined ? [] : [`mailbox=${mailbox}`]),
    ...via(websocket),
    ...(permit === undefined ? [] : [`permit=${permit}`]),
  ]
  return parameters.length === 0 ? `${SCHEME}${id}` : `${SCHEME}${id}?${parameters.join('&')}`
}

/** @throws ShowchainError `ERR_BAD_TICKET`; its message names the wrong part. */
export function parseTicket(text: string): Ticket {
  if (typeof text !== 'string') throw bad(`Got ${quote(text)}.`)
  const trimmed = text.trim()
  if (trimmed.length > MAX_TICKET_LENGTH) throw bad(`It is longer than ${MAX_TICKET_LENGTH} characters.`)
  if (!trimmed.startsWith(SCHEME)) throw bad(`It must start with "${SCHEME}".`)
  const [idText = '', ...rest] = trimmed.slice(SCHEME.length).split('?')
  if (rest.length > 1) throw bad('It has more than one "?".')
  const id = peerIdFromText(idText)
  if (id === undefined) throw bad(`${quote(idText)} is not a peer id of 43 characters of base64url.`)
  const relays: Ticket['relays'][number][] = []
  const addresses: Address[] = []
  const mailboxes: PeerId[] = []
  const permits: string[] = []
  let websocket: WebSocketAt | undefined
  for (const parameter of (rest[0] ?? '').split('&')) {
    const equals = parameter.indexOf('=')
    const name = parameter.slice(0, Math.max(equals, 0))
    const value = parameter.slice(equals + 1)
    if (name === 'relay') relays.push(parseRelay(value))
    else if (name === 'addr') addresses.push(addressFrom(value) ?? throwBad(`addr=${quote(value)} is not host:port.`))
    else if (name === 'via') {
      const at = viaFrom(value) ?? throwBad(`via=${quote(value)} is not ws:port or wss:port.`)
      const relay = relays.at(-1)
      if ((relay ?? { websocket }).websocket !== undefined) throw bad('A relay has more than one "via".')
      if (relay === undefined) websocket = at
      else relays[relays.length - 1] = { ...relay, websocket: at }
    } else if (name === 'mailbox')
      mailboxes.push(peerIdFromText(value) ?? throwBad(`mailbox=${quote(value)} is not a peer id.`))
    else if (name === 'permit') {
      // It is a secret, which no message repeats.
      if (!isPermit(value)) throw bad(`The permit is not 1 to ${MAX_PERMIT_BYTES} bytes of base64url.`)
      permits.push(value)
    }
  }
  if (Math.max(relays.length, addresses.length) > MAX_TICKET_ROUTES)
    throw bad(`It names more than ${MAX_TICKET_ROUTES} relays or addresses.`)
  if (websocket !== undefined && relays.length > 0) throw bad('"via" stands after the relay that it is about.')
  if (permits.length > (relays.length > 0 ? 0 : 1))
    throw bad('A permit stands once, and in the ticket of a relay alone.')
  const [permit] = permits
  const own = { ...(websocket === undefined ? {} : { websocket }), ...(permit === undefined ? {} : { permit }) }
  const [mailbox, ...others] = mailboxes
  if (mailbox === undefined) return { id, relays, addresses, ...own }
  if (others.length + relays.length > 0) throw bad('A mailbox is named once, and in the ticket of a relay alone.')
  return { id, relays, addresses, mailbox, ...own }
}

function parseRelay(text: string): Ticket['relays'][number] {
  const at = text.indexOf('@')
  const id = peerIdFromText(text.slice(0, Math.max(at, 0)))
  const address = addressFrom(text.slice(at + 1))
  if (id === undefined || address === undefined) throw bad(`relay=${quote(text)} is not <relay-id>@host:port.`)
  return { id, address }
}

const bad = (why: string): ShowchainError => new ShowchainError('ERR_BAD_TICKET', why)
const throwBad = (why: string): never => {
  throw bad(why)
}
