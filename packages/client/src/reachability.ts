/** Which addresses this host can reach and may send to, and where this peer itself can be reached. */
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
import { ADDRESS_POLICIES, type AddressPolicyName } from './core/index.ts'
import type { Nat64 } from './nat64.ts'
import { otherRelayAddress, relayAddress } from './options.ts'
import { chosenAddresses, localCandidates } from './runtime/local-candidates.ts'
import type { DatagramSocket } from './runtime/socket.ts'
import { isStandIn } from './runtime/stand-in.ts'

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

/** Of addresses of a family that no socket of this host has. @returns the rest of a sentence */
export const onlyOf = (family: number): string =>
  `has IPv${family} addresses only, and this host uses IPv${family === 4 ? 6 : 4} only`

export interface ReachabilityOptions {
  /** IP addresses of this host. */
  readonly localAddresses: () => readonly string[]
  readonly mapped: () => readonly Endpoint[]
  readonly nat64: Pick<Nat64, 'meant' | 'synthesised'>
  readonly socket: DatagramSocket
  readonly self: PeerId
  readonly policy: AddressPolicyName
}

export class Reachability {
  readonly #localAddresses: () => readonly string[]
  readonly #mapped: () => readonly Endpoint[]
  readonly #nat64: ReachabilityOptions['nat64']
  readonly #socket: DatagramSocket
  readonly self: PeerId
  readonly policy: AddressPolicyName
  /** Relays of the configuration, as text: whoever runs this peer has named them. */
  readonly #own = new Set<string>()

  constructor({ localAddresses, mapped, nat64, socket, self, policy }: ReachabilityOptions) {
    this.#localAddresses = localAddresses
    this.#mapped = mapped
    this.#nat64 = nat64
    this.#socket = socket
    this.self = self
    this.policy = policy
  }

  /** Host candidates of this peer's socket. */
  get candidates(): readonly Endpoint[] {
    return localCandidates(this.#socket.localEndpoints, this.#localAddresses())
  }

  /** Where everybody outside reaches it, since a router maps its port. */
  get mapped(): readonly Endpoint[] {
    return this.#mapped()
  }

  /** A relay of the configuration is there. */
  own(endpoint: Endpoint): void {
    this.#own.add(formatEndpoint(endpoint))
  }

  /** It is not there any more. */
  disown(endpoint: Endpoint): void {
    this.#own.delete(formatEndpoint(endpoint))
  }

  isOwn(endpoint: Endpoint): boolean {
    return this.#own.has(formatEndpoint(endpoint))
  }

  /** Whether this system has UDP at all. */
  get hasUdp(): boolean {
    return this.#socket.localEndpoints.length > 0
  }

  /** Whether a ticket, which comes from a stranger, may make this peer send there. */
  allows(endpoint: Endpoint): boolean {
    // Of a name, this peer does not learn where it leads.
    if (!this.hasUdp && isStandIn(endpoint.ip)) return true
    return this.isOwn(endpoint) || ADDRESS_POLICIES[this.policy](this.meant(endpoint), false)
  }

  /** Behind a NAT64, the IPv4 endpoint that an address stands for; else the address itself. */
  meant(endpoint: Endpoint): Endpoint {
    return this.#nat64.meant(endpoint) ?? endpoint
  }

  /** Where this host sends to an endpoint. */
  reached(endpoint: Endpoint): Endpoint {
    return this.#nat64.synthesised(endpoint) ?? endpoint
  }

  /** Whether a socket has the endpoint's address family. */
  reaches({ ip }: Endpoint): boolean {
    return this.#socket.localEndpoints.some((local) => ipFamily(local.ip) === ipFamily(ip))
  }

  /** The same for a relay: without UDP it is reached by WebSocket, whatever its family. */
  reachesRelay(endpoint: Endpoint): boolean {
    return !this.hasUdp || this.reaches(endpoint)
  }

  /**
   * Those of families that this host has an address of come first, and of those IPv6 (RFC 6724); what is
   * reached through a NAT64 comes after that.
   */
  preferred(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const own = new Set<number>(this.#localAddresses().map(ipFamily))
    const familyOf = (endpoint: Endpoint): number => ipFamily(this.meant(endpoint).ip)
    const rank = (endpoint: Endpoint): number => familyOf(endpoint) + (own.has(familyOf(endpoint)) ? 10 : 0)
    return [...endpoints].sort((a, b) => rank(b) - rank(a))
  }

  /**
   * The ticket of this peer: its relays and the addresses at which it listens, as many as a ticket
   * takes.
   */
  ticket({ id, relays, announce, relayed }: OwnTicket): string {
    const bound = relayed ? chosenAddresses(this.#socket.localEndpoints) : this.candidates
    const addresses = [...announce, ...[...this.mapped, ...bound].map(({ ip, port }) => ({ host: ip, port }))]
    return formatTicket({
      id,
      relays: [...relays.map(relayAddress), ...relays.flatMap((relay) => otherRelayAddress(relay) ?? [])].slice(
        0,
        MAX_TICKET_ROUTES,
      ),
      addresses: addresses.slice(0, MAX_TICKET_ROUTES),
    })
  }
}
