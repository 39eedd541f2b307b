/** Dependencies that the parts of a relay share. */
import type { AdmissionRates, Count, RateLimit } from '@showchain/client/endpoint'
import type { CryptoProvider, KeyCache, PublicKey, Random } from '@showchain/crypto/core'
import type { AddressKey, AddressRate } from './address-rate.ts'
import type { RelayLimits } from './limits.ts'
import type { RelayCounter } from './relay-counters.ts'
import type { RelayOutbox } from './relay-outbox.ts'

export interface RelayRates extends AdmissionRates {
  readonly challenge: AddressRate
  /** Its own: a flood in a peer's address spends nothing of what its requests need. */
  readonly stun: RateLimit
}

export interface RelayContext {
  /** This relay's own key; its id is `self.id`. */
  readonly self: PublicKey
  readonly provider: CryptoProvider
  readonly keys: KeyCache
  readonly random: Random
  /** They may change; sizes of tables do not. */
  readonly limits: RelayLimits
  /** Of all tables of addresses. */
  readonly addressKey: AddressKey
  readonly rates: RelayRates
  readonly count: Count<RelayCounter>
  readonly outbox: RelayOutbox
}
