/** Builds what the machines of one peer share, from what its owner injects. */

import {
  CookieJar,
  type CryptoProvider,
  type EndToEndCrypto,
  KeyCache,
  type PublicKey,
  type Random,
  RequestReplay,
  TokenMint,
} from '@showchain/crypto/core'
import type { Encoding, Endpoint, PeerId } from '@showchain/wire'
import { Carriers } from '../context/carriers.ts'
import type { PathPolicy, PeerEvent } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import { PEER_COUNTERS, type PeerCounter } from '../context/peer-counters.ts'
import { PumpQueue } from '../context/pump-queue.ts'
import { type AddressPolicy, internetPolicy } from '../endpoint/address-policy.ts'
import { Admission } from '../endpoint/admission.ts'
import { addressLimit, admissionRates } from '../endpoint/admission-rates.ts'
import { Counters } from '../endpoint/counters.ts'
import type { Duration } from '../endpoint/machine.ts'
import { Outbox } from '../endpoint/outbox.ts'
import { Sequence } from '../endpoint/request-stamp.ts'
import { Sockets } from '../endpoint/sockets.ts'
import { Timers } from '../endpoint/timers.ts'
import { maxMessage } from '../messages/max-message-size.ts'
import { KEEP_ALIVE_INTERVAL } from '../relays/keep-alive.ts'
import { Strangers } from '../requests/strangers.ts'
import { type AcquaintanceStore, Acquaintances, AcquaintancesInMemory } from '../secure/acquaintances.ts'
import { ConnectionIds } from '../secure/connection-ids.ts'
import { Credentials } from '../secure/credentials.ts'
import { EarlyOnce } from '../secure/early-once.ts'
import { type EndToEnd, noiseCrypto, type RecordReceiver } from '../secure/end-to-end.ts'
import { Ephemerals } from '../secure/ephemerals.ts'
import { IDLE_TIMEOUT } from '../secure/limits.ts'
import { WarmKeys } from '../secure/warm-keys.ts'
import { Bbr } from '../transport/congestion/bbr.ts'
import type { CongestionFactory } from '../transport/congestion/controller.ts'
import type { Observe } from '../transport/observer.ts'
import type { FindNat } from './nat-servers.ts'
import {
  ID_RATE,
  MAX_ANSWERS,
  MAX_KEYS,
  MAX_RATES,
  MAX_REQUESTERS,
  MAX_VERIFICATIONS,
  SOURCE_RATE,
} from './peer-limits.ts'

export interface PeerMachineOptions {
  /** This peer's own key; work of kind `sign` is done with it. */
  readonly self: PublicKey
  readonly provider: CryptoProvider
  readonly random: Random
  /** Wall clock, in ms. */
  readonly unixMs: () => number
  /** Asks what the NAT does. @default nobody asks */
  readonly natDiscovery?: FindNat | undefined
  /**
   * Where this host can be reached on its own networks, at most MAX_LOCAL_CANDIDATES, best first.
   * @default nowhere
   */
  readonly hostCandidates?: (() => readonly Endpoint[]) | undefined
  /** Where this host sends to an endpoint. @default as it is */
  readonly reached?: ((endpoint: Endpoint) => Endpoint) | undefined
  /** Where everybody outside reaches it, since a router maps its port. @default nowhere */
  readonly mappedAddresses?: (() => readonly Endpoint[]) | undefined
  /**
   * Bytes of the largest datagram that the link of the first socket to this destination takes, where
   * that socket sends none in fragments; undefined: it may. @default it may
   */
  readonly unfragmented?: ((to: Endpoint) => number | undefined) | undefined
  /** Whether the system has UDP. @default true */
  readonly udp?: boolean | undefined
  /** Whether the system can make WebSocket connections. @default false */
  readonly websocket?: boolean | undefined
  /** Keys from configuration: peers and relays that speak only the seed. @default none */
  readonly knownKeys?: readonly PublicKey[] | undefined
  /** @default 'binary' */
  readonly encoding?: Encoding | undefined
  /** Send no extension field at all. @default false */
  readonly seedMode?: boolean | undefined
  /** Which paths connections may take; one that is dialled may have its own. @default 'auto' */
  readonly policy?: PathPolicy | undefined
  /** Data is readable, both ways: no protection from end to end. @default false */
  readonly plaintext?: boolean | undefined
  /** What protects data from end to end; without it, and without `plaintext`, there is none. */
  readonly endToEnd?: EndToEndCrypto | undefined
  /** Records connections. @default none */
  readonly observe?: Observe | undefined
  /** @default bbr */
  readonly congestion?: CongestionFactory | undefined
  /** @default internetPolicy */
  readonly allows?: AddressPolicy | undefined
  /** @default KEEP_ALIVE_INTERVAL */
  readonly keepAlive?: Duration | undefined
  /** Where it keeps what it has of others. @default in memory */
  readonly acquaintances?: AcquaintanceStore | undefined
  /** What relays are shown to be let in. @default nothing */
  readonly permits?: ReadonlyMap<PeerId, Uint8Array> | undefined
  /** Names of streams that remote peers may open. @default any */
  readonly protocols?: ReadonlySet<string> | undefined
  /** Takes what a peer that dials says before it is answered. @default false */
  readonly acceptEarly?: boolean | undefined
  /** A protected connection ends when nothing came for this long. @default IDLE_TIMEOUT */
  readonly idleTimeout?: Duration | undefined
}

export interface PeerParts {
  readonly context: PeerContext
  readonly timers: Timers
  readonly outbox: Outbox<PeerEvent>
  readonly admission: Admission
  readonly replay: RequestReplay
  readonly tokens: TokenMint
  readonly counters: Counters<PeerCounter>
}

function endToEndOf(
  {
    self,
    random,
    unixMs,
    observe,
    congestion = (packet) => new Bbr(packet),
    idleTimeout = IDLE_TIMEOUT,
    provider,
    acceptEarly = false,
    protocols,
  }: PeerMachineOptions,
  crypto: EndToEndCrypto,
  outbox: Outbox<PeerEvent>,
  acquaintances: Acquaintances,
): EndToEnd {
  const credentials = new Credentials({ spki: self.spki, crypto, random, unixMs, outbox })
  const connectionIds = new ConnectionIds<RecordReceiver>(random)
  const warmKeys = new WarmKeys(noiseCrypto(crypto, provider), random)
  const ephemerals = new Ephemerals(crypto, random)
  ephemerals.prepare()
  const early = acceptEarly ? new EarlyOnce(unixMs) : undefined
  const warm = { acquaintances, warmKeys, ephemerals, early }
  return { crypto, credentials, congestion, unixMs, idleTimeout, connectionIds, protocols, observe, ...warm }
}

export function peerParts(options: PeerMachineOptions): PeerParts {
  const { self, provider, random, unixMs, knownKeys = [] } = options
  const counters = new Counters<PeerCounter>(PEER_COUNTERS)
  const { count } = counters
  const keys = new KeyCache(provider, MAX_KEYS)
  for (const key of knownKeys) keys.pin(key)
  const configured = new Set(knownKeys.map(({ id }) => id))
  const replay = new RequestReplay({ unixMs, capacity: MAX_REQUESTERS })
  const outbox = new Outbox<PeerEvent>()
  const timers = new Timers()
  const plaintext = options.plaintext ?? false
  const acquaintances = new Acquaintances(options.acquaintances ?? new AcquaintancesInMemory(), unixMs)
  const context: PeerContext = {
    ...{ provider, keys, random, outbox, count },
    self: self.id,
    spki: self.spki,
    signatureLength: self.signatureLength,
    sequence: new Sequence(random, unixMs),
    timers,
    sockets: new Sockets(outbox),
    pumps: new PumpQueue(),
    encoding: options.encoding ?? 'binary',
    seedMode: options.seedMode ?? false,
    policy: options.policy ?? 'auto',
    plaintext,
    maxMessage: maxMessage(self.signatureLength, options.encoding ?? 'binary'),
    endToEnd:
      options.endToEnd === undefined || plaintext
        ? undefined
        : endToEndOf(options, options.endToEnd, outbox, acquaintances),
    allows: options.allows ?? internetPolicy,
    keepAlive: options.keepAlive ?? KEEP_ALIVE_INTERVAL,
    carriers: new Carriers({ udp: options.udp ?? true, websocket: options.websocket ?? false }),
    nat: { known: undefined },
    acquaintances,
    permits: options.permits ?? new Map(),
    hostCandidates: options.hostCandidates ?? (() => []),
    reached: options.reached ?? ((endpoint) => endpoint),
    mappedAddresses: options.mappedAddresses ?? (() => []),
    unfragmented: (to) => ((to.socket ?? 0) <= 0 ? options.unfragmented?.(to) : undefined),
  }
  const tokens = new TokenMint(provider, random)
  const strangers = new Strangers(context)
  const admission = new Admission({
    ...{ provider, keys, replay, outbox, count },
    speaksOnlySeed: ({ id }) => configured.has(id),
    unproven: (request, token, now) => strangers.take(request, token, now),
    tokens,
    cookies: new CookieJar(provider, random),
    rates: admissionRates(SOURCE_RATE, ID_RATE, MAX_RATES, addressLimit),
    limits: { answers: MAX_ANSWERS, verifications: MAX_VERIFICATIONS },
  })
  return { context, timers, outbox, admission, replay, tokens, counters }
}
