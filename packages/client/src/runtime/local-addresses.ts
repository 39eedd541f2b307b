/**
 * Where this host can be reached on its own networks: the host candidates of the `local` extension
 * field.
 */
import { networkInterfaces } from 'node:os'
import { canonicalIp, type Endpoint, ipFamily } from '@showchain/wire'

/**
 * Link-local: fe80::/10 (RFC 4291 §2.5.6) and 169.254/16 (RFC 3927) mean nothing to another host
 * without a zone.
 */
const LINK_LOCAL = /^(fe[89ab]|169\.254\.)/i

/** What `os.networkInterfaces` tells, as far as it matters. */
export type Interfaces = NodeJS.Dict<readonly { readonly address: string; readonly internal: boolean }[]>

/**
 * Addresses of this host without loopback and link-local ones: IPv4 first, then by interface name,
 * then by text.
 */
export function localAddresses(interfaces: Interfaces = networkInterfaces()): readonly string[] {
  const found = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ address, internal }) => !internal && !address.includes('%') && !LINK_LOCAL.test(address))
      .flatMap(({ address }) => canonicalIp(address) ?? [])
      .map((ip) => ({ ip, order: `${ipFamily(ip)} ${name} ${ip}` })),
  )
  const sorted = found.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
  return [...new Set(sorted.map(({ ip }) => ip))]
}

/**
 * The endpoints of sockets bound to `bound`: a wildcard stands for every local address of its
 * family.
 */
export function hostCandidates(bound: readonly Endpoint[], addresses: readonly string[]): readonly Endpoint[] {
  return bound.flatMap((endpoint) =>
    isWildcard(endpoint.ip)
      ? addresses.filter((ip) => ipFamily(ip) === ipFamily(endpoint.ip)).map((ip) => ({ ip, port: endpoint.port }))
      : [endpoint],
  )
}

export const isWildcard = (ip: string): boolean => ip === '0.0.0.0' || ip === '::'
