/**
 * Outstanding proxied messages: forwarded, and not acknowledged or acknowledged recently. An
 * acknowledgement is accepted only for one of these. A retransmission is forwarded until then, and
 * answered with the acknowledgement afterwards (docs/protocol.md, Retransmission, Who sends what).
 */
import { ExpiringMap, type Instant } from '@showchain/client/endpoint'
import type { Extensions } from '@showchain/wire'
import type { RelayLimits } from './limits.ts'
import type { ProxySession, SessionEnd } from './proxy-session-table.ts'
import { OUTSTANDING_LIFETIME } from './times.ts'

interface Forwarded {
  readonly sender: SessionEnd
  readonly ts: number
  /** See DataPacket.proof. */
  readonly proof: Uint8Array
  /** How often it was passed on. */
  times: number
}

interface Acknowledged {
  readonly ts: number
  /** Extension fields of the acknowledgement. */
  readonly ext: Extensions | undefined
}

export type OutstandingData =
  | ({ readonly state: 'forwarded' } & Forwarded)
  | ({ readonly state: 'acknowledged' } & Acknowledged)

export class OutstandingTable {
  /**
   * At most `limits.outstanding`, the oldest is evicted; each ends 15 s after it was forwarded
   * last.
   */
  readonly #messages: ExpiringMap<string, OutstandingData>

  constructor(limits: RelayLimits) {
    this.#messages = new ExpiringMap({
      lifetime: OUTSTANDING_LIFETIME,
      capacity: limits.outstanding,
      onEnd: (_key, message) => {
        if (message.state === 'forwarded') message.sender.unacknowledged--
      },
    })
  }

  get size(): number {
    return this.#messages.size
  }

  get(session: ProxySession, sender: SessionEnd, seq: number, now: Instant): OutstandingData | undefined {
    return this.#messages.get(keyOf(session, sender, seq), now)
  }

  /**
   * Forwarded for the first time. The replay window has checked that the sender did not use this
   * number before.
   */
  forwarded(session: ProxySession, sender: SessionEnd, seq: number, ts: number, proof: Uint8Array, now: Instant): void {
    this.#messages.set(keyOf(session, sender, seq), { state: 'forwarded', sender, ts, proof, times: 1 }, now)
    sender.unacknowledged++
  }

  /** Passed on again. */
  repeated(session: ProxySession, sender: SessionEnd, seq: number, now: Instant): void {
    this.#messages.touch(keyOf(session, sender, seq), now)
  }

  /** The proof is needed no more, only that the answer is known. */
  acknowledged(
    session: ProxySession,
    sender: SessionEnd,
    seq: number,
    ts: number,
    ext: Extensions | undefined,
    now: Instant,
  ): void {
    this.#messages.set(keyOf(session, sender, seq), { state: 'acknowledged', ts, ext }, now)
    sender.unacknowledged--
  }

  expire(now: Instant): void {
    this.#messages.expire(now)
  }
}

const keyOf = (session: ProxySession, sender: SessionEnd, seq: number): string =>
  `${session.id}${sender === session.requester ? '>' : '<'}${seq}`
