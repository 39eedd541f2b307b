/** Where a relay is reached, by what it is bound to and what its configuration says. */
import { hostCandidates, isWildcard } from '@showchain/client/runtime'
import { type Address, canonicalIp, type Endpoint, ipFamily } from '@showchain/wire'

/** What is bound to one address is reached there; of a wildcard only the configuration knows. */
export function seenFromOutside(bound: readonly Endpoint[], announced: readonly Address[] = []): readonly Endpoint[] {
  return bound.flatMap((endpoint) => {
    if (!isWildcard(endpoint.ip)) return [endpoint]
    const known = announced.find(({ host }) => canonicalIp(host) === host && ipFamily(host) === ipFamily(endpoint.ip))
    return known === undefined ? [] : [{ ip: known.host, port: known.port }]
  })
}

/** Those that are no host names. */
export const endpointsOf = (addresses: readonly Address[]): readonly Endpoint[] =>
  addresses.flatMap(({ host, port }) => {
    const ip = canonicalIp(host)
    return ip === undefined ? [] : [{ ip, port }]
  })

const addressOf = ({ ip, port }: Endpoint): Address => ({ host: ip, port })

/**
 * The bound endpoints as others on the same networks reach them; loopback when this host is on
 * none.
 */
export function reachableAddresses(bound: readonly Endpoint[], own: readonly string[]): readonly Address[] {
  const candidates = hostCandidates(bound, own)
  if (candidates.length > 0) return candidates.map(addressOf)
  return hostCandidates(bound, ['127.0.0.1', '::1']).map(addressOf)
}
