/** What a relay's machine is made of, and what it says of itself. */
import type { CryptoProvider, PublicKey, Random } from '@showchain/crypto/core'
import type { RelayLimits } from './limits.ts'
import type { Quotas } from './quotas.ts'
import type { StunSockets } from './stun-responder.ts'
import type { Usage } from './usage.ts'

/** What a relay is made of. */
export interface RelayOptions {
  /** This relay's own key; work of kind `sign` is done with it. */
  readonly self: PublicKey
  readonly provider: CryptoProvider
  readonly random: Random
  /** Wall clock, in ms. */
  readonly unixMs: () => number
  /** Keys from configuration: these peers may register in seed mode. */
  readonly knownKeys?: readonly PublicKey[] | undefined
  /** Addresses of each socket, the relay's own first; further ones answer STUN alone. @default unknown */
  readonly stun?: StunSockets | undefined
  /** Whether it asks who may use it, by the event `applied`. @default everyone may */
  readonly asks?: boolean | undefined
  /** What peers may send through it. @default as much as they want */
  readonly quotas?: Quotas | undefined
  /** What all used so far, as it was kept. @default nothing */
  readonly total?: Usage | undefined
  /** In place of the defaults. */
  readonly limits?: Partial<RelayLimits> | undefined
}

/** How full a relay's tables are. */
export interface RelayStats {
  readonly bindings: number
  readonly sessions: number
  readonly attempts: number
  /** Decisions about access, made and open. */
  readonly access: number
  readonly answers: number
  readonly outstanding: number
  readonly consentPairs: number
  readonly rateSources: number
  readonly ids: number
  readonly parsedKeys: number
  /** What is known of ids and sources, where there are quotas. */
  readonly accounts: number
  /** Signatures being made or checked. */
  readonly pendingWork: number
}
