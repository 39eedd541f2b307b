/** The times of a relay, each once, with its source in docs/protocol.md. None is configuration: other implementations count on them. */
import { type Duration, duration } from '@showchain/client/endpoint'

/** Addresses: a binding ends after this long without an accepted message from its address. */
export const BINDING_LIFETIME: Duration = duration(60_000)
/** Who sends what, 0x100: an address is sent one at most this often, or two relays would echo for ever. */
export const KEEP_ALIVE_GAP: Duration = duration(5000)
/** Who sends what, 0x100: an address is told `unbound` at most this often. */
export const UNBOUND_GAP: Duration = duration(5000)
/** An address is told `noSession` at most this often: one is enough to open a new session, and a lost one comes again. */
export const NO_SESSION_GAP: Duration = duration(250)
/** A punch attempt is over by then: a target may ask its user for 10 s, and both retransmit for 11.5 s (Retransmission). */
export const ATTEMPT_LIFETIME: Duration = duration(30_000)
/** A proxy session that carried nothing for this long is gone; its ends ask for a new one when told `noSession`. */
export const SESSION_IDLE: Duration = duration(600_000)
/** Retransmission: proxied data is remembered for its acknowledgement as long as its sender may repeat it (11.5 s), with slack. */
export const OUTSTANDING_LIFETIME: Duration = duration(15_000)
/** Consent: the span over which the budget of an unconsenting target is counted. */
export const CONSENT_SPAN: Duration = duration(60_000)
/** How late an ended entry may leave its table; nobody can see it in between. */
export const SWEEP_INTERVAL: Duration = duration(1000)
