/**
 * When the router in front is asked to map the port of a peer, and what is made of it: from the first
 * registration over UDP until the peer closes, and again when relays see it elsewhere or the network
 * changed. The requests have a socket of their own.
 */
import { type Endpoint, ipFamily, type PeerId, sameEndpoint } from '@showchain/wire'
import type { PathPolicy } from '../core/context/events.ts'
import { type AddressPolicy, isPrivate } from '../core/endpoint/address-policy.ts'
import type { UpnpAnswer, UpnpTask } from '../core/nat/mapping-exchange.ts'
import type { MappingPlace, NoMapping, PortMapper, PortMapperEvent, PortMapping } from '../core/nat/port-mapper.ts'
import { Driver } from './driver.ts'
import type { Runtime } from './runtime.ts'
import type { UpnpPort } from './upnp/upnp-port.ts'
import { NO_WORKER } from './worker.ts'

/** What `inspect()` says of it. */
export type PortMappingInspection = PortMapping & {
  /** Datagrams that were sent to the router, and tasks of UPnP. */
  readonly requests: number
  /** Datagrams that answer none of them. */
  readonly ignored: number
}

/** Makes what asks the router. */
export type MakeMapper = (...how: ConstructorParameters<typeof PortMapper>) => PortMapper

/** Whose port is to be mapped, and who is told. */
export interface PortMappingOptions {
  /** Whether it is wanted. */
  readonly portMapping: boolean
  readonly policy: PathPolicy
  /** Addresses that others may be told to send to. */
  readonly allows: AddressPolicy
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'localAddresses' | 'gateway' | 'openExtraSocket' | 'openUpnp'>
  /** Where the peer listens. */
  readonly listens: () => readonly Endpoint[]
  readonly makeMapper: MakeMapper
  /** It is in another state. */
  changed(mapping: PortMapping): void
  /** It is mapped at another address than before. */
  reachable(): void
}

type NotMapped = Extract<PortMapping, { state: 'none' }>
const none = (cause: NoMapping, why: string): NotMapped => ({ state: 'none', cause, why })

/** What a relay says of a registration. */
interface RelayNews {
  readonly relay: PeerId
  readonly state: string
  readonly observed?: Endpoint | undefined
  readonly over?: 'udp' | 'websocket' | undefined
}

export class PortMappingOfPeer {
  readonly #options: PortMappingOptions
  /** Where it is seen, by relay or address of one: two for each registration at most. */
  readonly #observed = new Map<string, Endpoint>()
  #mapping: PortMapping
  #driver: Driver<PortMapper> | undefined
  #machine: PortMapper | undefined
  #released: () => void = () => {}
  #upnp: Promise<UpnpPort> | undefined
  /** Ends the task of UPnP that is under way. */
  #task = new AbortController()

  constructor(options: PortMappingOptions) {
    this.#options = options
    this.#mapping = this.#never ?? none('not asked', 'no relay has said yet where it sees this host')
  }

  /** What became of it. */
  get mapping(): PortMapping {
    return this.#mapping
  }

  inspect(): PortMappingInspection {
    return { ...this.#mapping, ...(this.#machine?.counters ?? { requests: 0, ignored: 0 }) }
  }

  /** Where this peer is reached from outside by the mapping. */
  get addresses(): readonly Endpoint[] {
    return this.#mapping.state === 'mapped' ? [this.#mapping.external] : []
  }

  /** Asks again. */
  networkChanged(): void {
    const place = this.#place()
    if (!('state' in place)) {
      const observed = [...new Set([...this.#observed.values()].map(({ ip }) => ip))]
      this.#driver ??= this.#open()
      return this.#driver.input((machine, now) => machine.ask(place, observed, now))
    }
    if (this.#driver === undefined) this.#on({ type: 'mapping', mapping: place })
    else this.#driver.input((machine) => machine.leave(place.cause, place.why))
  }

  /** Removes the mapping, as far as the router answers at once. */
  async close(): Promise<void> {
    const driver = this.#driver
    if (driver === undefined) return
    await new Promise<void>((resolve) => {
      this.#released = resolve
      driver.input((machine, now) => machine.release(now))
    })
    this.#task.abort()
    await driver.close()
  }

  /** What became of a registration: while there is one over UDP, its relay sees this peer somewhere. */
  relay({ relay, state, observed, over }: RelayNews): void {
    if (state !== 'draining' && state !== 'limited') this.seen(relay, over === 'udp' ? observed : undefined)
  }

  /** @param by a relay, or an address of one @param observed undefined: it is not seen there any more */
  seen(by: string, observed: Endpoint | undefined): void {
    const known = this.#observed.get(by)
    if (observed === undefined || ipFamily(observed.ip) === 6) return void this.#observed.delete(by)
    this.#observed.set(by, observed)
    const others = [...this.#observed].some(([each, { ip }]) => each !== by && ip === observed.ip)
    // Another port is that of another mapping of the router, which may have lost this one, too.
    if (known === undefined ? !others : !sameEndpoint(known, observed)) this.networkChanged()
  }

  /** Why it will not be tried, whatever the network is. */
  get #never(): NotMapped | undefined {
    const { portMapping, policy } = this.#options
    if (!portMapping) return none('not asked', 'it is switched off')
    return policy === 'relay-only' ? none('not asked', 'this peer shows nobody its address') : undefined
  }

  /** Whom to ask for what; or why nobody is asked. */
  #place(): MappingPlace | NotMapped {
    const { runtime, allows, listens } = this.#options
    const never = this.#never
    if (never !== undefined) return never
    const local = runtime.localAddresses()
    const outside = [...this.#observed.values()].filter(
      (endpoint) => allows(endpoint, false) && !isOwn(endpoint, local),
    )
    if (this.#observed.size === 0) return none('not asked', 'no relay says where it sees this host over IPv4')
    if (outside.length === 0) return none('needless', 'there is no NAT between this host and its relays')
    const gateway = runtime.gateway?.()
    if (gateway === undefined || !isPrivate(gateway.local))
      return none('not asked', 'the router of this network is not known')
    const bound = listens().find(({ ip }) => ip === gateway.local || ip === '0.0.0.0')
    if (bound === undefined) return none('not asked', 'this peer does not listen on the network of the router')
    return { gateway: gateway.ip, local: gateway.local, port: bound.port }
  }

  #open(): Driver<PortMapper> {
    const { runtime, allows, makeMapper } = this.#options
    const machine = makeMapper(runtime.random, allows, runtime.openUpnp !== undefined)
    this.#machine = machine
    return new Driver({
      ...{ machine, clock: runtime.clock, worker: NO_WORKER },
      // Without a socket the router is silent.
      socket: runtime.openExtraSocket(() => {}),
      onEvent: (event) => this.#on(event),
    })
  }

  #on(event: PortMapperEvent): void {
    if (event.type === 'released') return this.#released()
    if (event.type === 'upnp') return void this.#do(event.gateway, event.task)
    const [before] = this.addresses
    this.#mapping = event.mapping
    this.#options.changed(event.mapping)
    const [after] = this.addresses
    if (after !== undefined && (before === undefined || !sameEndpoint(before, after))) this.#options.reachable()
  }

  /** A task ends the one before. */
  async #do(gateway: string, { id, request }: UpnpTask): Promise<void> {
    this.#task.abort()
    this.#task = new AbortController()
    const { signal } = this.#task
    this.#upnp ??= this.#options.runtime.openUpnp?.()
    const upnp = await this.#upnp?.catch(() => undefined)
    if (signal.aborted) return
    let answer: UpnpAnswer = { type: 'removed' }
    if (request === undefined) await upnp?.remove(signal)
    else answer = (await upnp?.map(gateway, request, signal)) ?? { type: 'silent' }
    if (!signal.aborted) this.#driver?.input((machine, now) => machine.upnp(id, answer, now))
  }
}

const LOOPBACK = /^127\./
const isOwn = ({ ip }: Endpoint, local: readonly string[]): boolean => LOOPBACK.test(ip) || local.includes(ip)
