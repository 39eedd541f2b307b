/** What every part of a relay stands on, and how each of them sends. */
import { type Count, encodeFitting, type RateLimit } from '@showchain/client/endpoint'
import type { CryptoProvider, KeyCache, PublicKey, Random } from '@showchain/crypto/core'
import type { Encoding, Endpoint, Message } from '@showchain/wire'
import type { RelayLimits } from './limits.ts'
import type { RelayCounter } from './relay-counters.ts'
import type { RelayOutbox } from './relay-outbox.ts'

export interface RelayContext {
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

/** The datagram; undefined, and counted, when it does not fit one. */
export function encodeCounted({ count }: RelayContext, message: Message, encoding: Encoding): Uint8Array | undefined {
  const bytes = encodeFitting(message, encoding)
  if (bytes === undefined) count('tooLarge')
  return bytes
}

/** Encodes and transmits. */
export function send(context: RelayContext, to: Endpoint, message: Message, encoding: Encoding): void {
  const bytes = encodeCounted(context, message, encoding)
  if (bytes !== undefined) context.outbox.transmit(to, bytes)
}
