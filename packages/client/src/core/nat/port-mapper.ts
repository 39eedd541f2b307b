/**
 * Has the router in front map a port of this host, so that anybody outside reaches it there.
 *
 *   ask ──► granted ──► judged ──► mapped ──► renewed at half ──► …
 *     │                   │          └── release ──► removed
 *     └──► refused, silent, or of no use ──► none, and why; until it is asked to ask again
 *
 * A router is trusted with nothing: what it grants counts only when the outside address that it
 * names is one at which a relay sees this host, and one that others may send to.
 */
import type { Random } from '@showchain/crypto/core'
import { type Endpoint, sameEndpoint } from '@showchain/wire'
import { type AddressPolicy, internetPolicy } from '../endpoint/address-policy.ts'
import {
  type Datagram,
  type Duration,
  duration,
  type Instant,
  later,
  type Machine,
  type Output,
} from '../endpoint/machine.ts'
import { Outbox } from '../endpoint/outbox.ts'
import { type Timer, Timers } from '../endpoint/timers.ts'
import { MappingExchange, type MappingResult, type UpnpAnswer, type UpnpTask } from './mapping-exchange.ts'
import { MAPPING_NONCE_BYTES, MAPPING_PORT, type MappingProtocol, type MappingRequest } from './mapping-messages.ts'
import { refusalWords } from './mapping-words.ts'

/** Seconds that are asked for, and the most that are believed: RFC 6886 §3.3 recommends them. */
export const MAPPING_LIFETIME = 7200
/** Seconds: what is granted for less would have to be renewed each minute (RFC 6887 §15 names it). */
export const MIN_MAPPING_LIFETIME = 120
/** Between two requests for the same place, whatever relays say meanwhile. */
export const MAPPING_ASK_GAP: Duration = duration(10_000)

/** Where a port is to be mapped. */
export interface MappingPlace {
  /** IPv4 address of the router. */
  readonly gateway: string
  /** Of this host, on the network of the router. */
  readonly local: string
  /** UDP port at which this host listens. */
  readonly port: number
}

/** What became of mapping a port. */
export type PortMapping =
  | { readonly state: 'asking' }
  | {
      readonly state: 'mapped'
      readonly protocol: MappingProtocol
      /** Where this host is reached from outside. */
      readonly external: Endpoint
      /** Seconds that the router granted, as far as they are believed. */
      readonly lifetime: number
    }
  /** `why`: half a sentence for people. */
  | { readonly state: 'none'; readonly cause: NoMapping; readonly why: string }

/**
 * - `needless`: there is no NAT
 * - `not asked`: nobody is there to ask, or this peer does not want it
 * - `silent`: the router does not answer
 * - `refused`: it maps no port
 * - `useless`: what it maps is not where relays see this host
 */
export type NoMapping = 'needless' | 'not asked' | 'silent' | 'refused' | 'useless'

export type PortMapperEvent =
  | { readonly type: 'mapping'; readonly mapping: PortMapping }
  /** For the owner to do; `upnp` takes what became of it. */
  | { readonly type: 'upnp'; readonly gateway: string; readonly task: UpnpTask }
  /** What `release` began is over. */
  | { readonly type: 'released' }

interface Held {
  readonly protocol: MappingProtocol
  readonly external: Endpoint
  readonly expires: Instant
}

export class PortMapper implements Machine<PortMapperEvent> {
  readonly #random: Random
  readonly #allows: AddressPolicy
  readonly #outbox = new Outbox<PortMapperEvent>()
  readonly #timers = new Timers()
  readonly #exchange: MappingExchange
  /** The protocols that are tried. */
  readonly #tried: string
  #place: MappingPlace | undefined
  /** Addresses at which relays see this host. */
  #observed: readonly string[] = []
  /** One for each place (RFC 6887 §11.2). */
  #nonce: Uint8Array = new Uint8Array(MAPPING_NONCE_BYTES)
  /** That the router of the place speaks. */
  #protocol: MappingProtocol | undefined
  #held: Held | undefined
  /** Renews, or asks again when the gap is over. */
  #next: Timer | undefined
  #asked: Instant | undefined
  #requests = 0
  #ignored = 0

  /**
   * @param allows addresses that others may be told to send to
   * @param upnp whether the owner does tasks of UPnP
   */
  constructor(random: Random, allows: AddressPolicy, upnp: boolean) {
    this.#random = random
    this.#allows = allows
    this.#tried = upnp ? 'PCP, NAT-PMP nor UPnP' : 'PCP nor NAT-PMP'
    this.#exchange = new MappingExchange({
      ...{ random, timers: this.#timers },
      send: (bytes) => this.#send(bytes),
      upnp: upnp ? (task) => this.#sendTask(task) : undefined,
      done: (result, now) => this.#take(result, now),
    })
  }

  get deadline(): Instant | undefined {
    return this.#timers.deadline
  }

  /** Requests that were sent, tasks of UPnP among them, and datagrams that answer none of them. */
  get counters(): { readonly requests: number; readonly ignored: number } {
    return { requests: this.#requests, ignored: this.#ignored }
  }

  poll(): Output<PortMapperEvent> | undefined {
    return this.#outbox.poll()
  }

  wake(now: Instant): void {
    this.#timers.wake(now)
  }

  /** Asks the router of a place. @param observed addresses at which relays see this host */
  ask(place: MappingPlace, observed: readonly string[], now: Instant): void {
    this.#observed = observed
    if (!samePlace(this.#place, place)) this.#move(place)
    else if (this.#held !== undefined) this.#judge(this.#held.external)
    const due = this.#asked === undefined ? now : later(this.#asked, MAPPING_ASK_GAP)
    if (due <= now) this.#request(now)
    else this.#later(due, (at) => this.#request(at))
  }

  /** There is nobody to ask, or no reason to. What a router has mapped it keeps until that expires. */
  leave(cause: NoMapping, why: string): void {
    this.#forget()
    this.#place = undefined
    this.#tell({ state: 'none', cause, why })
  }

  /** Removes the mapping. A `released` event follows: at once where there is none, else in half a second. */
  release(now: Instant): void {
    const protocol = this.#protocol ?? 'PCP'
    const mapped = this.#held !== undefined
    this.#next?.cancel()
    this.#held = undefined
    if (mapped) return this.#exchange.remove(this.#requestNow, protocol, now)
    // What was asked for by UPnP need not expire.
    if (this.#exchange.mayBeLeft) return this.#exchange.removeByUpnp(now)
    // A router that has not answered so far may map the port yet.
    if (this.#exchange.busy) this.#exchange.drop(this.#requestNow, protocol)
    this.#exchange.stop()
    this.#outbox.event({ type: 'released' })
  }

  receive({ bytes, source }: Datagram, now: Instant): void {
    const { gateway } = this.#place ?? {}
    // RFC 6887 §8.3, RFC 6886 §3.1: from the router itself, and from its port.
    const ofRouter = gateway !== undefined && sameEndpoint(source, { ip: gateway, port: MAPPING_PORT })
    if (!ofRouter || !this.#exchange.receive(bytes, now)) this.#ignored++
  }

  /** What became of a task. */
  upnp(id: number, answer: UpnpAnswer, now: Instant): void {
    this.#exchange.answer(id, answer, now)
  }

  #take(result: MappingResult, now: Instant): void {
    switch (result.type) {
      case 'granted':
        return this.#granted(result, now)
      case 'refused':
        return this.#fail('refused', refusalWords(result.protocol, result.code))
      case 'unusable':
      case 'silent':
        if (this.#held !== undefined) return this.#renew(this.#held.expires, now)
        if (result.type === 'unusable') return this.#fail('refused', result.why)
        return this.#fail('silent', `the router answers neither ${this.#tried}`)
      case 'removed':
        this.#forget()
        this.#outbox.event({ type: 'released' })
    }
  }

  #granted(result: Extract<MappingResult, { type: 'granted' }>, now: Instant): void {
    const { protocol, external } = result
    this.#protocol = protocol
    if (result.lifetime < MIN_MAPPING_LIFETIME || external.port === 0)
      return this.#refuse('refused', `the router maps no port for as long as ${MIN_MAPPING_LIFETIME / 60} minutes`)
    if (!this.#judge(external)) return
    const lifetime = Math.min(result.lifetime, MAPPING_LIFETIME)
    this.#held = { protocol, external, expires: later(now, duration(lifetime * 1000)) }
    this.#tell({ state: 'mapped', protocol, external, lifetime })
    this.#renew(this.#held.expires, now)
  }

  /** Whether a mapping is of use; one that is not is removed. */
  #judge(external: Endpoint): boolean {
    const { ip } = external
    if (this.#observed.includes(ip) && this.#allows(external, false)) return true
    this.#refuse(
      'useless',
      internetPolicy(external, false)
        ? `the router says that its outside address is ${ip}, and relays see this host at ${this.#observed.join(', ')}`
        : `the outside address of the router is ${ip}, so there is another NAT between it and the internet`,
    )
    return false
  }

  /** The router need not keep what is not used. */
  #refuse(cause: NoMapping, why: string): void {
    this.#exchange.drop(this.#requestNow, this.#protocol ?? 'PCP')
    this.#fail(cause, why)
  }

  #fail(cause: NoMapping, why: string): void {
    this.#stop()
    this.#held = undefined
    this.#tell({ state: 'none', cause, why })
  }

  /** At half of what is left, until that is too short. */
  #renew(expires: Instant, now: Instant): void {
    const half = duration((expires - now) / 2)
    if (half >= (MIN_MAPPING_LIFETIME * 1000) / 2) this.#later(later(now, half), (at) => this.#request(at))
    else this.#later(expires, () => this.#fail('silent', 'the router renews the mapping no more'))
  }

  #request(now: Instant): void {
    this.#asked = now
    if (this.#held === undefined) this.#tell({ state: 'asking' })
    this.#exchange.ask(this.#requestNow, this.#protocol, now)
  }

  get #requestNow(): MappingRequest {
    const { local, port } = this.#place as MappingPlace
    const suggested = this.#held?.external ?? { ip: undefined, port }
    return { local, nonce: this.#nonce, internalPort: port, suggested, lifetime: MAPPING_LIFETIME }
  }

  #send(bytes: Uint8Array): void {
    this.#requests++
    this.#outbox.transmit({ ip: (this.#place as MappingPlace).gateway, port: MAPPING_PORT }, bytes)
  }

  #sendTask(task: UpnpTask): void {
    this.#requests++
    this.#outbox.event({ type: 'upnp', gateway: this.#place?.gateway ?? '', task })
  }

  /** Another router, another address or port of this host: what was mapped is mapped no more. */
  #move(place: MappingPlace): void {
    this.#forget()
    this.#place = place
    this.#nonce = this.#random.bytes(MAPPING_NONCE_BYTES)
    this.#asked = undefined
  }

  #forget(): void {
    this.#stop()
    this.#protocol = undefined
    this.#held = undefined
  }

  #stop(): void {
    this.#exchange.stop()
    this.#next?.cancel()
  }

  #later(at: Instant, then: (now: Instant) => void): void {
    this.#next?.cancel()
    this.#next = this.#timers.set(at, then)
  }

  #tell(mapping: PortMapping): void {
    this.#outbox.event({ type: 'mapping', mapping })
  }
}

const samePlace = (one: MappingPlace | undefined, other: MappingPlace): boolean =>
  one?.gateway === other.gateway && one.local === other.local && one.port === other.port
