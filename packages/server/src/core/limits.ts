/**
 * The limits of a relay: capacities of its tables and rates of its clients. One table; the type,
 * the schema of configuration and the defaults come from it. What the protocol fixes is in times.ts
 * and consent-budget.ts and cannot be set.
 */
import { parseOptions } from '@showchain/wire'
import * as z from 'zod'

interface Limit {
  readonly default: number
  readonly sentence: string
}

const LIMITS = {
  bindings: { default: 200_000, sentence: 'peers registered at once; the one silent longest makes room' },
  bindingsPerSource: {
    default: 1024,
    sentence: 'peers registered at once from one IPv4 address or IPv6 /64; more are refused',
  },
  accessSeconds: { default: 60, sentence: 'seconds for which a decision about access holds' },
  accessAnswers: { default: 65_536, sentence: 'decisions about access that are kept; the oldest makes room' },
  accessQuestions: {
    default: 1024,
    sentence: 'peers about which access is being decided at once; more are told to wait',
  },
  requestsPerSecondPerSource: { default: 100, sentence: 'requests per second from one IPv4 address or IPv6 /64' },
  requestBurstPerSource: { default: 1000, sentence: 'requests that one such source may make at once' },
  requestsPerSecondPerId: { default: 20, sentence: 'requests per second of one peer' },
  requestBurstPerId: { default: 100, sentence: 'requests that one peer may make at once' },
  rateSources: {
    default: 65_536,
    sentence: 'sources and peers whose rate is remembered; see RateLimit for the full table',
  },
  ids: {
    default: 262_144,
    sentence: 'peers whose last requests are remembered against replay; the one silent longest makes room',
  },
  answers: { default: 65_536, sentence: 'requests whose answer is kept for repetition; the oldest makes room' },
  verifications: { default: 1024, sentence: 'requests whose signature is being verified at once; more are shed' },
  attempts: { default: 65_536, sentence: 'punch attempts remembered; the oldest makes room' },
  sessions: { default: 65_536, sentence: 'proxy sessions open at once; the one idle longest makes room' },
  sessionsPerId: { default: 64, sentence: 'proxy sessions that one peer has opened; its own idle longest makes room' },
  outstanding: {
    default: 262_144,
    sentence: 'proxied messages remembered for their acknowledgement; the oldest makes room',
  },
  outstandingPerDirection: {
    default: 1024,
    sentence: 'unacknowledged proxied messages of one sender in one session; more are dropped',
  },
  consentPairs: {
    default: 65_536,
    sentence: 'pairs whose consent budget is counted; the source with the most makes room',
  },
  dataPerSecondPerId: { default: 5000, sentence: 'proxied messages per second of one peer' },
  framesPerSecondPerId: { default: 50_000, sentence: 'channel frames per second of one peer' },
  frameBurstPerId: { default: 50_000, sentence: 'channel frames that one peer may send at once' },
  frameBytesPerSecondPerId: { default: 60_000_000, sentence: 'bytes of channel frames per second of one peer' },
  frameBytesBurstPerId: { default: 60_000_000, sentence: 'bytes of channel frames that one peer may send at once' },
  dataBurstPerId: { default: 10_000, sentence: 'proxied messages that one peer may send at once' },
} as const

/** Names of the limits. */
export type RelayLimit = keyof typeof LIMITS
/** The limits of a relay, with what each is by default (docs/protocol.md, Limits of a relay). */
export const RELAY_LIMITS: Readonly<Record<RelayLimit, Limit>> = LIMITS
/** The value of each limit. */
export type RelayLimits = { readonly [Name in RelayLimit]: number }

const NAMES = Object.keys(RELAY_LIMITS) as RelayLimit[]
const limitSchema = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)

/** Overrides of the defaults, as configuration gives them. */
export const relayLimitsSchema: z.ZodType<Partial<RelayLimits>> = z.strictObject(
  Object.fromEntries(NAMES.map((name) => [name, limitSchema.optional().describe(RELAY_LIMITS[name].sentence)])),
) as unknown as z.ZodType<Partial<RelayLimits>>

/**
 * All limits, with the given values in place of defaults.
 * @throws ShowchainError `ERR_BAD_CONFIG` that names the limit.
 */
export function relayLimits(overrides: Partial<RelayLimits> = {}): RelayLimits {
  const given = parseOptions(relayLimitsSchema, overrides, 'limits')
  return Object.fromEntries(NAMES.map((name) => [name, given[name] ?? RELAY_LIMITS[name].default])) as RelayLimits
}

/** Sizes of tables, which are made at the start: other values need another start. */
const SIZES: ReadonlySet<RelayLimit> = new Set([
  ...(['bindings', 'rateSources', 'ids', 'answers', 'verifications', 'attempts', 'sessions'] as const),
  ...(['outstanding', 'consentPairs', 'accessAnswers', 'accessQuestions'] as const),
])

/**
 * Takes other limits while a relay runs.
 * @returns those that stay as they are until it starts again
 * @throws ShowchainError `ERR_BAD_CONFIG` that names the limit, and nothing has changed.
 */
export function changeLimits(
  limits: { -readonly [Name in RelayLimit]: number },
  overrides: Partial<RelayLimits>,
): readonly RelayLimit[] {
  const wanted = relayLimits(overrides)
  for (const name of NAMES) if (!SIZES.has(name)) limits[name] = wanted[name]
  return NAMES.filter((name) => limits[name] !== wanted[name])
}
