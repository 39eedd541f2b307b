/** Where a peer on this host can be reached, as far as the host itself knows. */
import { type Endpoint, MAX_LOCAL_CANDIDATES } from '@showchain/wire'
import { hostCandidates, isWildcard } from './local-addresses.ts'

/**
 * Host candidates: addresses of this host on its own networks, as many as one `local` field takes.
 */
export const localCandidates = (bound: readonly Endpoint[], addresses: readonly string[]): readonly Endpoint[] =>
  hostCandidates(bound, addresses).slice(0, MAX_LOCAL_CANDIDATES)

/** Addresses that were chosen to listen at; a wildcard is no choice. */
export const chosenAddresses = (bound: readonly Endpoint[]): readonly Endpoint[] =>
  bound.filter(({ ip }) => !isWildcard(ip))
