/** The result of decoding: a message, or the reason why the datagram is refused. */
import type { Encoding, Message } from './message.ts'

/**
 * Why a datagram is refused. For counters; the sender gets no answer.
 * - `size`: longer than a datagram may be, or empty
 * - `class`: the first byte is not that of a message
 * - `syntax`: JSON that does not parse or repeats a name
 * - `op`: an op code that is not in the table
 * - `field`: missing, truncated, of the wrong kind or not canonical
 * - `extension`: out of order, repeated, truncated, or a known type with a bad value
 * - `unknownName`: a JSON member that is neither field nor extension, in strict mode
 * - `rule`: a value that the seed forbids (keep-alive with seq or ts, a peer that targets itself)
 */
export type Refusal = 'size' | 'class' | 'syntax' | 'op' | 'field' | 'extension' | 'unknownName' | 'rule'

/** A message, or why there is none. */
export type Decoded =
  | { readonly ok: true; readonly message: Message; readonly encoding: Encoding }
  | { readonly ok: false; readonly refusal: Refusal }

export const refuse = (refusal: Refusal): Decoded => ({ ok: false, refusal })
