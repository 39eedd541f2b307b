/**
 * The times of a relay, each once, with its source in docs/protocol.md. None is configurable: other
 * implementations rely on them.
 */
import { type Duration, duration, type Instant } from '@showchain/client/endpoint'

/** Addresses: a binding ends after this long without an accepted message from its address. */
export const BINDING_LIFETIME: Duration = duration(60_000)
/**
 * Who sends what, 0x100: the least time between two 0x100 to one address, so that two relays do not
 * echo each other for ever.
 */
export const KEEP_ALIVE_GAP: Duration = duration(5000)
/** Errors: the least time between two `unbound` to one address. */
export const UNBOUND_GAP: Duration = duration(1000)
/** Errors: the least time between two `overQuota` to one address. */
export const QUOTA_GAP: Duration = duration(10_000)
/**
 * The least time between two `noSession` errors to one address: one suffices to open a new session,
 * and a lost one is sent again.
 */
export const NO_SESSION_GAP: Duration = duration(250)
/**
 * Lifetime of a punch attempt: a target may ask its user for 10 s, and both ends retransmit for
 * 11.5 s (Retransmission).
 */
export const ATTEMPT_LIFETIME: Duration = duration(30_000)
/**
 * A proxy session ends when it carried nothing for this long. Its ends ask for another when they
 * get `noSession`.
 */
export const SESSION_IDLE: Duration = duration(600_000)
/**
 * Retransmission: proxied data is remembered for its acknowledgement as long as its sender may
 * repeat it (11.5 s), with slack.
 */
export const OUTSTANDING_LIFETIME: Duration = duration(15_000)
/** Consent: the span over which the budget of an unconsenting target is counted. */
export const CONSENT_SPAN: Duration = duration(60_000)
/** How late an expired entry may leave its table; look-ups ignore it before. */
export const SWEEP_INTERVAL: Duration = duration(1000)

/** The earlier of two deadlines, of which either may be none. */
export const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a
