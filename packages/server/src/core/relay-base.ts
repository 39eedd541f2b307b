/** What every part of a relay stands on, and how each of them sends and signs. */
import type { Count, Instant, RateLimit } from '@showchain/client/core'
import {
  type CryptoProvider,
  type KeyCache,
  messagePreimage,
  type PublicKey,
  type Random,
} from '@showchain/crypto/core'
import { type Encoding, type Endpoint, encode, type Message, type SignedMessage, type Unsigned } from '@showchain/wire'
import type { RelayLimits } from './limits.ts'
import type { RelayCounter } from './relay-counters.ts'
import type { RelayOutbox } from './relay-outbox.ts'

export interface RelayBase {
  /** This relay's own key; its id is `self.id`. */
  readonly self: PublicKey
  readonly provider: CryptoProvider
  readonly keys: KeyCache
  readonly random: Random
  readonly limits: RelayLimits
  /** Of everything that costs RSA: by source address, and by id. */
  readonly rates: { readonly source: RateLimit; readonly id: RateLimit }
  readonly count: Count<RelayCounter>
  readonly outbox: RelayOutbox
}

/**
 * The datagram; what stands outside the signature goes when it is too large, `local` first, then `key`
 * (docs/protocol.md, Field kinds). Undefined, and counted, when it does not fit all the same.
 */
export function encodeFitting({ count }: RelayBase, message: Message, encoding: Encoding): Uint8Array | undefined {
  const { ext } = message
  const candidates = [message]
  if (ext?.local !== undefined) candidates.push({ ...message, ext: { ...ext, local: undefined } })
  if (ext?.key !== undefined) candidates.push({ ...message, ext: { ...ext, local: undefined, key: undefined } })
  for (const candidate of candidates) {
    try {
      return encode(candidate, encoding)
    } catch {
      // Only its size can be wrong: every value was decoded or made by us.
    }
  }
  count('tooLarge')
  return undefined
}

/** Encodes and transmits; no more bytes than `most`, where the address is not validated. */
export function send(
  base: RelayBase,
  to: Endpoint,
  message: Message,
  encoding: Encoding,
  most: number = Number.POSITIVE_INFINITY,
): void {
  const bytes = encodeFitting(base, message, encoding)
  if (bytes !== undefined && bytes.length <= most) base.outbox.transmit(to, bytes)
}

/** Signs off the loop; `done` is called with the whole message, or with undefined (and counted) when no signature could be had. */
export function sign<U extends Unsigned>(
  base: RelayBase,
  unsigned: U,
  done: (message: (U & { readonly sign: Uint8Array }) | undefined, now: Instant) => void,
): void {
  base.outbox.sign(messagePreimage(base.provider, unsigned), (signature, now) => {
    if (signature === undefined) base.count('signShed')
    done(signature === undefined ? undefined : { ...unsigned, sign: signature }, now)
  })
}

/** Verifies off the loop where that pays; `done` gets false for a bad signature and for one that nobody had time for. */
export function verify(
  base: RelayBase,
  key: PublicKey,
  message: SignedMessage | Unsigned,
  signature: Uint8Array,
  done: (valid: boolean, now: Instant) => void,
): void {
  base.outbox.verify(key, messagePreimage(base.provider, message), signature, (valid, now) => {
    if (valid !== true) base.count(valid === undefined ? 'verifyShed' : 'badSignature')
    done(valid === true, now)
  })
}
