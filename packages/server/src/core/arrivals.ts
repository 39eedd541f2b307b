/**
 * What a peer sent beside its 0x101 (docs/protocol.md, One flight): one 0x111 of each that is about to
 * be bound is kept while its signature is being verified, and handled then.
 */
import {
  type AdmissionRequest,
  type Duration,
  duration,
  ExpiringMap,
  type Instant,
  type Route,
  routeKey,
} from '@showchain/client/endpoint'
import type { MessageOf, OP, PeerId } from '@showchain/wire'

type Introduction = AdmissionRequest<MessageOf<typeof OP.punchRequest>>

/** A signature is verified within this time, or its queue is too long. */
export const ARRIVAL_LIFETIME: Duration = duration(2000)

export class Arrivals {
  /** At most as many as signatures are verified at once. */
  readonly #kept: ExpiringMap<string, { introduction: Introduction | undefined }>
  readonly #handle: (introduction: Introduction, now: Instant) => void

  constructor(capacity: number, handle: (introduction: Introduction, now: Instant) => void) {
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
  expect(id: PeerId, source: Route, now: Instant): void {
    this.#kept.set(nameOf(id, source), { introduction: undefined }, now)
  }

  /** Something of its came from there before it is bound. @returns whether it is kept */
  keep(introduction: Introduction, now: Instant): boolean {
    const { message, source } = introduction
    // Nearly always there is none.
    const kept = this.#kept.size === 0 ? undefined : this.#kept.get(nameOf(message.id, source), now)
    if (kept === undefined || kept.introduction !== undefined) return false
    kept.introduction = introduction
    return true
  }

  /** It is bound there. */
  arrived(id: PeerId, source: Route, now: Instant): void {
    const name = nameOf(id, source)
    const introduction = this.#kept.get(name, now)?.introduction
    this.#kept.delete(name)
    if (introduction !== undefined) this.#handle(introduction, now)
  }
}

const nameOf = (id: PeerId, source: Route): string => `${id} ${routeKey(source)}`
