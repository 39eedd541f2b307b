/** What a mailbox and its clients keep, and for how long: docs/mailbox.md states each. */
import { type Duration, duration, type Rate } from '@showchain/client/endpoint'
import { AEAD_TAG_BYTES } from '@showchain/crypto/core'
import { CONFIRMATION_BYTES, SHARE_BYTES } from '@showchain/crypto/cpace'
import { MAX_TICKET_LENGTH } from '@showchain/wire'

/** The byte that both ends write first. */
export const VERSION = 1
/** Type and length. */
export const FRAME_HEADER_BYTES = 3
/** The name of a run, which the end that takes chooses. */
export const SESSION_BYTES = 16
export const START_BYTES: number = SESSION_BYTES + SHARE_BYTES
/** The longest payload: that of PROOF and DONE. */
export const MAX_PAYLOAD: number = CONFIRMATION_BYTES + MAX_TICKET_LENGTH + AEAD_TAG_BYTES

/** How long a code can be typed. */
export const SLOT_LIFE: Duration = duration(600_000)
/**
 * How long a number that was used is not given again, so that who types an old code again does not
 * spend somebody else's.
 */
export const REST: Duration = duration(60_000)
/** Four digits to type at most. */
export const MAX_NUMBER = 9999
/** Slots that wait; each is a stream that is open. */
export const MAX_SLOTS = 512
/** Of one source: a lecture hall behind one address. */
export const MAX_SLOTS_PER_SOURCE = 32
/** What a client has for its first frame. */
export const FIRST_FRAME: Duration = duration(10_000)
/** What two ends have from START to DONE: four trips through the mailbox, and lost packets. */
export const RUN: Duration = duration(30_000)
/** START and PROOF, or REPLY and DONE, and WRONG. */
export const MAX_PASSED = 3
/** Slots taken and codes tried by one source. */
export const SOURCE_RATE: Rate = { perSecond: 1 / 6, burst: 20 }
/** Sources whose rate is remembered. */
export const MAX_SOURCES = 16_384
/** The mailbox closes connections and streams that are too many with this code. */
export const BUSY = 2
