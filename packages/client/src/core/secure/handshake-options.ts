/** What a handshake needs of its owner, and what it gives. */
import type { NoiseCrypto, NoiseResult, Random } from '@showchain/crypto/core'
import type { PeerId } from '@showchain/wire'
import type { Count } from '../endpoint/counters.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Timers } from '../endpoint/timers.ts'
import type { CertificateSource } from './credentials.ts'
import type { RemoteIdentityOptions } from './remote-identity.ts'

/** What a complete handshake gives. */
export interface Secured extends Pick<NoiseResult, 'sendKey' | 'receiveKey' | 'hash'> {
  /** Whether this end is the initiator. */
  readonly initiator: boolean
  /** In records to the remote peer. */
  readonly remoteConnectionId: Uint8Array
  /** Whether this end is the first to show that it has the keys. */
  readonly confirms: boolean
  /** Whether the remote peer's application asked for this connection, as it says. */
  readonly remoteDialled: boolean
  /** Whether the remote peer says that it knows named streams. */
  readonly namedStreams: boolean
}

export interface HandshakeOptions extends RemoteIdentityOptions {
  readonly self: PeerId
  readonly remoteId: PeerId
  readonly crypto: NoiseCrypto
  readonly credentials: CertificateSource
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  /** In records to this end. */
  readonly connectionId: Uint8Array
  /** Whether this end's application asked for the connection. */
  dialled(): boolean
  /** Whether this end says that it knows named streams. */
  readonly namedStreams: boolean
  /** The handshake hash of the connection at hand, which begins with its name. */
  current(): Uint8Array | undefined
  transmit(kind: number, message: Uint8Array, now: Instant): void
  /** Counts messages that are not genuine, or not for this end to read. */
  readonly count: Count<'handshakeRefused'>
}

export type HandshakeEvent =
  | { readonly type: 'secured'; readonly secured: Secured }
  /**
   * The remote peer is who it says, and must not be talked to: with the keys it can be told why.
   */
  | { readonly type: 'refused'; readonly secured: Secured; readonly reason: string }
  /**
   * A handshake that this end began or waits for has failed; forged messages do not make it fail.
   */
  | { readonly type: 'failed'; readonly reason: string }
