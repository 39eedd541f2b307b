/**
 * The address plan of a simulated internet. Public addresses are such as a peer's address policy
 * takes for public (documentation ranges are not); nothing here ever leaves the process.
 */

/** Hands out one address after the other: `prefix` and a counter from 1. */
class Pool {
  readonly #prefix: string
  readonly #format: (value: number) => string
  #next = 1

  constructor(prefix: string, format: (value: number) => string) {
    this.#prefix = prefix
    this.#format = format
  }

  next(): string {
    return `${this.#prefix}${this.#format(this.#next++)}`
  }
}

const quads = (value: number): string => `${value >> 8}.${value & 0xff}`
const hex = (value: number): string => value.toString(16)

export class AddressPlan {
  readonly #ipv4 = new Pool('81.2.', quads)
  readonly #ipv6 = new Pool('2a01:4f8::', hex)
  readonly #shared = new Pool('100.64.', quads)
  readonly #delegated = new Pool('2a02:908:', hex)

  publicIpv4(): string {
    return this.#ipv4.next()
  }

  publicIpv6(): string {
    return this.#ipv6.next()
  }

  /** What a carrier gives its customers' routers (RFC 6598). */
  sharedIpv4(): string {
    return this.#shared.next()
  }

  /** A prefix for the network behind a router, to be followed by a host's part. */
  delegatedPrefix(): string {
    return `${this.#delegated.next()}::`
  }
}
