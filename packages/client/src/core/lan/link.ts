/** A link of this host to a private network: what is on it, and what is not. */
import { type Endpoint, parseIp } from '@showchain/wire'
import ipaddr from 'ipaddr.js'

/** An address of this host, and how many of its bits are those of its network. */
export interface Subnet {
  readonly ip: string
  readonly prefix: number
}

/** One interface, with its private addresses. */
export interface LanLink {
  readonly name: string
  /** At least one of IPv4, by which messages come and go. */
  readonly subnets: readonly Subnet[]
}

/** A link, and where this peer's socket is reached on it: one port. */
export interface ServedLink extends LanLink {
  readonly endpoints: readonly Endpoint[]
}

/**
 * RFC 1918, RFC 3927 and RFC 4193. Not the addresses of carrier-grade NAT (RFC 6598): what has them is
 * a provider's network, or a tunnel. IPv6 link-local needs a zone, which no endpoint has.
 */
export function isLanAddress(ip: string): boolean {
  const bytes = parseIp(ip)
  if (bytes === undefined) return false
  const range = ipaddr.fromByteArray([...bytes]).range()
  return range === 'private' || range === 'uniqueLocal' || (range === 'linkLocal' && bytes.length === 4)
}

/** Whether an address is one that a host of the link can have: neither the network's own nor its broadcast address. */
export function isOnLink({ subnets }: LanLink, ip: string): boolean {
  const bytes = parseIp(ip)
  return bytes !== undefined && isLanAddress(ip) && subnets.some((subnet) => contains(subnet, bytes))
}

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
