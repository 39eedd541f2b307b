/** Where a peer on this host can be reached, as far as the host itself knows. */
import { type Endpoint, ipFamily, MAX_LOCAL_CANDIDATES } from '@showchain/wire'

/**
 * Host candidates: addresses of this host on its own networks, as many as one `local` field takes.
 */
export const localCandidates = (bound: readonly Endpoint[], addresses: readonly string[]): readonly Endpoint[] =>
  hostCandidates(bound, addresses).slice(0, MAX_LOCAL_CANDIDATES)

/** Addresses that were chosen to listen at; a wildcard is no choice. */
export const chosenAddresses = (bound: readonly Endpoint[]): readonly Endpoint[] =>
  bound.filter(({ ip }) => !isWildcard(ip))

/**
 * The endpoints of sockets bound to `bound`, best first: a wildcard stands for every local address
 * of its family. Addresses that were chosen follow.
 */
export function hostCandidates(bound: readonly Endpoint[], addresses: readonly string[]): readonly Endpoint[] {
  const wildcards = bound.filter(({ ip }) => isWildcard(ip))
  const chosen = bound.filter(({ ip }) => !isWildcard(ip))
  const found = addresses.flatMap((ip) =>
    wildcards.filter((any) => ipFamily(any.ip) === ipFamily(ip)).map(({ port }) => ({ ip, port })),
  )
  return [...found, ...chosen]
}

export const isWildcard = (ip: string): boolean => ip === '0.0.0.0' || ip === '::'
