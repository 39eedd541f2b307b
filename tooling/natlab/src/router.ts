/**
 * A router of the lab: a network namespace with two interfaces, whose nftables rules make it a NAT.
 */
import type { Namespaces } from './namespaces.ts'
import {
  BLOCKED,
  FIREWALL6,
  hairpinRules,
  lossRules,
  MAPPING_SECONDS,
  type NatKind,
  natRules,
  onlyRules,
  partitionRules,
  slowRules,
} from './rules.ts'

export interface RouterOptions {
  readonly kind: NatKind
  /** The carrier's router that this one is behind (CGN). @default on the public segment */
  readonly behind?: Router | undefined
  /**
   * Its address outside is no documentation address: what maps ports refuses those. @default false
   */
  readonly global?: boolean | undefined
  /** First three numbers of the private network. @default 192.168.1 */
  readonly lan?: string | undefined
  /** @default false */
  readonly hairpin?: boolean | undefined
  /** Lifetime of an idle mapping, in conntrack and in the maps of cones. */
  readonly mappingSeconds?: number | undefined
  /** Drops all UDP. @default false */
  readonly blocked?: boolean | undefined
  /** Drops all but TCP to this address outside. @default everything passes */
  readonly reaches?: string | undefined
  /** Packet loss in percent, in each direction. @default 0 */
  readonly loss?: number | undefined
  /**
   * MTU of the WAN interface, in bytes: a larger packet outwards is answered with ICMP
   * "fragmentation needed", a larger one inwards is dropped silently. @default 1500
   */
  readonly mtu?: number | undefined
}

export class Router {
  readonly name: string
  options: RouterOptions
  readonly lan: string
  readonly lan6: string
  wan: string
  hosts = 10
  readonly #names: Namespaces

  constructor(names: Namespaces, name: string, options: RouterOptions, wan: string, lan: string, lan6: string) {
    this.#names = names
    this.name = name
    this.options = options
    this.wan = wan
    this.lan = lan
    this.lan6 = lan6
  }

  load(): void {
    const { kind, mappingSeconds = MAPPING_SECONDS, hairpin = false, blocked = false, reaches, loss = 0 } = this.options
    const rules = ['flush ruleset\n', natRules(kind, mappingSeconds), FIREWALL6]
    if (hairpin) rules.push(hairpinRules(this.wan, `${this.lan}.0/24`))
    if (blocked) rules.push(BLOCKED)
    if (reaches !== undefined) rules.push(onlyRules(reaches))
    if (loss > 0) rules.push(lossRules(loss))
    this.#names.nft(this.name, rules.join(''))
  }

  /** Changes its behaviour. */
  with(changes: Partial<RouterOptions>): this {
    this.options = { ...this.options, ...changes }
    this.load()
    return this
  }

  /** Whether any host has a mapping in the cone's map. */
  get mapped(): boolean {
    return this.#names.exec(this.name, 'nft', ['list', 'map', 'ip', 'cone', 'inside']).includes('elements')
  }

  /** Drops packets to and from an address outside. Mappings stay. */
  partition(ip: string): void {
    this.#names.nft(this.name, partitionRules(ip))
  }

  /** Lets no more through to and from an address outside. Mappings stay. */
  slow(ip: string, megabytes: number): void {
    this.#names.nft(this.name, slowRules(ip, megabytes))
  }

  /** Ends the partition. */
  heal(): void {
    this.#names.nft(this.name, 'delete table ip partition\n')
  }

  /**
   * Power cycle: netfilter drops the mappings of an interface that goes down, and the maps start
   * empty.
   */
  reboot(): void {
    this.#names.ip(this.name, 'link set wan down')
    this.load()
    this.#names.ip(this.name, 'link set wan up')
  }

  /** The provider assigns it a new address. */
  renumber(wan: string): void {
    this.#names.ip(this.name, `addr del ${this.wan}/24 dev wan`)
    this.#names.ip(this.name, `addr add ${wan}/24 dev wan`)
    this.wan = wan
    this.load()
  }
}
