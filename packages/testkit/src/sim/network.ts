/**
 * A network: stations with addresses, and paths between them that delay and lose. Whatever has an
 * address on it and takes packets is a station: a host today, a router with a second network behind
 * it as well.
 *
 *   host ── carry(packet) ──► network ── conditions of the path ──► deliver(packet) ── station
 */

import { BufferSlab, type Instant, later, type MappingRequest, type UpnpAnswer } from '@showchain/client/core'
import type { Clock } from '@showchain/client/runtime'
import { ipFamily } from '@showchain/wire'
import { type Conditions, GOOD_CONDITIONS } from './conditions.ts'
import { Line } from './line.ts'
import type { Packet } from './packet.ts'
import type { SeededRandom } from './random.ts'
import type { Fate, Timeline } from './timeline.ts'

const datagrams = new BufferSlab()

/** What has addresses on a network: a host or a router. */
export interface Station {
  /** Names it in the timeline. */
  readonly name: string
  readonly ips: readonly string[]
  /** Takes a packet whose destination is one of its addresses. */
  deliver(packet: Packet): void
  /** What a host behind it asks it by UPnP. @default it is silent */
  upnp?(request: MappingRequest): UpnpAnswer
}

/** Paths are identified by the names at their ends. */
type Named = Pick<Station, 'name'>

/** What a network is made of. */
export interface NetworkOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly timeline: Timeline
  /** Of every path that `between` says nothing about. @default GOOD_CONDITIONS, each for itself */
  readonly conditions?: Partial<Conditions> | undefined
}

/** Carries packets between stations. */
export class Network {
  /** Takes what goes to an address that is not here: the way out of a local network. */
  gateway: Station | undefined
  readonly #options: NetworkOptions
  /** By address; bounded by what the scenario attaches. */
  readonly #stations = new Map<string, Station>()
  /** Those that take part in multicast, of which there is one group. */
  readonly #group = new Set<Station>()
  /** By pair of names. */
  readonly #conditions = new Map<string, Conditions>()
  /** By pair of names, for each direction. */
  readonly #lines = new Map<string, Line>()
  #common: Conditions
  #filter: ((packet: Packet, from: Station) => boolean) | undefined

  constructor(options: NetworkOptions) {
    this.#options = options
    this.#common = { ...GOOD_CONDITIONS, ...options.conditions }
  }

  get clock(): Clock {
    return this.#options.clock
  }

  get timeline(): Timeline {
    return this.#options.timeline
  }

  /** The station gets what goes to its addresses. */
  attach(station: Station): void {
    for (const ip of station.ips) {
      const owner = this.#stations.get(ip)
      if (owner !== undefined) throw new Error(`${station.name} cannot have ${ip}: it is ${owner.name}'s.`)
      this.#stations.set(ip, station)
    }
  }

  /** The station gets what is sent to all here. @returns leaves */
  join(station: Station): () => void {
    this.#group.add(station)
    return () => this.#group.delete(station)
  }

  /** Carries a packet to each that joined, its sender too (IP_MULTICAST_LOOP). */
  carryToAll(packet: Packet, from: Station): void {
    for (const to of [...this.#group]) this.#carry(packet, from, to, () => to)
  }

  /** Whether a station here has the address. */
  has(ip: string): boolean {
    return this.#stations.has(ip)
  }

  /** It gets nothing more. */
  detach(station: Station): void {
    for (const ip of station.ips) this.#stations.delete(ip)
  }

  /** Changes the conditions of every path that has none of its own. */
  set conditions(changes: Partial<Conditions>) {
    this.#common = { ...this.#common, ...changes }
  }

  /** Gives the path between two stations conditions of its own, both ways. */
  between(a: Named, b: Named, conditions: Partial<Conditions>): void {
    for (const pair of [pairOf(a, b), pairOf(b, a)]) this.#conditions.set(pair, { ...this.#common, ...conditions })
  }

  /** Drops each packet that `passes` says no to; undefined lets all through again. */
  set filter(passes: ((packet: Packet, from: Station) => boolean) | undefined) {
    this.#filter = passes
  }

  /** Carries a packet under the conditions of its path. */
  carry(packet: Packet, from: Station): void {
    this.#carry(packet, from, this.#next(packet, from), () => this.#next(packet, from))
  }

  /** @param arrives who gets it, when it arrives: the address may have another owner by then */
  #carry(packet: Packet, from: Station, to: Station | undefined, arrives: () => Station | undefined): void {
    const { clock } = this.#options
    if (to === undefined) return this.#note(packet, from, packet.destination.ip, 'unreachable')
    if (this.#filter?.(packet, from) === false) return this.#note(packet, from, to.name, 'filtered')
    const pair = pairOf(from, to)
    const conditions = this.#conditions.get(pair) ?? this.#common
    const family = ipFamily(packet.destination.ip) ?? 4
    const { fate, delays, bytes } = this.#line(pair).carry(packet.bytes, family, conditions, clock.now())
    const times = delays.map((delay) => later(clock.now(), delay))
    const arriving = bytes === packet.bytes ? packet : { ...packet, bytes }
    this.#note(arriving, from, to.name, fate, times)
    for (const at of times) clock.schedule(at, () => this.#arrive(arriving, from, arrives()))
  }

  /** Packets of the gateway itself to unknown addresses are lost. */
  #next(packet: Packet, from: Station): Station | undefined {
    return this.#stations.get(packet.destination.ip) ?? (from === this.gateway ? undefined : this.gateway)
  }

  #arrive(packet: Packet, from: Station, to: Station | undefined): void {
    if (to === undefined) this.#note(packet, from, packet.destination.ip, 'unreachable')
    // A copy each: a receiver may keep views of it.
    else to.deliver({ ...packet, bytes: datagrams.copy(packet.bytes) })
  }

  /**
   * Each direction of each path draws for itself, so that one more packet elsewhere changes nothing
   * here.
   */
  #line(pair: string): Line {
    const known = this.#lines.get(pair) ?? new Line(this.#options.random.fork(pair))
    this.#lines.set(pair, known)
    return known
  }

  #note(packet: Packet, from: Station, to: string, fate: Fate, times: readonly Instant[] = []): void {
    const { clock, timeline } = this.#options
    timeline.add({ type: 'packet', at: clock.now(), from: from.name, to, packet, fate, arrivals: times })
  }
}

const pairOf = (from: Named, to: Named): string => `${from.name}>${to.name}`
