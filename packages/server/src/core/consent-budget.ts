/**
 * What reaches a target that has not answered: at most 4 packets or 4 KiB per pair (R, T) and
 * minute, over all of the pair's sessions without consent (docs/protocol.md, Consent). The minute
 * slides: no 60 s hold more. What went into a session that the target answered in later counts no
 * longer.
 */
import { ExpiringMap, type Instant, later } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import { CONSENT_SPAN } from './times.ts'

/** docs/protocol.md, Consent. */
const MAX_UNCONSENTED_PACKETS = 4
const MAX_UNCONSENTED_BYTES = 4096

/** What of a session matters here. */
export interface Consentable {
  readonly requester: { readonly id: PeerId }
  readonly target: { readonly id: PeerId }
  readonly consented: boolean
}

interface ForwardedPacket {
  readonly at: Instant
  readonly bytes: number
  readonly session: Consentable
}

export class ConsentBudget {
  /**
   * What each pair was let through in the last minute; at most 4 entries each. When there are
   * `capacity` pairs, further ones get nothing: forgetting one would renew its budget.
   */
  readonly #pairs: ExpiringMap<string, readonly ForwardedPacket[]>
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#pairs = new ExpiringMap({ lifetime: CONSENT_SPAN, capacity })
  }

  get size(): number {
    return this.#pairs.size
  }

  /** Takes the bytes of one packet from R to T from the budget; false when it is spent. */
  allows(session: Consentable, bytes: number, now: Instant): boolean {
    const forwarded = this.#recent(session, now)
    if (forwarded.length === 0 && this.#isFull(now)) return false
    const total = forwarded.reduce((sum, packet) => sum + packet.bytes, bytes)
    return forwarded.length < MAX_UNCONSENTED_PACKETS && total <= MAX_UNCONSENTED_BYTES
  }

  /** Counts what was let through. */
  spend(session: Consentable, bytes: number, now: Instant): void {
    this.#pairs.set(pairOf(session), [...this.#recent(session, now), { at: now, bytes, session }], now)
  }

  expire(now: Instant): void {
    this.#pairs.expire(now)
  }

  #recent(pair: Consentable, now: Instant): readonly ForwardedPacket[] {
    const forwarded = this.#pairs.get(pairOf(pair), now) ?? []
    return forwarded.filter(({ at, session }) => !session.consented && later(at, CONSENT_SPAN) > now)
  }

  #isFull(now: Instant): boolean {
    if (this.#pairs.size >= this.#capacity) this.#pairs.expire(now)
    return this.#pairs.size >= this.#capacity
  }
}

const pairOf = ({ requester, target }: Consentable): string => `${requester.id} ${target.id}`
