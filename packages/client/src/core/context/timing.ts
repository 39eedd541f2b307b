/** The times and limits of a peer, each once, with its source in docs/protocol.md. */
import { type Duration, duration } from '../endpoint/machine.ts'

/** Retransmission: identical bytes again this long after the send before. */
export const RETRY_DELAYS: readonly Duration[] = [500, 1000, 2000, 4000].map(duration)
/** Retransmission: each delay is off by up to this share, so that peers that lost together do not repeat together. */
export const RETRY_JITTER = 0.2
/** Retransmission: how long the last send is waited for. */
export const FINAL_WAIT: Duration = duration(4000)
/** Addresses: challenges that one request follows. */
export const MAX_CHALLENGES = 2
/** DirectResponder to one request that may fail verification before it is given up: forged ones would cost RSA without end. */
export const MAX_FORGED_ANSWERS = 8

/** Keep-alive: NATs drop UDP mappings from 30 s on. */
export const KEEP_ALIVE_INTERVAL: Duration = duration(15_000)
/** Keep-alive: so many unanswered in a row mean that the path is dead. */
export const MAX_UNANSWERED = 3
/** Who sends what, 0x100: nobody sends one to an address that was sent one this recently, so that two ends never echo for ever. */
export const KEEP_ALIVE_ECHO_GAP: Duration = duration(5000)

/** So many transmissions of one message without an answer put its path in doubt. */
export const SUSPICIOUS_TRANSMISSIONS = 3
/** A timer that fires so late was not late: the host slept, and everything may have changed. */
export const SLEPT: Duration = duration(5000)

/** Who sends what, 0x100: an `unbound` error makes a peer register again at most this often. */
export const REREGISTER_GAP: Duration = duration(5000)
/** Back-off between failed registrations: doubles from the first to the last, ±50 % (a relay that comes back meets its peers one by one). */
export const REGISTER_BACKOFF_FIRST: Duration = duration(1000)
export const REGISTER_BACKOFF_LAST: Duration = duration(60_000)

/** Meeting the seed: a requester that got no 0x115 by now asks again without signed extension fields. */
export const PLAIN_PUNCH_AFTER: Duration = duration(1000)
/** Punch safety: keep-alive-sized packets to one ip:port that has not answered. */
export const MAX_PROBES = 8
/**
 * When the probes of an attempt go, after its start. Both ends start within one trip of each other, so
 * the first few open the mappings; the later ones are for loss and for an end that consents late.
 */
export const PROBE_TIMES: readonly Duration[] = [0, 50, 150, 350, 750, 1550, 3150, 5000].map(duration)
/** An attempt ends this long after its start: the last probe and a full path check fit. */
export const ATTEMPT_LIFETIME: Duration = duration(15_000)
/** Ip:ports of one attempt: the announced one, host candidates and sources that turned out to be the peer's. */
export const MAX_CANDIDATES = 12

/** Birthday probing starts when ordinary probes had their chance. */
export const BIRTHDAY_DELAY: Duration = duration(2000)
/** Sockets that the symmetric side opens: with 2048 probes at 64,512 ports, one is hit in 99.97 % of all cases (1 − (1 − 256/64,512)^2048). */
export const BIRTHDAY_SOCKETS = 256
export const BIRTHDAY_PROBES = 2048
/** One packet of either side after the other: 100 a second, so that no router takes it for a flood. */
export const BIRTHDAY_INTERVAL: Duration = duration(10)
/** Sockets are opened so fast: all within a second, and long before the first mapping ends. */
export const BIRTHDAY_SOCKET_INTERVAL: Duration = duration(4)
/** An attempt with birthday probing ends this long after its start: the last probe and a path check fit. */
export const BIRTHDAY_LIFETIME: Duration = duration(34_000)

/** A relayed connection tries again to be direct: after this long, then twice as long each time, ±20 %. */
export const UPGRADE_FIRST: Duration = duration(16_000)
export const UPGRADE_LAST: Duration = duration(600_000)
/** A direct path that died, or an address that changed: this soon, so that both ends noticed. */
export const UPGRADE_SOON: Duration = duration(1000)
/** A connection without any path looks for one this long before it ends. */
export const RECOVERY_TIME: Duration = duration(45_000)
/** Between two rounds over the relays that both ends know. */
export const RECOVERY_PAUSE: Duration = duration(2000)
/** Relays that a connection remembers: as many as a ticket names. */
export const MAX_RELAYS_PER_CONNECTION = 8
/** The same id at two hosts: so many lost bindings without a change of address, within this time. */
export const DUPLICATE_LOSSES = 3
export const DUPLICATE_WINDOW: Duration = duration(120_000)

/** Unacknowledged proxied messages in flight per session and direction: a relay's consent budget lets 4 through, then this. */
export const SEND_WINDOW = 64
/** Messages that wait for the window. */
export const SEND_QUEUE = 1024
/** In flight until the first acknowledgement, which is the other end's consent (Consent: 4 packets a minute per pair). */
export const SEND_WINDOW_UNCONSENTED = 1
/** Messages that one connection holds for its reader; more are not acknowledged, so that the other end sends them again later. */
export const MAX_UNREAD = 1024
/** Sessions of one connection that are still listened to: the newest ones of each path. */
export const MAX_SESSIONS_PER_CONNECTION = 8

/** Consent questions that wait for the application's answer; more are dropped, as if absent. */
export const MAX_PENDING_CONSENT = 256
/** How long one waits. */
export const CONSENT_LIFETIME: Duration = duration(10_000)
/** Proxied messages that wait behind a consent question: what a relay lets through unconsented. */
export const MAX_HELD_MESSAGES = 4
/** Connections of one peer; at the cap incoming ones are refused. */
export const MAX_CONNECTIONS = 4096

/** A session that this peer ended is remembered this long: as long as a relay keeps one that is idle. */
export const CLOSED_SESSION_LIFETIME: Duration = duration(600_000)
/** At the cap the oldest is forgotten. */
export const MAX_CLOSED_SESSIONS = 4096
