/**
 * Where a relay of the configuration is: all addresses of its name are tried, one after the other
 * (RFC 8305), until it is registered at one. The name is looked up again when that does not answer
 * any more. Its other addresses may be those of a fleet, of which each serves as well: when the one in use is
 * in doubt, is lost, or drains, they are tried at once.
 */
import {
  type Address,
  canonicalIp,
  type Endpoint,
  formatEndpoint,
  ipFamily,
  type PeerId,
  type Ticket,
  websocketUrl,
} from '@showchain/wire'
import type { RelayAddress } from './core/index.ts'
import { NameSearch, type Names } from './names.ts'
import { onlyOf, type Reachability } from './reachability.ts'
import type { RelayEvent } from './relay-event.ts'
import type { Scheduled } from './runtime/clock.ts'

/** RFC 8305 §5: Connection Attempt Delay. */
export const ATTEMPT_DELAY = 250

export interface RelayLocatorOptions {
  readonly id: PeerId
  readonly address: Address
  /** Its IP address of the other family, where the first one is no name. */
  readonly further: Address | undefined
  readonly names: Names
  readonly reachability: Pick<Reachability, 'reachesRelay' | 'preferred' | 'meant' | 'reached'>
  /** @param other the relay's address of the other IP family, if it has one that this host reaches */
  register(endpoint: Endpoint, other: Endpoint | undefined): void
  /** Leaves the relay there, as soon as no connection needs it. */
  leave(endpoint: Endpoint): void
  /** There is no address to try. */
  failed(why: string): void
}

interface Tried {
  readonly endpoint: Endpoint
  state: 'trying' | 'failed' | 'registered'
}

export class RelayLocator {
  readonly id: PeerId
  readonly #options: RelayLocatorOptions
  readonly #search: NameSearch
  /** By text; bounded by the addresses of a name and the former ones that are still registered. */
  readonly #tried = new Map<string, Tried>()
  #next: readonly Endpoint[] = []
  /** What the name led to last. */
  #named: readonly Endpoint[] = []
  /** Another address is to take over from the one where it is registered. */
  #moving = false
  #timer: Scheduled | undefined
  /** Ends the wait for the prefix of a NAT64, before the search. */
  #begins: Scheduled | undefined
  /** The name gave nothing when it was looked up last. */
  #nowhere = false

  constructor(options: RelayLocatorOptions) {
    const { id, names, address } = options
    this.id = id
    this.#options = options
    this.#search = new NameSearch({
      ...{ names, address },
      needed: () => !this.registered,
      found: (endpoints) => this.#found(endpoints),
      failed: (why) => this.#fail(why),
    })
  }

  start(): void {
    const { names, further } = this.#options
    if (further === undefined || names.isAtHand(further)) return this.#search.start()
    // Its other address is one of IPv4: whether this network has a NAT64 to it is known when it is asked there.
    const search = (): void => {
      patience.cancel()
      if (this.#begins === patience) this.#search.start()
      this.#begins = undefined
    }
    const patience = names.after(ATTEMPT_DELAY, search)
    this.#begins = patience
    void names.nat64.find().then(search)
  }

  get registered(): boolean {
    return [...this.#tried.values()].some(({ state }) => state === 'registered')
  }

  /** Whether everything failed that there is to try. */
  get failed(): boolean {
    const states = [...this.#tried.values()].map(({ state }) => state)
    return this.#next.length === 0 && (states.length > 0 || this.#nowhere) && states.every((each) => each === 'failed')
  }

  /** What became of a registration of this peer's. */
  on({ at, state }: Pick<RelayEvent, 'at' | 'state'>): void {
    const tried = at && this.#tried.get(formatEndpoint(at))
    if (tried === undefined || state === 'limited') return
    if (state === 'draining') return this.#move()
    if (state === 'registered') return this.#settle(tried)
    // One that is lost is asked again at once, which may be all that it needs.
    tried.state = state === 'lost' ? 'trying' : 'failed'
    if (this.registered) return
    if (state === 'failed') this.#tryNext()
    else this.#move()
    this.#search.again()
  }

  /** The relay there does not answer, and may be lost soon: another address of the name is tried beside it. */
  doubt(at: Endpoint): void {
    if (this.#tried.get(formatEndpoint(at))?.state === 'registered') this.#move()
  }

  close(): void {
    this.#begins?.cancel()
    this.#begins = undefined
    this.#search.stop()
    this.#timer?.cancel()
  }

  #move(): void {
    const next = this.#named.filter((endpoint) => !this.#tried.has(formatEndpoint(endpoint)))
    if (next.length === 0) return
    this.#next = next
    this.#moving = true
    this.#tryNext()
  }

  #settle(registered: Tried): void {
    this.#moving = false
    registered.state = 'registered'
    this.#search.settled()
    this.#timer?.cancel()
    this.#next = []
    for (const tried of this.#tried.values()) if (tried !== registered) this.#leave(tried)
  }

  #leave({ endpoint }: Tried): void {
    this.#tried.delete(formatEndpoint(endpoint))
    this.#options.leave(endpoint)
  }

  #fail(why: string): void {
    this.#nowhere = true
    if (this.#tried.size === 0) this.#options.failed(why)
  }

  #found(endpoints: readonly Endpoint[]): void {
    const { further, reachability } = this.#options
    // A resolver has an order of its own.
    const beside = literals(further === undefined ? [] : [further]).map((each) => reachability.reached(each))
    const all = further === undefined ? endpoints : reachability.preferred([...endpoints, ...beside])
    const usable = all.filter((endpoint) => reachability.reachesRelay(endpoint))
    if (usable.length === 0) {
      const [lacking] = all.map(({ ip }) => ipFamily(ip))
      this.#fail(`${this.#options.address.host} ${lacking === undefined ? 'has no address' : onlyOf(lacking)}`)
      return this.#search.again()
    }
    this.#nowhere = false
    const named = new Set(usable.map(formatEndpoint))
    // It moved: what it had before is left, once nothing answers there.
    for (const [text, tried] of this.#tried) if (!named.has(text) && tried.state === 'failed') this.#leave(tried)
    this.#named = alternating(usable)
    this.#next = this.#named.filter((endpoint) => !this.#tried.has(formatEndpoint(endpoint)))
    this.#tryNext()
  }

  #tryNext(): void {
    const [endpoint, ...rest] = this.#next
    this.#timer?.cancel()
    if (endpoint === undefined || (this.registered && !this.#moving)) return
    this.#next = rest
    this.#tried.set(formatEndpoint(endpoint), { endpoint, state: 'trying' })
    if (rest.length > 0) this.#timer = this.#options.names.after(ATTEMPT_DELAY, () => this.#tryNext())
    const meant = (each: Endpoint): Endpoint => this.#options.reachability.meant(each)
    this.#options.register(endpoint, otherOf(meant(endpoint), this.#named.map(meant)))
  }
}

/**
 * The relay of a ticket at one endpoint of its address.
 * @param other @see RelayAddress
 * @param further @see RelayAddress
 */
export const addressOf = (
  { id, address: { host }, websocket }: Ticket['relays'][number],
  endpoint: Endpoint,
  other?: Endpoint,
  further?: readonly Endpoint[],
): RelayAddress => ({
  ...{ id, endpoint, other, further },
  websocket: websocketUrl(canonicalIp(host) === undefined ? host : endpoint.ip, websocket),
})

/** The first of another IP family. */
export const otherOf = ({ ip }: Endpoint, all: readonly Endpoint[]): Endpoint | undefined =>
  all.find((each) => ipFamily(each.ip) !== ipFamily(ip))

/** The endpoints of addresses that are no names. */
export const literals = (addresses: readonly Address[]): readonly Endpoint[] =>
  addresses.flatMap(({ host, port }) => {
    const ip = canonicalIp(host)
    return ip === undefined ? [] : [{ ip, port }]
  })

/** Families alternate, from that of the first (RFC 8305 §4). */
export function alternating(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const [first] = endpoints
  const same = endpoints.filter(({ ip }) => first !== undefined && ipFamily(ip) === ipFamily(first.ip))
  const others = endpoints.filter((endpoint) => !same.includes(endpoint))
  return Array.from({ length: Math.max(same.length, others.length) }, (_, at) => [same[at], others[at]])
    .flat()
    .filter((endpoint) => endpoint !== undefined)
}
