/** Errors of a relay as bytes. */
import type { PermitFault } from '@showchain/crypto/core'
import { type Encoding, encode, OP, WIRE_ERROR } from '@showchain/wire'

/** Why a registration is not granted. `undecided`: nobody could tell whether it is. */
export type Refusal = 'refused' | 'undecided' | 'overQuota' | 'permitNeeded' | 'permitUsedUp' | PermitFault

/**
 * Errors about nothing in particular are the same bytes for everybody: encoded once.
 * @param code of an error about a keep-alive, or about no message at all
 */
export function errorBytes(
  code: (typeof WIRE_ERROR)['unbound' | 'draining' | 'overQuota' | 'permitUsedUp'],
): Readonly<Record<Encoding, Uint8Array>> {
  const error = { op_code: OP.error, code, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const
  return { binary: encode(error, 'binary'), json: encode(error, 'json') }
}

/** What answers a registration that is not granted, and that had this stamp. */
export function refusalBytes(
  why: Refusal,
  { seq, ts }: { readonly seq: number; readonly ts: number },
  encoding: Encoding,
): Uint8Array {
  return encode({ op_code: OP.error, code: WIRE_ERROR[why], ref_op: OP.directRequest, seq, ts }, encoding)
}
