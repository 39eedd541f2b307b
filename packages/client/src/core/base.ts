/** What every machine of a peer stands on: who it is, its keys, its clockless sources of time and chance, and its outbox. */
import type { CryptoProvider, KeyCache, PublicKey, Random } from '@showchain/crypto/core'
import { messagePreimage } from '@showchain/crypto/core'
import {
  type Encoding,
  type Endpoint,
  encode,
  type Message,
  type PeerId,
  type SignedMessage,
  type Unsigned,
} from '@showchain/wire'
import type { AddressPolicy } from './address-policy.ts'
import type { PeerEvent } from './events.ts'
import type { Duration, Instant } from './machine.ts'
import type { Outbox } from './outbox.ts'
import type { PeerCounter } from './peer-counters.ts'
import type { Sequence } from './sequence.ts'
import type { Timers } from './timers.ts'

export interface Base {
  readonly self: PeerId
  /** This peer's own public key: SPKI DER. */
  readonly spki: Uint8Array
  readonly provider: CryptoProvider
  readonly keys: KeyCache
  readonly random: Random
  readonly sequence: Sequence
  readonly timers: Timers
  readonly outbox: Outbox<PeerEvent>
  /** The encoding of requests; answers come in that of what they answer. */
  readonly encoding: Encoding
  /** Send no extension field at all. */
  readonly seedMode: boolean
  /** Readable data is allowed, both ways. */
  readonly plaintext: boolean
  readonly allows: AddressPolicy
  readonly keepAlive: Duration
  /** Where this host can be reached on its own networks, best first. */
  readonly hostCandidates: () => readonly Endpoint[]
  readonly count: (name: PeerCounter) => void
}

/** Encodes and transmits; false when the message does not fit a datagram in this encoding. */
export function send(base: Base, to: Endpoint, message: Message, encoding: Encoding = base.encoding): boolean {
  const bytes = encodeFitting(message, encoding)
  if (bytes === undefined) {
    base.count('tooLarge')
    return false
  }
  base.outbox.transmit(to, bytes)
  return true
}

/** The datagram; without `local` when it is too large with it, undefined when it is too large all the same (docs/protocol.md, Field kinds). */
export function encodeFitting(message: Message, encoding: Encoding): Uint8Array | undefined {
  const { ext } = message
  for (const candidate of ext?.local === undefined
    ? [message]
    : [message, { ...message, ext: { ...ext, local: undefined } }]) {
    try {
      return encode(candidate, encoding)
    } catch {
      // Too large: only sizes can fail here, since every value came from our own machines.
    }
  }
  return undefined
}

/** Signs off the loop; `done` is called with the whole message, or undefined when no signature could be had. */
export function sign<U extends Unsigned>(
  base: Base,
  unsigned: U,
  done: (message: (SignedMessage & U) | undefined, now: Instant) => void,
): void {
  base.outbox.sign(messagePreimage(base.provider, unsigned), (signature, now) => {
    if (signature === undefined) base.count('signShed')
    done(signature === undefined ? undefined : ({ ...unsigned, sign: signature } as unknown as SignedMessage & U), now)
  })
}

/** Verifies off the loop where that pays; `done` gets false for a bad signature and for one that nobody had time for. */
export function verify(
  base: Base,
  key: PublicKey,
  message: SignedMessage,
  done: (valid: boolean, now: Instant) => void,
): void {
  base.outbox.verify(key, messagePreimage(base.provider, message), message.sign, (valid, now) => {
    if (valid !== true) base.count(valid === undefined ? 'verifyShed' : 'badSignature')
    done(valid === true, now)
  })
}

/** The key of a message's signer: a known one, or the one that the message carries and that hashes to the id. */
export function signerKey(base: Base, id: PeerId, message: Message): PublicKey | undefined {
  const known = base.keys.get(id)
  const carried = message.ext?.key
  return known ?? (carried === undefined ? undefined : base.keys.learn(id, carried))
}
