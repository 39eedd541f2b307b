/**
 * Who may not use a relay, whatever else is decided: ids, sources (an IPv4 address, an IPv6 /64), and who
 * shows a permit of this number.
 */
import { rateSource } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'

/** Somebody who may not use a relay. */
export interface Ban {
  /** An id, a source as limits name it, or `permit:` and the number of one. */
  readonly who: string
  /** Unix time in ms when it ends; undefined: never. */
  readonly until?: number | undefined
}

/** Bans at a time. */
export const MAX_BANS = 10_000

export class Bans {
  readonly #until = new Map<string, number | undefined>()

  get list(): readonly Ban[] {
    return [...this.#until].map(([who, until]) => ({ who, until }))
  }

  /** @returns false when there are too many */
  add({ who, until }: Ban): boolean {
    if (this.#until.size >= MAX_BANS && !this.#until.has(who)) return false
    this.#until.set(who, until)
    return true
  }

  /** @returns whether there was one */
  remove(who: string): boolean {
    return this.#until.delete(who)
  }

  has(id: PeerId, ip: string, unixMs: number): boolean {
    return this.#until.size > 0 && (this.#isBanned(id, unixMs) || this.#isBanned(rateSource(ip), unixMs))
  }

  /** @param permit as accounts name it */
  hasPermit(permit: string, unixMs: number): boolean {
    return this.#until.size > 0 && this.#isBanned(permit, unixMs)
  }

  expire(unixMs: number): void {
    for (const who of this.#until.keys()) this.#isBanned(who, unixMs)
  }

  /** One that is over is forgotten. */
  #isBanned(who: string, unixMs: number): boolean {
    if (!this.#until.has(who)) return false
    const until = this.#until.get(who)
    if (until === undefined || until > unixMs) return true
    this.#until.delete(who)
    return false
  }
}
