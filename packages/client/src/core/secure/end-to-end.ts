/** What all protected connections of a peer share. */
import type { CryptoProvider, EndToEndCrypto, NoiseCrypto, NoiseHandshake } from '@showchain/crypto/core'
import type { Duration, Instant, Route } from '../endpoint/machine.ts'
import type { CongestionFactory } from '../transport/congestion/controller.ts'
import type { Observe } from '../transport/observer.ts'
import type { Acquaintances } from './acquaintances.ts'
import type { ConnectionIds } from './connection-ids.ts'
import type { CertificateSource } from './credentials.ts'
import type { EarlyOnce } from './early-once.ts'
import type { Ephemerals } from './ephemerals.ts'
import type { WarmKeys } from './warm-keys.ts'

/** The owner of a secure session: it gets the records that carry the session's connection id. */
export interface RecordReceiver {
  /** @param from where it came from directly, or the session of the channel frame that it was in */
  receiveRecord(record: Uint8Array, from: Route | Uint8Array, now: Instant): void
}

export interface EndToEnd {
  readonly crypto: EndToEndCrypto
  readonly credentials: CertificateSource
  readonly congestion: CongestionFactory
  readonly unixMs: () => number
  /** @see IdleTimeout */
  readonly idleTimeout: Duration
  readonly connectionIds: ConnectionIds<RecordReceiver>
  /** Static keys of others are kept there. */
  readonly acquaintances: Acquaintances
  readonly ephemerals: Ephemerals
  /** This peer's own. */
  readonly warmKeys: WarmKeys
  /** Undefined: this peer takes nothing early. */
  readonly early: EarlyOnce | undefined
  /** Of named streams that remote peers may open. Undefined: any. */
  readonly protocols: ReadonlySet<string> | undefined
  readonly observe: Observe | undefined
}

/** What a handshake needs of both. */
export const noiseCrypto = (crypto: EndToEndCrypto, provider: CryptoProvider): NoiseCrypto => ({
  ...crypto,
  sha256: (bytes) => provider.sha256(bytes),
  hmacSha256: (key, bytes) => provider.hmacSha256(key, bytes),
})

/**
 * Undefined when the remote peer's public key is of small order, which shows only when it is used.
 */
export function writeOrNothing(noise: NoiseHandshake, payload: Uint8Array): Uint8Array | undefined {
  try {
    return noise.write(payload)
  } catch {
    return undefined
  }
}
