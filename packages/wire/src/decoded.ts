/** What a decoder answers: a message, or why the datagram is none. */
import type { Encoding, Message } from './message.ts'

/**
 * Why a datagram is no message: for counters, never for answers.
 * - `size`: longer than a datagram may be, or empty
 * - `class`: not a message by its first byte
 * - `syntax`: JSON that does not parse or repeats a name
 * - `op`: not in the table
 * - `field`: missing, cut short, of the wrong kind or not canonical
 * - `extension`: out of order, repeated, unfinished, or known and bad
 * - `unknownName`: a JSON member that is neither field nor extension, in strict mode
 * - `rule`: a value that the seed forbids there (keep-alive with seq or ts, a peer that targets itself)
 */
export type Refusal = 'size' | 'class' | 'syntax' | 'op' | 'field' | 'extension' | 'unknownName' | 'rule'

export type Decoded =
  | { readonly ok: true; readonly message: Message; readonly encoding: Encoding }
  | { readonly ok: false; readonly refusal: Refusal }

export const refuse = (refusal: Refusal): Decoded => ({ ok: false, refusal })
