/**
 * Capacities of a peer's shared tables: far above what one person's peers need. A relay has its
 * own.
 */
import type { Rate } from '../endpoint/rate-limit.ts'

/** Parsed keys, a few KiB each. */
export const MAX_KEYS = 1024
/** Peers whose newest requests are remembered against replay. */
export const MAX_REQUESTERS = 4096
/** Requests whose answer is kept for repetitions, at most 2 KiB each. */
export const MAX_ANSWERS = 1024
/** Requests whose signature is being verified. */
export const MAX_VERIFICATIONS = 64
/** Sources and ids whose rate is watched. */
export const MAX_RATES = 4096
/** Signed requests from one address: a dial makes a handful. */
export const SOURCE_RATE: Rate = { perSecond: 50, burst: 100 }
export const ID_RATE: Rate = { perSecond: 10, burst: 40 }
