/**
 * Asks the application whether a peer may connect. Nothing is answered before it agrees, and a
 * refused peer sees what an absent one would show (docs/protocol.md, Consent).
 */
import type { PeerId } from '@showchain/wire'
import type { Via } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'

/** Peers that wait for the application's decision; further ones are dropped. */
export const MAX_PENDING_CONSENT = 256
/** Time for a decision. */
export const CONSENT_LIFETIME: Duration = duration(10_000)
/**
 * Proxied messages of one peer that wait for the decision: as many as a relay forwards without
 * consent.
 */
export const MAX_HELD_MESSAGES = 4

type Then = (now: Instant) => void

export class ConnectionGate {
  readonly #context: PeerContext
  readonly #dialling: (id: PeerId) => boolean
  /**
   * What waits for each decision; at most MAX_PENDING_CONSENT peers × MAX_HELD_MESSAGES, each for
   * CONSENT_LIFETIME.
   */
  readonly #pending = new Map<PeerId, Then[]>()

  /** @param dialling whether this peer is dialling that one: a dial is consent. */
  constructor(context: PeerContext, dialling: (id: PeerId) => boolean) {
    this.#context = context
    this.#dialling = dialling
  }

  /**
   * Asks, unless the same peer is being asked about or dialled. `allowed` is called only when the
   * peer may connect.
   */
  ask(id: PeerId, via: Via, now: Instant, allowed: Then): void {
    if (this.#dialling(id)) return allowed(now)
    const waiting = this.#pending.get(id)
    if (waiting !== undefined) {
      if (waiting.length < MAX_HELD_MESSAGES) waiting.push(allowed)
      return
    }
    if (this.#pending.size === MAX_PENDING_CONSENT) return this.#context.count('consentRefused')
    this.#pending.set(id, [allowed])
    const timer = this.#context.timers.set(later(now, CONSENT_LIFETIME), (at) => decide(false, at))
    const decide = (yes: boolean, at: Instant): void => {
      const then = this.#pending.get(id)
      if (then === undefined) return
      timer.cancel()
      this.#pending.delete(id)
      if (!yes) return this.#context.count('consentRefused')
      for (const each of then) each(at)
    }
    let decided = false
    this.#context.outbox.event({
      type: 'consent',
      id,
      via,
      decide: (yes, at) => {
        if (decided) return
        decided = true
        decide(yes, at)
      },
    })
  }
}
