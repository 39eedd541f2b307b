/**
 * A router: one address on the network outside, one network of its own inside, and what it does
 * with packets between them. IPv4 is translated (nat.ts) or, with `nat: 'none'`, only filtered;
 * IPv6 keeps its addresses behind a stateful firewall (RFC 6092). Routers stack: the network inside
 * may have more of them.
 *
 *   outside ── deliver() ──► [ filter, translate ] ──► inside.carry()
 *   outside.carry() ◄── [ map, open the filter ] ◄── gateway ── inside
 */
import { type Duration, duration, type Instant, later } from '@showchain/client/core'
import { canonicalIp, type Endpoint, formatEndpoint, ipFamily, parseIp } from '@showchain/wire'
import { Network, type Station } from '../sim/network.ts'
import type { Packet } from '../sim/packet.ts'
import type { SeededRandom } from '../sim/random.ts'
import type { RouterVerdict } from '../sim/timeline.ts'
import { MAPPING_SERVER_PORT, MappingServer, type MappingServerOptions } from './mapping-server.ts'
import { type Dependence, KEY, type NatBehaviour, NatTable } from './nat.ts'

/** What a router does. */
export interface RouterOptions {
  /** What IPv4 gets: translation, or none for a public network behind a firewall. */
  readonly nat: NatBehaviour | 'none'
  /**
   * What a stateful firewall lets in: only answers, by this key of the remote endpoint.
   * @default address-and-port-dependent for what is not translated
   */
  readonly firewall?: Dependence | 'off' | undefined
  /** Whether its NAT also translates what hosts of IPv6 send to 64:ff9b::/96 (RFC 6146). @default false */
  readonly nat64?: boolean | undefined
  /** Drops UDP altogether, or what goes in or out. @default nothing */
  readonly blocks?: 'all' | 'inbound' | 'outbound' | undefined
  /** Maps ports for hosts behind it that ask. @default it has no such service, and no address inside */
  readonly maps?: MappingServerOptions | undefined
}

/**
 * A state of the firewall lives this long without a packet from inside (nf_conntrack's
 * udp_timeout_stream).
 */
const FIREWALL_LIFETIME: Duration = duration(120_000)
/** States of the firewall at once; the oldest makes room. */
const MAX_STATES = 65_536

/** A router, with a NAT or a firewall, and the network behind it. */
export class Router implements Station {
  readonly name: string
  /** The network behind it. */
  readonly inside: Network
  readonly #gateway: Station
  readonly #options: RouterOptions
  readonly #outside: Network
  readonly #table: NatTable | undefined
  readonly #maps: MappingServer | undefined
  /**
   * By internal endpoint and key of the remote one: until when it may come in. At most MAX_STATES.
   */
  readonly #states = new Map<string, Instant>()
  /** Its own addresses; those of hosts behind it that are not translated. */
  #ips: readonly string[]
  readonly #routed = new Set<string>()

  /**
   * @param ips its own on the network outside, at most one of each family
   * @param lan first three numbers of the network inside
   */
  constructor(
    outside: Network,
    name: string,
    ips: readonly string[],
    options: RouterOptions,
    random: SeededRandom,
    lan: string,
  ) {
    this.name = name
    this.#outside = outside
    this.#options = options
    this.#ips = ips
    this.#table = options.nat === 'none' ? undefined : new NatTable(options.nat, random.fork('nat'))
    this.inside = new Network({
      clock: outside.clock,
      timeline: outside.timeline,
      random: random.fork('inside'),
      conditions: { latency: LAN_LATENCY },
    })
    const { maps } = options
    this.#maps = maps && new MappingServer(maps, outside.clock, random.fork('maps'))
    this.#gateway = {
      ...{ name, ips: maps ? [`${lan}.1`] : [] },
      deliver: (packet) => this.#fromInside(packet),
      upnp: (request) => this.#maps?.upnp(request, this.external(4)) ?? { type: 'silent' },
    }
    this.inside.gateway = this.#gateway
    this.inside.attach(this.#gateway)
    outside.attach(this)
  }

  get ips(): readonly string[] {
    return [...this.#ips, ...this.#routed]
  }

  /** Its own address of a family on the network outside. */
  external(family: 4 | 6): string | undefined {
    return this.#ips.find((ip) => ipFamily(ip) === family)
  }

  /** Live mappings of its NAT. */
  get mappings(): number {
    return this.#table?.size(this.#outside.clock.now()) ?? 0
  }

  /** Mappings that hosts behind it asked for. */
  get portMaps(): number {
    return this.#maps?.size ?? 0
  }

  /** Whether a host behind it with this address shows another one outside. */
  translates(ip: string): boolean {
    return this.#table !== undefined && ipFamily(ip) === 4
  }

  /** Makes an address behind it reachable from outside, as far as the firewall lets anything in. */
  route(ip: string): void {
    this.#change(() => this.#routed.add(ip))
  }

  /** As if the address were not there. */
  unroute(ip: string): void {
    this.#change(() => this.#routed.delete(ip))
  }

  /** Forgets every mapping and state, as a router does that was switched off and on. */
  reboot(): void {
    this.#table?.clear()
    this.#maps?.clear()
    this.#states.clear()
    this.#note('reboot: every mapping is gone')
  }

  /** Gets other addresses from its provider; mappings do not survive that. */
  renumber(...ips: readonly string[]): void {
    this.#change(() => {
      this.#ips = ips
    })
    this.#table?.clear()
    this.#note(`has ${ips.join(' and ')} from now on`)
  }

  /** From outside. */
  deliver(packet: Packet): void {
    const { blocks } = this.#options
    if (blocks === 'all' || blocks === 'inbound') return this.#saw(packet, 'blocked')
    if (this.#routed.has(packet.destination.ip)) return this.#inboundRouted(packet)
    const now = this.#outside.clock.now()
    const found = this.#inbound(packet.destination.port, packet.source, now)
    if (typeof found === 'string') return this.#saw(packet, found)
    const { internal, shown } = found
    this.#saw(packet, 'in', internal)
    const source =
      ipFamily(internal.ip) === 6 ? { ...shown, ip: canonicalIp(`${NAT64}${shown.ip}`) ?? shown.ip } : shown
    this.inside.carry({ ...packet, source, destination: internal }, this.#gateway)
  }

  /** The IPv4 endpoint that one of NAT64 stands for. */
  #embedded({ ip, port }: Endpoint): Endpoint | undefined {
    const bytes = this.#options.nat64 === true ? parseIp(ip) : undefined
    const four = bytes?.slice(12).join('.') ?? ''
    return bytes?.length === 16 && canonicalIp(`${NAT64}${four}`) === ip ? { ip: four, port } : undefined
  }

  /** A port that a host asked for is open to everybody. */
  #inbound(
    port: number,
    remote: Endpoint,
    now: Instant,
  ): { readonly internal: Endpoint; readonly shown: Endpoint } | 'no mapping' | 'filtered' {
    const mapped = this.#maps?.inbound(port, remote, (internal) => this.#table?.leaves(internal, remote, now))
    if (mapped !== undefined) return mapped
    const internal = this.#table?.inbound(port, remote, now) ?? 'no mapping'
    return typeof internal === 'string' ? internal : { internal, shown: remote }
  }

  #fromInside(packet: Packet): void {
    const { source, destination } = packet
    if (!this.#gateway.ips.includes(destination.ip)) return this.#outbound(packet)
    const ip = this.external(4)
    if (destination.port !== MAPPING_SERVER_PORT || ip === undefined) return
    const bytes = this.#maps?.answer(packet, ip)
    if (bytes !== undefined) this.inside.carry({ source: destination, destination: source, bytes }, this.#gateway)
  }

  /** From inside, to an address that is not there. */
  #outbound(sent: Packet): void {
    const four = this.#embedded(sent.destination)
    const packet = four === undefined ? sent : { ...sent, destination: four }
    const { blocks } = this.#options
    if (blocks === 'all' || blocks === 'outbound') return this.#saw(packet, 'blocked')
    const own = this.#ips.includes(packet.destination.ip)
    if (this.#table === undefined || (four === undefined && !this.translates(packet.source.ip))) {
      if (own || !this.#routed.has(packet.source.ip)) return this.#saw(packet, 'no route')
      this.#open(packet)
      this.#saw(packet, 'out')
      return this.#outside.carry(packet, this)
    }
    const ip = this.external(4)
    if (ip === undefined) return this.#saw(packet, 'no route')
    const now = this.#outside.clock.now()
    if (own && !this.#table.behaviour.hairpin) return this.#saw(packet, 'no hairpin')
    const answers = this.#maps?.outbound(packet.source, packet.destination)
    const port = answers?.port ?? this.#table.outbound(packet.source, packet.destination, now)
    if (port === undefined) return this.#saw(packet, 'table full')
    const translated = { ...packet, source: { ip, port }, destination: answers?.remote ?? packet.destination }
    if (!own) {
      this.#saw(packet, 'out', translated.source)
      return this.#outside.carry(translated, this)
    }
    // RFC 4787 REQ-9: the receiver sees the external endpoint of the sender, and its filter
    // applies.
    const found = this.#inbound(packet.destination.port, translated.source, now)
    if (typeof found === 'string') return this.#saw(packet, found)
    this.#saw(packet, 'hairpin', found.internal)
    this.inside.carry({ ...translated, source: found.shown, destination: found.internal }, this.#gateway)
  }

  #inboundRouted(packet: Packet): void {
    const until = this.#states.get(this.#stateKey(packet.destination, packet.source))
    const open = this.#options.firewall === 'off' || (until !== undefined && until > this.#outside.clock.now())
    if (!open) return this.#saw(packet, 'filtered')
    this.#saw(packet, 'in')
    this.inside.carry(packet, this.#gateway)
  }

  #open({ source, destination }: Packet): void {
    const key = this.#stateKey(source, destination)
    this.#states.delete(key)
    this.#states.set(key, later(this.#outside.clock.now(), FIREWALL_LIFETIME))
    if (this.#states.size > MAX_STATES) this.#states.delete(this.#states.keys().next().value as string)
  }

  #stateKey(internal: Endpoint, remote: Endpoint): string {
    const { firewall = 'address-and-port-dependent' } = this.#options
    return `${formatEndpoint(internal)} ${firewall === 'off' ? '' : KEY[firewall](remote)}`
  }

  #change(change: () => void): void {
    this.#outside.detach(this)
    change()
    this.#outside.attach(this)
  }

  #saw(packet: Packet, verdict: RouterVerdict, as?: Endpoint): void {
    const { clock, timeline } = this.#outside
    timeline.add({ type: 'router', at: clock.now(), router: this.name, packet, verdict, as })
  }

  #note(text: string): void {
    const { clock, timeline } = this.#outside
    timeline.add({ type: 'note', at: clock.now(), from: this.name, text })
  }
}

/** RFC 6052's well-known prefix. */
const NAT64 = '64:ff9b::'

/** One way on a local network. */
const LAN_LATENCY: Duration = duration(1)
