/**
 * Which addresses of others a peer sends to: those that are announced, and those that a ticket
 * names (docs/protocol.md, Punch safety). The policy is injected: a test lab lives on the very
 * ranges to which a stranger on the internet must not make a peer send.
 */
import { type Endpoint, parseIp } from '@showchain/wire'
import ipaddr from 'ipaddr.js'

/**
 * @param sharesPublicIp whether both ends are behind one public address, so that private ones can
 * mean the same network
 */
export type AddressPolicy = (endpoint: Endpoint, sharesPublicIp: boolean) => boolean

/**
 * Ranges that mean a host of the same network: RFC 1918, RFC 6598, RFC 3927, RFC 4193. IPv6
 * link-local needs a zone, which no endpoint has.
 */
const PRIVATE: ReadonlySet<string> = new Set(['private', 'carrierGradeNat', 'linkLocal', 'uniqueLocal'])

type Range = 'public' | 'private' | 'never'

/**
 * By the IANA special-purpose registries (RFC 6890), as ipaddr.js names them: loopback,
 * documentation, multicast, benchmarking, and the prefixes that hide an IPv4 address (NAT64, 6to4,
 * Teredo, IPv4-compatible) are never sent to.
 */
function rangeOf(ip: string): Range {
  const bytes = parseIp(ip)
  if (bytes === undefined) return 'never'
  const range = ipaddr.fromByteArray([...bytes]).range()
  // 2000::/3 is all that IANA has allocated as IPv6 global unicast.
  if (range === 'unicast') return bytes.length === 4 || ((bytes[0] ?? 0) & 0xe0) === 0x20 ? 'public' : 'never'
  if (range === 'linkLocal' && bytes.length !== 4) return 'never'
  return PRIVATE.has(range) ? 'private' : 'never'
}

/** For the internet: public addresses, and private ones between peers that share a public one. */
export const internetPolicy: AddressPolicy = ({ ip }, sharesPublicIp) => {
  const range = rangeOf(ip)
  return range === 'public' || (range === 'private' && sharesPublicIp)
}

/** Whether an address means a host of this network alone. */
export const isPrivate = (ip: string): boolean => rangeOf(ip) === 'private'

/** For peers of one private network, who do not mind which of its hosts a stranger has them send to. */
export const lanPolicy: AddressPolicy = ({ ip }) => rangeOf(ip) !== 'never'

/**
 * For labs on loopback, private and documentation ranges: everything that one host can be reached
 * at.
 */
export const labPolicy: AddressPolicy = ({ ip }) => {
  const first = parseIp(ip)?.[0]
  return first !== undefined && (ip.includes(':') ? first !== 0xff && ip !== '::' : first !== 0 && first < 224)
}

export type AddressPolicyName = 'internet' | 'lan' | 'lab'
export const ADDRESS_POLICIES: Readonly<Record<AddressPolicyName, AddressPolicy>> = {
  internet: internetPolicy,
  lan: lanPolicy,
  lab: labPolicy,
}
