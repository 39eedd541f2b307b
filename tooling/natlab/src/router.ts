/** A router of the lab: a network namespace with two interfaces, whose nftables rules make it a NAT. */
import type { Namespaces } from './namespaces.ts'
import {
  BLOCKED,
  cutRules,
  FIREWALL6,
  hairpinRules,
  lossRules,
  MAPPING_SECONDS,
  type NatKind,
  natRules,
} from './rules.ts'

export interface RouterOptions {
  readonly kind: NatKind
  /** A carrier's router, that this one is behind. @default on the public segment */
  readonly behind?: Router | undefined
  /** First three numbers of the network behind it. @default 192.168.1, as everybody's */
  readonly lan?: string | undefined
  /** @default false */
  readonly hairpin?: boolean | undefined
  /** How long conntrack and the maps keep an idle mapping. */
  readonly mappingSeconds?: number | undefined
  /** Lets no UDP through. @default false */
  readonly blocked?: boolean | undefined
  /** Percent of packets that it loses, each way. @default 0 */
  readonly loss?: number | undefined
  /** Bytes of an IP packet on its way out; it says so of a larger one, and nothing of a larger one that comes in. @default 1500 */
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
    const { kind, mappingSeconds = MAPPING_SECONDS, hairpin = false, blocked = false, loss = 0 } = this.options
    const rules = ['flush ruleset\n', natRules(kind, mappingSeconds), FIREWALL6]
    if (hairpin) rules.push(hairpinRules(this.wan, `${this.lan}.0/24`))
    if (blocked) rules.push(BLOCKED)
    if (loss > 0) rules.push(lossRules(loss))
    this.#names.nft(this.name, rules.join(''))
  }

  /** Behaves otherwise from now on. */
  with(changes: Partial<RouterOptions>): this {
    this.options = { ...this.options, ...changes }
    this.load()
    return this
  }

  /** The hosts that have a mapping of a cone at the moment. */
  get mapped(): boolean {
    return this.#names.exec(this.name, 'nft', ['list', 'map', 'ip', 'cone', 'inside']).includes('elements')
  }

  /** Nothing goes to an address outside, or comes from there. Mappings stay. */
  cut(ip: string): void {
    this.#names.nft(this.name, cutRules(ip))
  }

  /** Undoes `cut`. */
  mend(): void {
    this.#names.nft(this.name, 'delete table ip cut\n')
  }

  /** Switched off and on: netfilter forgets the mappings of an interface that goes down, and the maps begin empty. */
  reboot(): void {
    this.#names.ip(this.name, 'link set wan down')
    this.load()
    this.#names.ip(this.name, 'link set wan up')
  }

  /** The provider gives it another address. */
  renumber(wan: string): void {
    this.#names.ip(this.name, `addr del ${this.wan}/24 dev wan`)
    this.#names.ip(this.name, `addr add ${wan}/24 dev wan`)
    this.wan = wan
    this.load()
  }
}
