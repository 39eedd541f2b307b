/**
 * A network that leads nowhere: hosts on a bridge, without router and DNS, with link-local addresses of one
 * family alone (RFC 3927, RFC 4291 §2.5.6).
 */
import type { Lab } from './lab.ts'
import type { Host } from './lab-options.ts'

const NET = { 4: '169.254.7.', 6: 'fe80::7:' }
const FIRST = 10

export class Island {
  readonly #lab: Lab
  /** Of the namespace that has the bridge. */
  readonly #name: string
  readonly #family: 4 | 6
  #hosts = 0

  constructor(lab: Lab, name: string, family: 4 | 6) {
    this.#lab = lab
    this.#name = name
    this.#family = family
    lab.names.add(name)
    lab.bridge(name, 'lan')
  }

  host(): Host {
    const name = `${this.#name}-${++this.#hosts}`
    const ip = `${NET[this.#family]}${FIRST + this.#hosts}`
    const { names } = this.#lab
    names.add(name)
    // Every interface has an address of IPv6 otherwise, which is good a second later.
    if (this.#family === 4) names.set(name, 'net.ipv6.conf.default.disable_ipv6', 1)
    else names.set(name, 'net.ipv6.conf.default.addr_gen_mode', 1)
    this.#lab.plug(name, 'eth0', this.#name, 'lan')
    names.ip(name, this.#family === 4 ? `addr add ${ip}/16 dev eth0` : `addr add ${ip}/64 dev eth0 nodad`)
    return { name, ip }
  }

  /** A host that has the address of another one, on a second network of this one alone. */
  double({ ip }: Host, host: Host): Host {
    const name = `${this.#name}-double`
    const { names } = this.#lab
    names.add(name)
    names.set(name, 'net.ipv6.conf.default.addr_gen_mode', 1)
    names.ip(host.name, `link add eth1 type veth peer name eth0 netns ${names.nameOf(name)}`)
    for (const [end, device, own] of [
      [host.name, 'eth1', `${NET[6]}99`],
      [name, 'eth0', ip],
    ] as const) {
      names.ip(end, `link set ${device} up`)
      names.ip(end, `addr add ${own}/64 dev ${device} nodad`)
    }
    return { name, ip }
  }
}
