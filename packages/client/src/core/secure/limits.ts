/** The times and limits of end-to-end protection, each once; docs/protocol.md, End to end. */
import { type Duration, duration } from '../endpoint/machine.ts'

/** A key serves this long, then the next one; RFC-less, as WireGuard's REKEY_AFTER_TIME. */
export const REKEY_AFTER: Duration = duration(120_000)
/** Records under the key before are taken this long after the new one came: reordering is far below. */
export const PREVIOUS_KEY_GRACE: Duration = duration(30_000)
/** A handshake that is not done by then has failed. */
export const HANDSHAKE_TIME: Duration = duration(20_000)
/** A handshake message is sent again after the first delay, then less often, until the time is over: an end must get through where one packet in five is lost on every hop. */
export const REPEAT_FIRST: Duration = duration(400)
export const REPEAT_GROWTH = 1.5
export const REPEAT_LAST: Duration = duration(1500)
/** First messages of one peer that are answered within HANDSHAKE_TIME: each costs two X25519, and on a validated path only. */
export const MAX_FIRST_MESSAGES = 8
/** How long the larger id waits for the smaller one to begin, before it asks. */
export const ASK_AFTER: Duration = duration(300)
/** Challenges of new addresses that are open at a time: more would be a way to make this peer send. */
export const CHALLENGE_LIFETIME: Duration = duration(3000)
