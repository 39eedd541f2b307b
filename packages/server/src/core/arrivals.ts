/**
 * What a peer sent beside its 0x101 (docs/protocol.md, One flight): one datagram of each that is about
 * to be bound is kept while its signature is being verified, and handled then.
 */
import { type Datagram, type Duration, duration, ExpiringMap, type Instant, routeKey } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'

/** A signature is verified within this time, or its queue is too long. */
export const ARRIVAL_LIFETIME: Duration = duration(2000)

export class Arrivals {
  /** At most as many as signatures are verified at once. */
  readonly #kept: ExpiringMap<string, { datagram: Datagram | undefined }>
  readonly #handle: (datagram: Datagram, now: Instant) => void

  constructor(capacity: number, handle: (datagram: Datagram, now: Instant) => void) {
    this.#kept = new ExpiringMap({ lifetime: ARRIVAL_LIFETIME, capacity })
    this.#handle = handle
  }

  get size(): number {
    return this.#kept.size
  }

  expire(now: Instant): void {
    this.#kept.expire(now)
  }

  /** Its 0x101 is being verified. */
  expect(id: PeerId, source: Datagram['source'], now: Instant): void {
    this.#kept.set(nameOf(id, source), { datagram: undefined }, now)
  }

  /** Something of its came from there before it is bound. @returns whether it is kept */
  keep(id: PeerId, datagram: Datagram, now: Instant): boolean {
    // Nearly always there is none.
    const kept = this.#kept.size === 0 ? undefined : this.#kept.get(nameOf(id, datagram.source), now)
    if (kept === undefined || kept.datagram !== undefined) return false
    kept.datagram = datagram
    return true
  }

  /** It is bound there. */
  arrived(id: PeerId, source: Datagram['source'], now: Instant): void {
    const name = nameOf(id, source)
    const datagram = this.#kept.get(name, now)?.datagram
    this.#kept.delete(name)
    if (datagram !== undefined) this.#handle(datagram, now)
  }
}

const nameOf = (id: PeerId, source: Datagram['source']): string => `${id} ${routeKey(source)}`
