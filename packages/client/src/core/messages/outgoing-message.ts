/** A message that is to be sent, and what became of it. */
import { type ErrorCode, RECORD_BYTE } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'

/** Why a message could not be delivered; undefined: the other end acknowledged it. */
export type SendFailure = { readonly code: ErrorCode; readonly why: string } | undefined
export type Sent = (failure: SendFailure, now: Instant) => void

/**
 * The failure of messages that a relay may or may not have forwarded before it lost their session.
 */
export const SESSION_LOST: SendFailure = {
  code: 'ERR_TIMEOUT',
  why: 'The relay lost the session; the message may or may not have arrived.',
}

/** A message that waits to be sent or acknowledged. */
export interface OutgoingMessage {
  readonly bytes: Uint8Array
  readonly done: Sent
}

/**
 * Whether the message asks for an acknowledgement in this session and carries nothing: another
 * session cannot answer for it.
 */
export const asksOnly = ({ bytes }: OutgoingMessage): boolean => bytes.length === 0

/** Whether data is allowed: none, a record, or readable data if this peer chose `plaintext`. */
export const mayCarry = ({ plaintext, endToEnd }: PeerContext, data: Uint8Array): boolean =>
  data.length === 0 || plaintext || (endToEnd !== undefined && data[0] === RECORD_BYTE)
