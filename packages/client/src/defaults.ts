/** Limits of a peer's tables, and where this host can be reached. */
import { type Endpoint, MAX_LOCAL_CANDIDATES } from '@showchain/wire'
import { hostCandidates } from './runtime/index.ts'
import { isWildcard } from './runtime/local-addresses.ts'

/** A laptop's numbers: far above what one person's peers need, and still bounded. A relay has its own. */
export const PEER_LIMITS = {
  /** Parsed keys, a few KiB each. */
  keys: 1024,
  /** Peers whose newest request is remembered. */
  replay: 4096,
  /** Requests whose answer is kept for repetitions, ≤ 2 KiB each. */
  answers: 1024,
  /** Signatures that wait to be verified. */
  verifications: 64,
  /** Sources and ids whose rate is watched. */
  sources: 4096,
  /** Signed requests from one address: a dial makes a handful. */
  sourceRate: { perSecond: 50, burst: 100 },
  idRate: { perSecond: 10, burst: 40 },
} as const

/** Addresses that others on this host's networks can reach it at, as many as one `local` field takes. */
export const localCandidates = (bound: readonly Endpoint[]): readonly Endpoint[] =>
  hostCandidates(bound).slice(0, MAX_LOCAL_CANDIDATES)

/** Addresses that somebody chose to listen at; a wildcard is no choice. */
export const chosenAddresses = (bound: readonly Endpoint[]): readonly Endpoint[] =>
  bound.filter(({ ip }) => !isWildcard(ip))
