/**
 * The relays that a peer is registered with: those of its configuration for good, and those that a
 * ticket names for as long as the dial or a connection needs them.
 */
import { type Endpoint, formatEndpoint, ipFamily, sameEndpoint } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Transactions } from '../requests/transaction.ts'
import { Registration } from './registration.ts'

import type { RegistrationEvent } from './registration-events.ts'
import type { RelayAddress } from './relay-route.ts'

export class RegistrationTable {
  /** By endpoint text. */
  readonly all: Map<string, Registration> = new Map()
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #borrowed = new Set<Registration>()
  /** Borrowed in place of another one, at another address of the relay. */
  readonly #spare = new Set<Registration>()
  /** Of those, which are to be left. */
  readonly #needless = new Set<Registration>()

  readonly #needed: (registration: Registration) => boolean

  /** @param needed whether a dial or a connection needs a relay */
  constructor(context: PeerContext, transactions: Transactions, needed: (registration: Registration) => boolean) {
    this.#context = context
    this.#transactions = transactions
    this.#needed = needed
  }

  at({ endpoint }: RelayAddress): Registration | undefined {
    return this.all.get(formatEndpoint(endpoint))
  }

  /** There, or at any of its addresses. */
  isRegistered({ id, endpoint }: Pick<RelayAddress, 'id'> & Partial<RelayAddress>): boolean {
    const at = endpoint === undefined ? [...this.all.values()] : [this.all.get(formatEndpoint(endpoint))]
    return at.some((each) => each?.relay.id === id && each.registered)
  }

  /** Registers, and stays registered. */
  keep(relay: RelayAddress, now: Instant): Registration {
    const registration = this.#registration(relay, false, now)
    registration.resume(now)
    this.#borrowed.delete(registration)
    return registration
  }

  /** Registers for a dial, until `release` finds that nobody needs it. */
  borrow(relay: RelayAddress, now: Instant): Registration {
    const known = this.at(relay) ?? this.#siblings(relay).find(({ serves }) => serves)
    if (known !== undefined) return known
    const registration = this.#registration(relay, true, now)
    this.#borrowed.add(registration)
    return registration
  }

  /** One that was to stay is left by the next `release` that finds that nobody needs it. */
  lend(relay: RelayAddress): void {
    const known = this.at(relay)
    if (known !== undefined) this.#borrowed.add(known)
  }

  /** Leaves borrowed relays that are not needed any more. */
  release(now: Instant): void {
    for (const registration of this.#borrowed) {
      if (this.#needed(registration)) continue
      this.#leave(registration, now)
      for (const sibling of this.#siblings(registration.relay))
        if (sibling.successor === registration) sibling.resume(now)
    }
  }

  /** What happened to any of them, and to which. */
  poll(now: Instant): readonly [Registration, RegistrationEvent] | undefined {
    for (const registration of this.#needless) this.#leave(registration, now)
    this.#needless.clear()
    for (const registration of this.all.values()) {
      const event = registration.poll()
      if (event === undefined) continue
      if (event === 'registered') this.#succeed(registration)
      if (event === 'doubted' || event === 'lost' || event === 'draining') this.#tryOther(registration, now)
      return [registration, event]
    }
    return undefined
  }

  /** One that only a ticket named, by several addresses: nobody else looks for it there. */
  #tryOther(registration: Registration, now: Instant): void {
    const { relay, successor } = registration
    if (!this.#borrowed.has(registration) || successor !== undefined) return
    const { endpoint, other, further = [] } = relay
    const all = other === undefined ? further : [other, ...further]
    const at = all.find((each) => this.#hasFamilyOf(each) && !this.all.has(formatEndpoint(each)))
    if (at === undefined) return
    const left = [...all.filter((each) => each !== at), endpoint]
    const beside = left.find(({ ip }) => ipFamily(ip) !== ipFamily(at.ip))
    const place = { endpoint: at, other: beside, further: left.filter((each) => each !== beside) }
    const spare = this.#registration({ ...relay, ...place }, true, now)
    this.#borrowed.add(spare)
    this.#spare.add(spare)
  }

  #hasFamilyOf(endpoint: Endpoint): boolean {
    return this.#context.hostCandidates().some(({ ip }) => ipFamily(ip) === ipFamily(endpoint.ip))
  }

  /** Whether another address of its relay has this peer, or is about to: a spare one is not needed then. */
  #held(registration: Registration): boolean {
    const held = this.#siblings(registration.relay).some(holds)
    if (held && this.#spare.has(registration)) this.#needless.add(registration)
    return held
  }

  #leave(registration: Registration, now: Instant): void {
    this.#borrowed.delete(registration)
    this.#spare.delete(registration)
    this.all.delete(formatEndpoint(registration.relay.endpoint))
    registration.close(now)
  }

  /** A relay, or a fleet, has one binding of this peer: the newest. */
  #succeed(registration: Registration): void {
    registration.successor = undefined
    for (const sibling of this.#siblings(registration.relay))
      if (sibling.successor === undefined && !isFirst(sibling)) sibling.supersede(registration)
  }

  /** At other addresses of the same relay. */
  #siblings({ id, endpoint }: RelayAddress): readonly Registration[] {
    return [...this.all.values()].filter(({ relay }) => relay.id === id && !sameEndpoint(relay.endpoint, endpoint))
  }

  /** This host's network changed. */
  renew(now: Instant): void {
    for (const registration of this.all.values()) registration.renew(now)
  }

  close(now: Instant): void {
    for (const registration of this.all.values()) registration.close(now)
    this.all.clear()
  }

  #registration(relay: RelayAddress, dials: boolean, now: Instant): Registration {
    const known = this.at(relay)
    if (known !== undefined) return known
    const registration: Registration = new Registration(this.#context, this.#transactions, relay, {
      needed: () => this.#needed(registration),
      // Else the one that is slower would take the binding from the one that was first.
      follows: () => registration.registered || !this.#held(registration),
    })
    this.all.set(formatEndpoint(relay.endpoint), registration)
    registration.start(now, dials)
    return registration
  }
}

/** Whether it is about to be registered, and was not before. */
const isFirst = ({ state, observed }: Registration): boolean => state === 'registering' && observed === undefined

/** Whether it is registered and answers, or is about to be: it answered what it is asked now. */
const holds = ({ reach, serves, state, suspected }: Registration): boolean =>
  serves ? !suspected : state === 'registering' && reach.challenged
