/** A link of this host to a private network: what is on it, and what is not. */
import { type Endpoint, parseIp } from '@showchain/wire'
import ipaddr from 'ipaddr.js'
import type { Route } from '../endpoint/machine.ts'
import { socketOnLink } from '../endpoint/route.ts'

/** An address of this host, and how many of its bits are those of its network. */
export interface Subnet {
  readonly ip: string
  readonly prefix: number
}

/** One interface, with its private addresses of one family. */
export interface LanLink {
  readonly name: string
  readonly family: 4 | 6
  /** The number of the interface, which a link-local address of IPv6 needs. */
  readonly scope: number
  /** At least one; of IPv6 one is link-local, from which messages leave. */
  readonly subnets: readonly Subnet[]
}

/** A link, and where this peer's socket is reached on it: one port. */
export interface ServedLink extends LanLink {
  readonly endpoints: readonly Endpoint[]
}

/**
 * RFC 1918, RFC 3927, RFC 4193, and RFC 4291 §2.5.6. Not the addresses of carrier-grade NAT (RFC 6598):
 * what has them is a provider's network, or a tunnel.
 */
export function isLanAddress(ip: string): boolean {
  const bytes = parseIp(ip)
  if (bytes === undefined) return false
  const range = ipaddr.fromByteArray([...bytes]).range()
  return range === 'private' || range === 'uniqueLocal' || range === 'linkLocal'
}

/** Whether an address is one that a host of the link can have: neither the network's own nor its broadcast address. */
export function isOnLink({ subnets }: LanLink, ip: string): boolean {
  const bytes = parseIp(ip)
  return bytes !== undefined && isLanAddress(ip) && subnets.some((subnet) => contains(subnet, bytes))
}

/** The route to a host of the link: what is link-local is reached on its interface alone. */
export const routeOn = ({ scope }: LanLink, { ip, port }: Endpoint): Route =>
  isIpv6LinkLocal(ip) ? { ip, port, socket: socketOnLink(scope) } : { ip, port }

/** fe80::/10 (RFC 4291 §2.5.6). */
export const isIpv6LinkLocal = (ip: string): boolean => /^fe[89ab].:/.test(ip)

function contains({ ip, prefix }: Subnet, bytes: Uint8Array): boolean {
  const own = parseIp(ip)
  if (own?.length !== bytes.length) return false
  let zeros = true
  let ones = true
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const [one, other] = [bitOf(own, bit), bitOf(bytes, bit)]
    if (bit < prefix && one !== other) return false
    if (bit >= prefix && other) zeros = false
    if (bit >= prefix && !other) ones = false
  }
  return !zeros && !ones
}

const bitOf = (bytes: Uint8Array, bit: number): boolean => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1
