/**
 * The bytes that a message's signature covers: the same in both encodings (docs/protocol.md,
 * Signatures).
 *
 *   "SHOWCHAIN-P2P-v1" 0x00 | op_code u16 | the row's signature list
 *                           | SHA-256 of the signed extension fields, if any
 */
import { kindOf } from './binary.ts'
import { writeU16 } from './bytes.ts'
import { ShowchainError, typedError } from './errors.ts'
import { signedFieldBytes } from './extension-fields.ts'
import type { Extensions } from './extensions.ts'
import { quote } from './foreign.ts'
import type { Message, Unsigned } from './message.ts'
import { rowOf } from './table.ts'
import { utf8 } from './utf8.ts'

const CONTEXT = utf8('SHOWCHAIN-P2P-v1\0')
/** Context, op code and at most two ids, session, seq, ts and a hash. */
const MAX_PREIMAGE = CONTEXT.length + 2 + 2 * 32 + 16 + 2 * 8 + 32
const SHA256_BYTES = 32

/** A message of a row that is signed. */
export type SignedMessage = Extract<Message, { readonly sign: Uint8Array }>

/**
 * @param message a signed message, with or without its `sign`.
 * @param sha256 supplied by the caller: this package has no cryptography.
 * @throws ShowchainError `ERR_BAD_MESSAGE` if messages of this row are not signed.
 */
export function preimage(message: SignedMessage | Unsigned, sha256: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const out = new Uint8Array(MAX_PREIMAGE)
  const { end, signed } = fieldsOf(message, out)
  if (signed === undefined) return out.subarray(0, end)
  out.set(sha256(signed), end)
  return out.subarray(0, end + SHA256_BYTES)
}

/** Writes all but the hash; `signed` is what that is of. */
function fieldsOf(
  message: Unsigned,
  out: Uint8Array,
): { readonly end: number; readonly signed: Uint8Array | undefined } {
  try {
    const op: unknown = (message as Message | undefined)?.op_code
    const row = typeof op === 'number' ? rowOf(op) : undefined
    if (row?.signature === undefined)
      throw new ShowchainError('ERR_BAD_MESSAGE', `Op code ${quote(op)} is not a signed message.`)
    const values = message as unknown as Readonly<Record<string, unknown>> & { readonly ext?: Extensions }
    out.set(CONTEXT)
    let at = writeU16(out, CONTEXT.length, row.signedAs ?? row.op)
    for (const name of row.signature) {
      const kind = kindOf(name)
      const value = values[name]
      if (kind.measure(value) === -1)
        throw new ShowchainError('ERR_BAD_MESSAGE', `Field ${name} of ${row.name}: expected ${kind.binary}.`)
      at = kind.write(out, at, value)
    }
    // Every type that is known in the signed message is known in the message that passes it on.
    return { end: at, signed: signedFieldBytes(row.op, values.ext) }
  } catch (error) {
    throw typedError(error, 'ERR_BAD_MESSAGE', 'It cannot be read.')
  }
}
