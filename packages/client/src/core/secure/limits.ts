/** Times and limits of end-to-end protection, each once; docs/protocol.md, End to end. */
import { type Duration, duration } from '../endpoint/machine.ts'

/** Rekey after this long: WireGuard's REKEY_AFTER_TIME; no RFC sets a value. */
export const REKEY_AFTER: Duration = duration(120_000)
/**
 * Records under the previous key are read this long after a key update: reordering takes far less.
 */
export const PREVIOUS_KEY_GRACE: Duration = duration(30_000)
/**
 * Records that one connection sends before others have their turn: what one system call takes as
 * one packet (UDP_MAX_SEGMENTS of Linux before 6.9).
 */
export const TRAIN_RECORDS = 64
/** A handshake that is not complete by then has failed. */
export const HANDSHAKE_TIME: Duration = duration(20_000)
/**
 * A connection ends when nothing came for this long (RFC 9000 §10.1): a third of it is longer than
 * a router needs to start anew, or a laptop to change networks.
 */
export const IDLE_TIMEOUT: Duration = duration(300_000)
/** A timer that fires this late means that this process did not run: nobody else was silent. */
export const SUSPENDED: Duration = duration(1000)
/**
 * Retransmission of handshake messages: the first delay, its growth, and the longest. They get
 * through where one packet in five is lost on each hop.
 */
export const REPEAT_FIRST: Duration = duration(400)
export const REPEAT_GROWTH = 1.5
export const REPEAT_LAST: Duration = duration(1500)
/**
 * First messages of one remote peer that are answered within HANDSHAKE_TIME: each costs two X25519
 * operations, and they arrive on validated paths only.
 */
export const MAX_FIRST_MESSAGES = 8
/**
 * Handshake messages that are read on one path. A handshake has three, which are repeated twice a
 * second at most, and may come twice.
 */
export const HANDSHAKES_PER_SECOND = 8
export const HANDSHAKE_BURST = 32
/**
 * How long a hello waits for its answer before other ways are tried beside it: a relay or a remote
 * peer that knows only the seed drops it.
 */
export const HELLO_PATIENCE: Duration = duration(1000)
/**
 * How far the `ts` of requests with the same hello are apart. All of one dial are made within 50 s:
 * what each relay may take to challenge twice, and a request that is repeated after another's answer.
 * Who takes what a hello says early remembers it so much longer.
 */
export const HELLO_SPREAD: Duration = duration(60_000)
/** A hello that was answered, and whose keys no record used by then, is forgotten. */
export const PENDING_TIME: Duration = duration(30_000)
/**
 * How long the end with the smaller id leaves a handshake to the remote peer that began it: its last
 * message is repeated five times by then.
 */
export const YIELD_TIME: Duration = duration(5000)
/** How long the responder waits for the initiator to begin before it asks. */
export const ASK_AFTER: Duration = duration(300)
/**
 * How long a path challenge is open; one at a time. The next one waits twice as long after each that
 * was not answered, up to the second figure: a remote peer with the keys may name a victim's
 * address.
 */
export const CHALLENGE_LIFETIME: Duration = duration(3000)
export const MAX_CHALLENGE_GAP: Duration = duration(96_000)
