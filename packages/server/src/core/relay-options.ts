/** What a relay's machine is made of, what its parts share, and what it says of itself. */
import type { Count } from '@showchain/client/endpoint'
import {
  CookieJar,
  type CryptoProvider,
  KeyCache,
  type Permits,
  type PublicKey,
  type Random,
  TokenMint,
} from '@showchain/crypto/core'
import { type AddressKey, addressKey } from './address-rate.ts'
import { fleetTokens } from './fleet/fleet-mail.ts'
import type { FleetOptions } from './fleet/fleet-options.ts'
import { type RelayLimits, relayLimits } from './limits.ts'
import type { Quotas } from './quotas.ts'
import type { RelayContext } from './relay-context.ts'
import type { RelayCounter } from './relay-counters.ts'
import { RelayOutbox } from './relay-outbox.ts'
import { requestRates } from './request-rates.ts'
import type { StunSockets } from './stun-responder.ts'
import type { Traffic } from './traffic.ts'
import type { Usage } from './usage.ts'

/** Parsed keys in the cache, of 3 KiB each. To parse one again takes 8 µs, a third of a verification. */
const KEY_CACHE = 1024

const SECRET_BYTES = 32

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
  /** Who shows a good one of these may use it, too. @default permits count for nothing */
  readonly permits?: Permits | undefined
  /** What peers may send through it. @default as much as they want */
  readonly quotas?: Quotas | undefined
  /** What all used so far, as it was kept. @default nothing */
  readonly total?: Usage | undefined
  /** The fleet that this relay is a node of. @default none */
  readonly fleet?: FleetOptions | undefined
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
  /** Other nodes of the fleet. */
  readonly fleetNodes: number
  /** Peers at other nodes. */
  readonly fleetPlaces: number
  /** Signatures being made or checked. */
  readonly pendingWork: number
}

/** What a relay keeps to itself. */
export interface RelaySecrets {
  readonly tokens: TokenMint
  readonly cookies: CookieJar
  readonly addressKey: AddressKey
}

/** The key of tables comes from the secret of the cookies: there is one for as long as the relay runs. */
export function relaySecrets({ provider, random, fleet, unixMs }: RelayOptions): RelaySecrets {
  const tokens = new TokenMint(provider, random, fleet && { secret: fleetTokens(provider, fleet), unixMs })
  const secret = random.bytes(SECRET_BYTES)
  return { tokens, cookies: new CookieJar(provider, { bytes: () => secret }), addressKey: addressKey(provider, secret) }
}

/** @throws ShowchainError `ERR_BAD_CONFIG` when a limit is none. */
export function relayContext(
  { self, provider, random, knownKeys = [], limits: overrides }: RelayOptions,
  key: AddressKey,
  count: Count<RelayCounter>,
  sent: Traffic['sent'],
): RelayContext {
  const limits = relayLimits(overrides)
  const keys = new KeyCache(provider, KEY_CACHE)
  for (const key of knownKeys) keys.pin(key)
  const rates = requestRates(limits, key)
  return { self, provider, keys, random, limits, addressKey: key, rates, count, outbox: new RelayOutbox(count, sent) }
}
