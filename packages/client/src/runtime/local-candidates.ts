/** Where a peer on this host can be reached, as far as the host itself knows. */
import { type Endpoint, MAX_LOCAL_CANDIDATES } from '@showchain/wire'
import { hostCandidates } from './index.ts'
import { isWildcard } from './local-addresses.ts'

/** Addresses that others on this host's networks can reach it at, as many as one `local` field takes. */
export const localCandidates = (bound: readonly Endpoint[]): readonly Endpoint[] =>
  hostCandidates(bound).slice(0, MAX_LOCAL_CANDIDATES)

/** Addresses that somebody chose to listen at; a wildcard is no choice. */
export const chosenAddresses = (bound: readonly Endpoint[]): readonly Endpoint[] =>
  bound.filter(({ ip }) => !isWildcard(ip))
