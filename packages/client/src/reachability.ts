/**
 * Which addresses and relays of a ticket this host can reach, and where this peer itself can be
 * reached.
 */
import {
  type Address,
  type Endpoint,
  formatTicket,
  ipFamily,
  MAX_TICKET_ROUTES,
  type PeerId,
  type Ticket,
} from '@showchain/wire'
import type { RelayAddress } from './core/index.ts'
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

export class Reachability {
  readonly #runtime: Runtime
  readonly #socket: DatagramSocket

  constructor(runtime: Runtime, socket: DatagramSocket) {
    this.#runtime = runtime
    this.#socket = socket
  }

  /** Host candidates of this peer's socket. */
  get candidates(): readonly Endpoint[] {
    return localCandidates(this.#socket.localEndpoints, this.#runtime.localAddresses())
  }

  /** The first endpoint whose address family has a socket. */
  first(endpoints: readonly Endpoint[]): Endpoint | undefined {
    return endpoints.find((endpoint) => this.#reaches(endpoint))
  }

  /** @throws ShowchainError `ERR_CANNOT_RESOLVE` */
  async addressesOf({ addresses }: Ticket): Promise<readonly Endpoint[]> {
    const resolved = await Promise.all(addresses.map((address) => this.#runtime.resolve(address)))
    return resolved.flat().filter((endpoint) => this.#reaches(endpoint))
  }

  /** @throws ShowchainError `ERR_CANNOT_RESOLVE` */
  async relaysOf({ relays }: Ticket, self: PeerId): Promise<readonly RelayAddress[]> {
    const found = await Promise.all(
      relays.map(async ({ id, address }) => ({ id, endpoint: this.first(await this.#runtime.resolve(address)) })),
    )
    return found.filter((relay): relay is RelayAddress => relay.endpoint !== undefined && relay.id !== self)
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
