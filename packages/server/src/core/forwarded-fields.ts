/**
 * The extension fields of a message that a relay forwards. Signed ones always stay, since the
 * signature covers them; `key` and `local` stand outside it, go only to a receiver that knows
 * extensions, and `local` only between peers that share a public address (docs/protocol.md,
 * Extension fields).
 */
import type { Extensions } from '@showchain/wire'

export interface Forwarding {
  readonly receiverKnowsExtensions: boolean
  readonly sharesAddress: boolean
  /** The original sender's key. */
  readonly spki: Uint8Array
}

export function forwardedFields(ext: Extensions | undefined, passing: Forwarding): { readonly ext?: Extensions } {
  const { key: _key, local, ...signed } = ext ?? {}
  const candidates = passing.sharesAddress && local !== undefined ? { local } : {}
  if (passing.receiverKnowsExtensions) return { ext: { ...signed, key: passing.spki, ...candidates } }
  return Object.keys(signed).length === 0 ? {} : { ext: signed }
}
