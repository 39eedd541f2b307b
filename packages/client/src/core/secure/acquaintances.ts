/**
 * What this peer keeps of others that it has met (docs/protocol.md, Tokens and Hello): the token that
 * each gave last, its static key, and where it was last reached directly. A store that the application
 * supplies outlives the process. A token or key that is good no more costs a trip, an address some
 * datagrams.
 */
import { type Endpoint, type PeerId, sameEndpoint } from '@showchain/wire'
import { type Duration, duration, type Route } from '../endpoint/machine.ts'
import { scopeOf } from '../endpoint/route.ts'
import { WARM_KEY_LIFETIME } from './warm-keys.ts'

/** Remote peers and relays that are kept in memory; the one that was used first is forgotten. */
export const MAX_ACQUAINTANCES = 1024

/**
 * Of an address: many home connections get another one each day, and a dial to one that somebody
 * else has by then shows that person who calls whom.
 */
export const ADDRESS_LIFETIME: Duration = duration(24 * 3600 * 1000)

export interface Acquaintance {
  /** What it gave to be shown instead of a cookie. */
  readonly token?: Uint8Array | undefined
  /** Its static key, and until when by this end's wall clock it may be used. */
  readonly staticKey?: { readonly key: Uint8Array; readonly untilMs: number } | undefined
  /** Where protected data came from it by a direct path, and until when that is tried. */
  readonly address?: { readonly endpoint: Endpoint; readonly untilMs: number } | undefined
}

/** Where acquaintances are kept. */
export interface AcquaintanceStore {
  get(id: PeerId): Acquaintance | undefined
  /** @param met undefined: nothing is worth keeping */
  set(id: PeerId, met: Acquaintance | undefined): void
}

export class AcquaintancesInMemory implements AcquaintanceStore {
  /** Least recently used first. */
  readonly #byId = new Map<PeerId, Acquaintance>()

  get(id: PeerId): Acquaintance | undefined {
    const met = this.#byId.get(id)
    if (met !== undefined) this.set(id, met)
    return met
  }

  set(id: PeerId, met: Acquaintance | undefined): void {
    this.#byId.delete(id)
    if (met === undefined) return
    const [first] = this.#byId.keys()
    if (this.#byId.size >= MAX_ACQUAINTANCES && first !== undefined) this.#byId.delete(first)
    this.#byId.set(id, met)
  }
}

export class Acquaintances {
  readonly #store: AcquaintanceStore
  readonly #unixMs: () => number

  constructor(store: AcquaintanceStore, unixMs: () => number) {
    this.#store = store
    this.#unixMs = unixMs
  }

  token(issuer: PeerId): Uint8Array | undefined {
    return this.#store.get(issuer)?.token
  }

  /** @param token undefined: none was given, and the last one is good for nothing more */
  keepToken(issuer: PeerId, token: Uint8Array | undefined): void {
    this.#keep(issuer, { token: token && Uint8Array.from(token) })
  }

  /** The static key of a remote peer, while it may be used. */
  staticKey(id: PeerId): Uint8Array | undefined {
    const { key, untilMs } = this.#store.get(id)?.staticKey ?? {}
    return untilMs !== undefined && this.#unixMs() < untilMs ? key : undefined
  }

  /** @param lifetimeS as its owner says; never longer than its keys may last */
  keepStaticKey(id: PeerId, key: Uint8Array, lifetimeS: number): void {
    const lifetimeMs = Math.min(lifetimeS * 1000, WARM_KEY_LIFETIME)
    this.#keep(id, { staticKey: { key: Uint8Array.from(key), untilMs: this.#unixMs() + lifetimeMs } })
  }

  /** Its owner does not have it any more, or it is none. */
  forgetStaticKey(id: PeerId): void {
    if (this.#store.get(id)?.staticKey !== undefined) this.#keep(id, { staticKey: undefined })
  }

  /** Where a remote peer was last reached, while that is worth trying. */
  address(id: PeerId): Endpoint | undefined {
    const { endpoint, untilMs } = this.#store.get(id)?.address ?? {}
    return untilMs !== undefined && this.#unixMs() < untilMs ? endpoint : undefined
  }

  /**
   * Not written again and again: a store may be a file. What one interface alone reaches may be another
   * one's by then.
   */
  keepAddress(id: PeerId, route: Route): void {
    if (scopeOf(route) !== 0) return
    const { ip, port } = route
    const endpoint = { ip, port }
    const kept = this.#store.get(id)?.address
    const untilMs = this.#unixMs() + ADDRESS_LIFETIME
    const isNews = kept === undefined || !sameEndpoint(kept.endpoint, endpoint)
    if (isNews || kept.untilMs < untilMs - ADDRESS_LIFETIME / 2) this.#keep(id, { address: { endpoint, untilMs } })
  }

  #keep(id: PeerId, news: Acquaintance): void {
    const { token, staticKey, address } = { ...this.#store.get(id), ...news }
    const met = token !== undefined || staticKey !== undefined || address !== undefined
    this.#store.set(id, met ? { token, staticKey, address } : undefined)
  }
}
