/**
 * One `connect`: a dial to what the ticket names by IP address, and one more to each host name when
 * it is resolved. The first dial that succeeds gives the connection. It fails when all have.
 */
import {
  type Address,
  canonicalIp,
  type Endpoint,
  formatAddress,
  formatEndpoint,
  ipFamily,
  type PeerId,
  quote,
  ShowchainError,
  sameEndpoint,
  type Ticket,
} from '@showchain/wire'
import type { Waiting } from './async/deadline.ts'
import type { Connection } from './connection.ts'
import type { DialAttempt, DialId, DialPolicy, EarlyBytes, RelayAddress, Route } from './core/index.ts'
import type { Lan } from './lan.ts'
import type { Looked, Names } from './names.ts'
import { onlyOf, type Reachability } from './reachability.ts'
import { ATTEMPT_DELAY, addressOf, alternating, literals, otherOf } from './relay-locator.ts'
import type { Scheduled } from './runtime/clock.ts'

export interface CallOptions {
  readonly ticket: Ticket
  readonly via: DialPolicy
  readonly early: EarlyBytes | undefined
  readonly names: Names
  readonly reachability: Reachability
  /** Undefined: the hosts of this network are not asked. */
  readonly lan: Pick<Lan, 'look'> | undefined
  /** Starts a dial, which comes to `dialling`, and whose end comes to `opened` or `failed`. */
  dial(addresses: readonly Route[], relays: readonly RelayAddress[]): void
  cancel(dial: DialId): void
  /** Whether this peer is registered with a relay, at whichever of its addresses. */
  registered(relay: PeerId): boolean
}

type Way = 'direct' | 'relay'

const NOBODY_HERE = 'no host says that it is the peer'

/** Addresses of a relay's name that are kept for when the one in use is lost: a ticket is from a stranger. */
const MAX_FURTHER = 7

export class Call {
  readonly options: CallOptions
  readonly #waiting: Waiting<Connection>
  readonly #dials = new Set<DialId>()
  /** Looks and attempts that have not begun, with what gives each up. */
  readonly #later = new Set<() => void>()
  readonly #attempts: DialAttempt[] = []
  readonly #forbidden: string[] = []
  #found = { direct: 0, relay: 0 }
  /** IP families of what was left aside, as no socket has them. */
  readonly #lacking = new Set<number>()
  /** Ends looking on this network. */
  #leaveLan: (() => void) | undefined
  #unresolved = 0
  #over = false
  #starting = true

  constructor(options: CallOptions, waiting: Waiting<Connection>) {
    this.options = options
    this.#waiting = waiting
  }

  /** Dials what is known, and looks the names up. */
  start(): void {
    const { ticket, via } = this.options
    const addresses = via === 'relay-only' || via === 'punch' ? [] : ticket.addresses
    const relays = via === 'direct' ? [] : ticket.relays
    const { names } = this.options
    const isAtHand = (address: Address): boolean => names.isAtHand(address)
    const direct = literals(addresses.filter(isAtHand)).flatMap((address) => this.#usable('direct', [address]))
    const known = [...byRelay(relays).values()].map((same) =>
      this.#known(same.filter(({ address }) => isAtHand(address))),
    )
    this.#dial(
      direct,
      known.flatMap(([first]) => first ?? []),
    )
    for (const [, ...rest] of known) this.#afterAWhile(rest)
    for (const address of addresses.filter((each) => !isAtHand(each)))
      this.#look('direct', address, (endpoints) => this.#dial(this.#usable('direct', endpoints), []))
    for (const relay of relays)
      if (!isAtHand(relay.address) && (isName(relay.address) || !known.some(([first]) => first?.id === relay.id)))
        this.#look('relay', relay.address, (found) => {
          const usable = this.#relay(relay.id, found)
          this.#oneAfterTheOther(placesOf(relay, usable))
        })
    if (via !== 'relay-only' && via !== 'punch') this.#lookOnLan(direct)
    this.#starting = false
    this.#review()
  }

  dialling(dial: DialId): void {
    this.#dials.add(dial)
  }

  /** @returns false: nobody waits any more */
  opened(dial: DialId, connection: Connection): boolean {
    this.#dials.delete(dial)
    // The other dials go on: they may find a better path. What has not begun is not needed.
    this.#stop()
    return this.#waiting.resolve(connection)
  }

  /** A dial failed. */
  failed(dial: DialId, attempts: readonly DialAttempt[]): void {
    this.#dials.delete(dial)
    this.#attempts.push(...attempts)
    this.#review()
  }

  reject(error: ShowchainError): void {
    this.#stop()
    this.#waiting.reject(error)
  }

  /** Nobody waits any more, or the time is up: it fails with what was tried. */
  giveUp(): void {
    this.#giveUpLater()
    for (const dial of [...this.#dials]) this.options.cancel(dial)
    this.#review()
  }

  #giveUpLater(): void {
    for (const giveUp of [...this.#later]) giveUp()
  }

  #stop(): void {
    this.#over = true
    this.#leaveLan?.()
    this.#giveUpLater()
  }

  /**
   * Asks the hosts of this network whether they are the peer. Where one says so it is dialled as an
   * address of the ticket is, except that no policy is asked: the address is one of this network.
   * @param known what is dialled already
   */
  #lookOnLan(known: readonly Endpoint[]): void {
    const { lan, ticket } = this.options
    if (lan === undefined) return
    const silent = (): void => {
      if (!this.#later.delete(silent)) return
      this.#attempts.push({ via: 'direct', at: 'this network', state: 'failed', why: NOBODY_HERE })
      this.#review()
    }
    this.#later.add(silent)
    this.#leaveLan = lan.look(ticket.id, {
      silent,
      found: (endpoints) => {
        this.#later.delete(silent)
        this.#dial(
          endpoints.filter((each) => !known.some((other) => sameEndpoint(each, other))),
          [],
        )
        this.#review()
      },
    })
  }

  #dial(addresses: readonly Route[], relays: readonly RelayAddress[]): void {
    if (addresses.length + relays.length > 0) this.options.dial(addresses, relays)
  }

  /** @param found gets the endpoints of the name, unless it was given up before */
  #look(way: Way, address: Address, found: (endpoints: readonly Endpoint[]) => void): void {
    let giveUp = (): void => {}
    const end = (looked: Looked): void => {
      this.#later.delete(stop)
      if ('why' in looked) this.#failedToFind(way, address, looked.why)
      else found(looked.found)
      this.#review()
    }
    const stop = (): void => {
      giveUp()
      end({ found: [], why: `${address.host} is not resolved: no answer so far` })
    }
    this.#later.add(stop)
    giveUp = this.options.names.look(address, end)
  }

  #failedToFind(via: Way, address: Address, why: string): void {
    this.#unresolved++
    this.#attempts.push({ via, at: formatAddress(address), state: 'failed', why })
  }

  /** All addresses of a relay's name, each a little later than the one before it (RFC 8305). */
  #oneAfterTheOther([relay, ...rest]: readonly RelayAddress[]): void {
    if (relay === undefined) return
    this.#dial([], [relay])
    this.#afterAWhile(rest)
  }

  #afterAWhile(rest: readonly RelayAddress[]): void {
    if (rest.length === 0) return
    let timer: Scheduled | undefined
    const stop = (): void => {
      timer?.cancel()
      this.#later.delete(stop)
    }
    this.#later.add(stop)
    timer = this.options.names.after(ATTEMPT_DELAY, () => {
      stop()
      // Another of its addresses leads to the same registration, and to a second introduction.
      if (rest.some(({ id }) => this.options.registered(id))) this.#review()
      else this.#oneAfterTheOther(rest)
    })
  }

  /** A relay at its IP addresses, in the order in which they are tried. */
  #known(relays: Ticket['relays']): readonly RelayAddress[] {
    const [relay] = relays
    const endpoints = this.options.reachability.preferred(literals(relays.map(({ address }) => address)))
    const usable = relay === undefined ? [] : this.#relay(relay.id, endpoints)
    return usable.flatMap((endpoint) => {
      const named = relays.find(
        ({ address }) => address.port === endpoint.port && canonicalIp(address.host) === endpoint.ip,
      )
      return named === undefined ? [] : [addressOf(named, endpoint, otherOf(endpoint, usable))]
    })
  }

  /** Where a relay may be: only there, if this peer is registered with it already. */
  #relay(id: Ticket['id'], endpoints: readonly Endpoint[]): readonly Endpoint[] {
    if (id === this.options.reachability.self) return []
    const usable = alternating(this.#usable('relay', endpoints))
    const own = usable.find((endpoint) => this.options.reachability.isOwn(endpoint))
    return own === undefined ? usable : [own]
  }

  /** Those that a socket reaches and the address policy allows: a ticket comes from a stranger. */
  #usable(way: Way, endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const { reachability } = this.options
    const reached = endpoints.filter((endpoint) =>
      way === 'relay' ? reachability.reachesRelay(endpoint) : reachability.reaches(endpoint),
    )
    for (const each of endpoints) if (!reached.includes(each)) this.#lacking.add(ipFamily(each.ip))
    const usable = reached.filter((endpoint) => reachability.allows(endpoint))
    this.#forbidden.push(...reached.filter((endpoint) => !usable.includes(endpoint)).map(formatEndpoint))
    if (usable.length > 0) this.#found[way]++
    return usable
  }

  #review(): void {
    if (this.#over || this.#starting || this.#dials.size > 0 || this.#later.size > 0) return
    this.#over = true
    this.#leaveLan?.()
    this.#waiting.reject(this.#failure)
  }

  get #failure(): ShowchainError {
    const { direct, relay } = this.#found
    const asked = this.#leaveLan !== undefined && this.#forbidden.length === 0 && this.#unresolved === 0
    if (direct + relay > 0 || asked) return connectFailed(this.#attempts)
    const { via, reachability } = this.options
    if (this.#unresolved > 0 && this.#forbidden.length === 0) return connectFailed(this.#attempts, 'ERR_CANNOT_RESOLVE')
    const forbidden = this.#forbidden.join(', ')
    const not = forbidden === '' ? '' : ` The address policy forbids ${forbidden} (${quote(reachability.policy)}).`
    const [lacking] = this.#lacking
    const what =
      lacking === undefined
        ? `The ticket has ${direct} addresses and ${relay} relays that this host can reach`
        : `What the ticket names ${onlyOf(lacking)}`
    return new ShowchainError('ERR_NO_PATH', `${what}; via is ${quote(via)}.${not}`)
  }
}

/** Each relay with its addresses. */
function byRelay(relays: Ticket['relays']): ReadonlyMap<PeerId, Ticket['relays']> {
  const grouped = new Map<PeerId, Ticket['relays']>()
  for (const relay of relays) grouped.set(relay.id, [...(grouped.get(relay.id) ?? []), relay])
  return grouped
}

/** A relay at the endpoints of its name. Each knows the others: they may be those of a fleet. */
const placesOf = (relay: Ticket['relays'][number], usable: readonly Endpoint[]): readonly RelayAddress[] =>
  usable.map((endpoint) => {
    const other = otherOf(endpoint, usable)
    const further = usable.filter((each) => each !== endpoint && each !== other).slice(0, MAX_FURTHER)
    return addressOf(relay, endpoint, other, further)
  })

const isName = ({ host }: Address): boolean => canonicalIp(host) === undefined
/** What was tried and why each way failed, in one line. */
function connectFailed(
  attempts: readonly DialAttempt[],
  code: 'ERR_CONNECT_FAILED' | 'ERR_CANNOT_RESOLVE' = 'ERR_CONNECT_FAILED',
): ShowchainError {
  const tried = attempts.map(({ via, at, why }) => `${via} by ${at}: ${why}`)
  return new ShowchainError(code, `${tried.join('; ')}.`, { cause: { attempts } })
}
