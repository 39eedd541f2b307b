/** Errors about nothing in particular, which are the same bytes for everybody: encoded once. */
import { type Encoding, encode, OP, type WIRE_ERROR } from '@showchain/wire'

/** @param code of an error about a keep-alive, or about no message at all */
export function errorBytes(code: (typeof WIRE_ERROR)['unbound' | 'draining']): Readonly<Record<Encoding, Uint8Array>> {
  const error = { op_code: OP.error, code, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const
  return { binary: encode(error, 'binary'), json: encode(error, 'json') }
}
