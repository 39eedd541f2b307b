/**
 * What reaches a target that has not answered: so much per pair (R, T) and minute, over all of the
 * pair's sessions or introductions without consent (docs/protocol.md, Consent). The minute slides:
 * no 60 s hold more. What went into one that the target answered later counts no longer, nor what went
 * to another node of a fleet that nobody there can have heard (docs/fleet.md, Nodes).
 */
import { type Instant, later, rateSource } from '@showchain/client/endpoint'
import type { Endpoint, PeerId } from '@showchain/wire'
import { NONE } from './expiring-rows.ts'
import type { Peers } from './peers.ts'
import { SharedTable } from './shared-table.ts'
import { CONSENT_SPAN } from './times.ts'

export interface Unconsented {
  readonly packets: number
  readonly bytes: number
}

/** docs/protocol.md, Consent: 0x124. */
const MAX_UNCONSENTED_PACKETS = 4
const MAX_UNCONSENTED_BYTES = 4096
export const UNCONSENTED_DATA: Unconsented = { packets: MAX_UNCONSENTED_PACKETS, bytes: MAX_UNCONSENTED_BYTES }
/** Likewise 0x112: two requests that are repeated as often as one may be. */
const MAX_INTRODUCTIONS = 10
const MAX_INTRODUCTION_BYTES = 10_240
export const UNCONSENTED_INTRODUCTIONS: Unconsented = { packets: MAX_INTRODUCTIONS, bytes: MAX_INTRODUCTION_BYTES }

/** What of a session or an introduction matters here. */
export interface Consentable {
  readonly requester: { readonly id: PeerId }
  readonly target: { readonly id: PeerId }
  readonly consented: boolean
}

interface ForwardedPacket {
  readonly at: Instant
  readonly bytes: number
  readonly session: Consentable
  /** Whether it went to the other nodes of the fleet. */
  readonly elsewhere: boolean
}

export class ConsentBudget {
  readonly #most: Unconsented
  readonly #peers: Peers
  /**
   * What each pair was let through in the last minute; at most `most.packets` entries each. Pairs
   * belong to the requester's source, which pays when there are `capacity` of them.
   */
  readonly #pairs: SharedTable<readonly ForwardedPacket[]>

  constructor(most: Unconsented, capacity: number, peers: Peers) {
    this.#most = most
    this.#peers = peers
    this.#pairs = new SharedTable(CONSENT_SPAN, capacity)
  }

  get size(): number {
    return this.#pairs.size
  }

  /**
   * Whether the budget has room for one packet from R to T.
   * @param from the requester's address
   */
  allows(session: Consentable, from: Endpoint, bytes: number, now: Instant): boolean {
    const pair = this.#pairs.get(pairOf(session), now)
    if (pair === undefined) return this.#pairs.hasRoom(rateSource(from.ip), now)
    const forwarded = this.#recent(pair, now)
    const total = forwarded.reduce((sum, packet) => sum + packet.bytes, bytes)
    return forwarded.length < this.#most.packets && total <= this.#most.bytes
  }

  /** Counts what was let through. */
  spend(session: Consentable, from: Endpoint, bytes: number, now: Instant): void {
    const key = pairOf(session)
    const before = this.#recent(this.#pairs.get(key, now) ?? [], now)
    const elsewhere = this.#peers.rowOf(session.target.id, now) === NONE
    this.#pairs.set(key, [...before, { at: now, bytes, session, elsewhere }], rateSource(from.ip), now)
  }

  expire(now: Instant): void {
    this.#pairs.expire(now)
  }

  #recent(forwarded: readonly ForwardedPacket[], now: Instant): readonly ForwardedPacket[] {
    const { silence } = this.#peers
    return forwarded.filter(({ at, session, elsewhere }) => {
      const heard = !elsewhere || silence === undefined || at <= silence.since || at >= silence.until
      return heard && !session.consented && later(at, CONSENT_SPAN) > now
    })
  }
}

const pairOf = ({ requester, target }: Consentable): string => `${requester.id} ${target.id}`
