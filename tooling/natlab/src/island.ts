/** A network that leads nowhere: hosts on a bridge, with link-local addresses (RFC 3927), without router and DNS. */
import type { Lab } from './lab.ts'
import type { Host } from './lab-options.ts'

const NET = '169.254.7'
const FIRST = 10

export class Island {
  readonly #lab: Lab
  /** Of the namespace that has the bridge. */
  readonly #name: string
  #hosts = 0

  constructor(lab: Lab, name: string) {
    this.#lab = lab
    this.#name = name
    lab.names.add(name)
    lab.bridge(name, 'lan')
  }

  host(): Host {
    const name = `${this.#name}-${++this.#hosts}`
    const ip = `${NET}.${FIRST + this.#hosts}`
    const { names } = this.#lab
    names.add(name)
    this.#lab.plug(name, 'eth0', this.#name, 'lan')
    names.ip(name, `addr add ${ip}/16 dev eth0`)
    return { name, ip }
  }
}
