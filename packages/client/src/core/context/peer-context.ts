/**
 * Dependencies that a peer's state machines share: identity, settings, key cache, timers,
 * randomness, outbox.
 */
import type { CryptoProvider, KeyCache, PublicKey, Random } from '@showchain/crypto/core'
import type { Encoding, Endpoint, Message, Nat, PeerId } from '@showchain/wire'
import type { AddressPolicy } from '../endpoint/address-policy.ts'
import type { Outlet } from '../endpoint/drained.ts'
import type { Duration, Route } from '../endpoint/machine.ts'
import type { Sequence } from '../endpoint/request-stamp.ts'
import type { Sockets } from '../endpoint/sockets.ts'
import type { Timers } from '../endpoint/timers.ts'
import type { Acquaintances } from '../secure/acquaintances.ts'
import type { EndToEnd } from '../secure/end-to-end.ts'
import type { Carriers } from './carriers.ts'
import type { PathPolicy, PeerEvent } from './events.ts'
import type { PeerCounter } from './peer-counters.ts'
import type { PumpQueue } from './pump-queue.ts'

export interface PeerContext {
  readonly self: PeerId
  /** This peer's own public key: SPKI DER. */
  readonly spki: Uint8Array
  /** Of this peer's signatures, in bytes. */
  readonly signatureLength: number
  readonly provider: CryptoProvider
  readonly keys: KeyCache
  readonly random: Random
  readonly sequence: Sequence
  readonly timers: Pick<Timers, 'set'>
  readonly sockets: Sockets
  readonly outbox: Outlet<PeerEvent>
  readonly pumps: PumpQueue
  /** The encoding of requests. An answer has the encoding of its request. */
  readonly encoding: Encoding
  /** Send no extension field at all. */
  readonly seedMode: boolean
  /** The paths that a connection may take unless a dial has a policy of its own. */
  readonly policy: PathPolicy
  /** Data is readable in both directions, without end-to-end protection. */
  readonly plaintext: boolean
  /** Undefined with plaintext. */
  readonly endToEnd: EndToEnd | undefined
  /** Bytes of data that one 0x123 of this peer carries. */
  readonly maxMessage: number
  readonly allows: AddressPolicy
  readonly keepAlive: Duration
  /** What it keeps of others. */
  readonly acquaintances: Acquaintances
  /** What relays are shown to be let in. */
  readonly permits: ReadonlyMap<PeerId, Uint8Array>
  /** Over what its relays are reached. */
  readonly carriers: Carriers
  /** The behaviour of this peer's NAT, once discovery has found it. */
  readonly nat: { known: Nat | undefined }
  /** Where this host can be reached on its own networks, best first. */
  readonly hostCandidates: () => readonly Endpoint[]
  /** Where this host sends to an endpoint: one of IPv4 may have an address in the prefix of a NAT64. */
  readonly reached: (endpoint: Endpoint) => Endpoint
  /** Where everybody outside reaches it, since a router maps its port. */
  readonly mappedAddresses: () => readonly Endpoint[]
  /**
   * Bytes of the largest datagram that the link to this destination takes, where none is sent in
   * fragments; undefined: it may be.
   */
  readonly unfragmented: (to: Route) => number | undefined
  readonly count: (name: PeerCounter) => void
}

/**
 * The key of a message's signer: from the cache, or carried in the message if it hashes to the id.
 */
export function signerKey(context: PeerContext, id: PeerId, message: Message): PublicKey | undefined {
  const known = context.keys.get(id)
  const carried = message.ext?.key
  return known ?? (carried === undefined ? undefined : context.keys.learn(id, carried))
}
