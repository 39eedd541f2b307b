/**
 * Which addresses and relays of a ticket this host can reach, and where this peer itself can be
 * reached.
 */
import {
  type Address,
  type Endpoint,
  formatEndpoint,
  formatTicket,
  ipFamily,
  MAX_TICKET_ROUTES,
  type PeerId,
  type Ticket,
} from '@showchain/wire'
import type { AddressPolicy, RelayAddress } from './core/index.ts'
import { relayAddress } from './options.ts'
import type { DatagramSocket, Runtime } from './runtime/index.ts'
import { chosenAddresses, localCandidates } from './runtime/local-candidates.ts'

export interface OwnTicket {
  readonly id: PeerId
  /** Relays that are not known to be unreachable. */
  readonly relays: readonly Ticket[]
  readonly announce: readonly Address[]
  /**
   * Whether any relay is configured: then the ticket names no address that only this network
   * reaches.
   */
  readonly relayed: boolean
}

/** What a ticket offers and this host can use. */
export interface Offer<Place> {
  readonly found: readonly Place[]
  /** What the address policy forbids, as text. */
  readonly forbidden: readonly string[]
}

export interface ReachabilityOptions {
  readonly runtime: Runtime
  readonly socket: DatagramSocket
  readonly allows: AddressPolicy
}

export class Reachability {
  readonly #runtime: Runtime
  readonly #socket: DatagramSocket
  readonly #allows: AddressPolicy
  /** Relays of the configuration, as text: whoever runs this peer has named them. */
  readonly #own = new Set<string>()

  constructor({ runtime, socket, allows }: ReachabilityOptions) {
    this.#runtime = runtime
    this.#socket = socket
    this.#allows = allows
  }

  /** Host candidates of this peer's socket. */
  get candidates(): readonly Endpoint[] {
    return localCandidates(this.#socket.localEndpoints, this.#runtime.localAddresses())
  }

  /** The endpoint of a configured relay: the first whose address family has a socket. */
  own(endpoints: readonly Endpoint[]): Endpoint | undefined {
    const endpoint = this.first(endpoints)
    if (endpoint !== undefined) this.#own.add(formatEndpoint(endpoint))
    return endpoint
  }

  /** The first endpoint whose address family has a socket. */
  first(endpoints: readonly Endpoint[]): Endpoint | undefined {
    return endpoints.find((endpoint) => this.#reaches(endpoint))
  }

  /** A ticket comes from a stranger. @throws ShowchainError `ERR_CANNOT_RESOLVE` */
  async addressesOf({ addresses }: Ticket): Promise<Offer<Endpoint>> {
    const resolved = await Promise.all(addresses.map((address) => this.#runtime.resolve(address)))
    return this.#allowed(
      resolved.flat().filter((endpoint) => this.#reaches(endpoint)),
      (endpoint) => endpoint,
    )
  }

  /** @throws ShowchainError `ERR_CANNOT_RESOLVE` */
  async relaysOf({ relays }: Ticket, self: PeerId): Promise<Offer<RelayAddress>> {
    const found = await Promise.all(
      relays.map(async ({ id, address }) => ({ id, endpoint: this.first(await this.#runtime.resolve(address)) })),
    )
    return this.#allowed(
      found.filter((relay): relay is RelayAddress => relay.endpoint !== undefined && relay.id !== self),
      ({ endpoint }) => endpoint,
    )
  }

  #allowed<Place>(places: readonly Place[], endpointOf: (place: Place) => Endpoint): Offer<Place> {
    const allowed = (place: Place): boolean =>
      this.#own.has(formatEndpoint(endpointOf(place))) || this.#allows(endpointOf(place), false)
    const forbidden = places.filter((place) => !allowed(place))
    return { found: places.filter(allowed), forbidden: forbidden.map((place) => formatEndpoint(endpointOf(place))) }
  }

  /**
   * The ticket of this peer: its relays and the addresses at which it listens, as many as a ticket
   * takes.
   */
  ticket({ id, relays, announce, relayed }: OwnTicket): string {
    const bound = relayed ? chosenAddresses(this.#socket.localEndpoints) : this.candidates
    const addresses = [...announce, ...bound.map(({ ip, port }) => ({ host: ip, port }))]
    return formatTicket({
      id,
      relays: relays.slice(0, MAX_TICKET_ROUTES).map(relayAddress),
      addresses: addresses.slice(0, MAX_TICKET_ROUTES),
    })
  }

  #reaches({ ip }: Endpoint): boolean {
    return this.#socket.localEndpoints.some((local) => ipFamily(local.ip) === ipFamily(ip))
  }
}
