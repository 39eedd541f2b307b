/**
 * An internet in one object: relays, routers and peers on virtual time, with the machines of life.
 * Whatever a scenario does, `finish` closes everything and says what was left behind.
 */
import { Peer, type PeerOptions } from '@showchain/client'
import { type Duration, duration } from '@showchain/client/core'
import type { Runtime } from '@showchain/client/runtime'
import type { TestIdentity } from '@showchain/crypto/testing'
import { type Endpoint, sameEndpoint } from '@showchain/wire'
import type { Conditions } from '../sim/conditions.ts'
import { Host } from '../sim/host.ts'
import type { Network } from '../sim/network.ts'
import { type PcapOptions, toPcap } from '../sim/pcap.ts'
import { endPrograms } from '../sim/program.ts'
import type { Seed } from '../sim/random.ts'
import { simulatedRuntime } from '../sim/runtime.ts'
import { Simulation } from '../sim/simulation.ts'
import { AddressPlan } from './addresses.ts'
import { type FleetOfRelays, type FleetPlace, fleetOfRelays } from './fleet-of-relays.ts'
import { leftovers } from './leftovers.ts'
import type { NatBehaviour } from './nat.ts'
import { Router, type RouterOptions } from './router.ts'
import { SimPeer } from './sim-peer.ts'
import type { SimPeerOptions } from './sim-peer-options.ts'
import { SimRelay, type SimRelayOptions } from './sim-relay.ts'

/** Where a host is. */
export interface HostPlace {
  /** The router that it is behind. @default on the public network */
  readonly behind?: Router | undefined
  /** Its addresses. @default one of each family that its network has */
  readonly ips?: readonly string[] | undefined
}

/** Where a router is, and what is behind it. */
export interface RouterPlace {
  /** The router that this one is behind: a carrier's. @default on the public network */
  readonly behind?: Router | undefined
  /** Its own addresses outside. @default one of each family */
  readonly ips?: readonly string[] | undefined
  /** First three numbers of the network behind it. @default 192.168.1 */
  readonly lan?: string | undefined
  /** Without IPv6, its hosts have none. @default false */
  readonly ipv6?: boolean | undefined
}

export interface SimPeerPlace extends SimPeerOptions, Place {
  /** Relays that it registers with. @default all that there are */
  readonly relays?: readonly SimRelay[] | undefined
}

/** Options of `Peer.open`, and where the peer is. */
export interface PeerPlace extends Omit<PeerOptions, 'identity' | 'relays' | 'runtime'>, Place {
  /** Who it is. @default the identity of its name */
  readonly identity?: TestIdentity | undefined
  /** Relays that it registers with. @default all that there are */
  readonly relays?: readonly SimRelay[] | undefined
  /** Virtual time that a signature takes. @default 0 */
  readonly signTime?: Duration | undefined
}

/** Where a peer is. */
export interface Place {
  /** @default peer1, peer2, … */
  readonly name?: string | undefined
  /**
   * A router that others are behind too, or the behaviour of one of its own.
   * @default on the public network
   */
  readonly behind?: Router | NatBehaviour | undefined
  /** Or a host that is there already. */
  readonly host?: Host | undefined
  /** Its addresses. */
  readonly ips?: readonly string[] | undefined
}

interface Lan {
  readonly carrier: Router | undefined
  readonly prefix: string
  readonly prefix6: string | undefined
  hosts: number
}

/** A registration takes this long at most on a line that loses one packet in five. */
const REGISTRATION_PATIENCE: Duration = duration(300_000)
const FIRST_HOST = 10

/** A simulated internet on virtual time; the same seed gives the same run. */
export class Internet {
  readonly sim: Simulation
  readonly #plan = new AddressPlan()
  readonly #lans = new Map<Router, Lan>()
  readonly #relays: SimRelay[] = []
  readonly #peers: SimPeer[] = []
  readonly #open: { readonly host: Host; close(): Promise<void> }[] = []
  readonly #trusted: Endpoint[] = []
  #routers = 0
  #fleets = 0

  constructor(seed: Seed, conditions?: Partial<Conditions>) {
    this.sim = new Simulation(seed, conditions)
  }

  /**
   * Plays a scenario, closes everything and looks for leftovers. Virtual time passes while the
   * scenario awaits. A failed one prints its seed and the end of its timeline.
   */
  static async run(
    seed: Seed,
    conditions: Partial<Conditions>,
    scenario: (internet: Internet) => void | Promise<void>,
  ): Promise<Internet> {
    const internet = new Internet(seed, conditions)
    await internet.sim.play(async () => {
      await scenario(internet)
      await internet.finish()
    })
    return internet
  }

  get relays(): readonly SimRelay[] {
    return this.#relays
  }

  get peers(): readonly SimPeer[] {
    return this.#peers
  }

  /** A router, with a network of its own behind it. */
  router(options: RouterOptions & RouterPlace & { readonly name?: string | undefined }): Router {
    const { behind, lan = '192.168.1', ipv6 = false, name = `router${++this.#routers}`, ...rest } = options
    const ips = options.ips ?? (behind === undefined ? [this.#plan.publicIpv4()] : [this.#plan.sharedIpv4()])
    const router = new Router(this.#networkOf(behind), name, ips, rest, this.sim.random.fork(name), lan)
    this.#lans.set(router, {
      carrier: behind,
      prefix: lan,
      prefix6: ipv6 ? this.#plan.delegatedPrefix() : undefined,
      hosts: FIRST_HOST,
    })
    return router
  }

  /** A host. Any program that uses UDP can run on its sockets. */
  host(name: string, { behind, ips }: HostPlace = {}): Host {
    const own = ips ?? this.#addresses(behind)
    this.#route(behind, own)
    return new Host(this.#networkOf(behind), name, own)
  }

  /** A relay that is up. */
  async relay(
    options: SimRelayOptions & { readonly name?: string; readonly ips?: readonly string[] } = {},
  ): Promise<SimRelay> {
    return this.addRelay(options)
  }

  /** A machine of a peer that is registered with its relays, and has found out what its NAT does. */
  async simPeer(place: SimPeerPlace = {}): Promise<SimPeer> {
    const peer = this.addSimPeer(place)
    const relays = place.relays ?? this.#relays
    this.sim.until(() => relays.every((relay) => peer.isRegistered(relay)), REGISTRATION_PATIENCE)
    if (place.seedMode !== true && relays.length > 0 && !peer.host.blocksUdp)
      this.sim.until(() => peer.nat !== undefined, REGISTRATION_PATIENCE)
    return peer
  }

  /** A peer of the public API on a host of this internet. It is registered with a relay and closed by `finish`. */
  async peer(place: PeerPlace = {}): Promise<Peer> {
    const { host, name, rest } = this.#place(place)
    const { relays = this.#relays, identity = this.sim.identity(name), signTime, ...options } = rest
    const tickets = relays.map(({ ticket }) => ticket)
    const runtime = simulatedRuntime(this.sim, host, signTime)
    const peer = await this.settle(Peer.open({ ...options, identity, relays: tickets, runtime }))
    if (options.seedMode === true) this.#trusted.push(...peer.addresses)
    this.#open.push({ host, close: () => peer.close() })
    if (relays.length > 0) await this.settle(peer.registered())
    return peer
  }

  /** The system that a `Peer` or a `Relay` on this host runs on. */
  runtime(host: Host): Runtime {
    return simulatedRuntime(this.sim, host)
  }

  /** Resolves after this much virtual time: for code that awaits, such as that of a `Peer`. */
  wait(by: Duration): Promise<void> {
    return this.sim.wait(by)
  }

  /** Lets virtual time pass until the promise is settled, for scenarios that are not played by `run`. */
  settle<Result>(promise: Promise<Result>, patience?: Duration): Promise<Result> {
    return this.sim.settle(promise, patience)
  }

  /** Relays of one identity that serve as one. Their numbers are from 1. */
  fleet(nodes: number, place: FleetPlace = {}): FleetOfRelays {
    return fleetOfRelays(this.sim, `fleet${++this.#fleets}`, nodes, place, (options) => this.addRelay(options))
  }

  /** As `relay`, for code that does not await. */
  addRelay({
    name,
    ips,
    ...options
  }: SimRelayOptions & { readonly name?: string; readonly ips?: readonly string[] } = {}): SimRelay {
    const own = name ?? `relay${this.#relays.length + 1}`
    const { stun = 'two addresses' } = options
    const second = stun === 'two addresses' ? this.host(`${own} too`) : undefined
    const relay = new SimRelay(this.sim, this.host(own, { ips }), {
      ...{ ...options, second },
      trusts: (at) => this.#trusted.some((each) => sameEndpoint(each, at)),
    })
    this.#relays.push(relay)
    return relay
  }

  /** As `simPeer`, without waiting for its registrations. */
  addSimPeer(place: SimPeerPlace = {}): SimPeer {
    const { host, name, rest } = this.#place(place)
    const { relays = this.#relays, ...options } = rest
    const peer = new SimPeer(this.sim, name, host, options)
    if (options.seedMode === true) this.#trusted.push(peer.endpoint)
    this.#peers.push(peer)
    for (const relay of relays) peer.register(relay)
    return peer
  }

  /** Takes a host to the network behind another router, or to the public one. Its sockets stay open. */
  move(host: Host, behind?: Router): void {
    const ips = this.#addresses(behind)
    this.#route(behind, ips)
    host.moveToNetwork(this.#networkOf(behind), ...ips)
  }

  /** An address that a router could have instead of its own. */
  freeAddress(router: Router): string {
    return this.#lans.get(router)?.carrier === undefined ? this.#plan.publicIpv4() : this.#plan.sharedIpv4()
  }

  /**
   * What happened so far, one line for each packet, for each thing that a router did, and for each
   * note.
   * @param last only the last lines.
   */
  timeline(last?: number): string {
    return this.sim.timeline.format(last)
  }

  /** Every packet so far as a capture file for Wireshark or tcpdump. */
  pcap(options?: PcapOptions): Uint8Array {
    return toPcap(this.sim.timeline.entries, options)
  }

  /** Lets so much time pass at once: for code that does not await. */
  advance(by: Duration): void {
    this.sim.advance(by)
  }

  /** Lets time pass at once until the condition holds: for code that does not await. */
  until(holds: () => boolean, patience?: Duration): void {
    this.sim.until(holds, patience)
  }

  /** Ends every program, closes every peer and relay, and throws when anything stayed behind. */
  async finish(): Promise<void> {
    endPrograms(this.sim.clock)
    const found = await leftovers({ sim: this.sim, peers: this.#peers, relays: this.#relays, open: this.#open })
    if (found.length > 0) throw new Error(found.join('\n'))
  }

  /** The host of a peer, made where it is said. */
  #place<Rest extends Place>(place: Rest): { host: Host; name: string; rest: Omit<Rest, keyof Place> } {
    const { name = `peer${this.#peers.length + this.#open.length + 1}`, behind, host, ips, ...rest } = place
    const router = behind === undefined || behind instanceof Router ? behind : this.router({ nat: behind })
    return { name, host: host ?? this.host(name, { behind: router, ips }), rest }
  }

  /** What is not translated has to be reachable as it is. */
  #route(behind: Router | undefined, ips: readonly string[]): void {
    for (const ip of ips) if (behind?.translates(ip) === false) behind.route(ip)
  }

  #networkOf(router: Router | undefined): Network {
    return router?.inside ?? this.sim.network
  }

  #addresses(behind: Router | undefined): readonly string[] {
    if (behind === undefined) return [this.#plan.publicIpv4()]
    const lan = this.#lans.get(behind)
    if (lan === undefined) throw new Error(`${behind.name} is not a router of this internet.`)
    const number = lan.hosts++
    const own = `${lan.prefix}.${number}`
    return lan.prefix6 === undefined ? [own] : [own, `${lan.prefix6}${number.toString(16)}`]
  }
}
