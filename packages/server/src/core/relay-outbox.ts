/** The outputs of a relay. It counts what is sent, and the work that is outstanding. */
import { type Instant, Outbox, type Route } from '@showchain/client/endpoint'
import type { PublicKey } from '@showchain/crypto/core'
import type { RelayEvent } from './events.ts'
import { BUS, type Elsewhere } from './fleet/elsewhere.ts'
import type { RelayCounter } from './relay-counters.ts'
import type { Traffic, TrafficKind } from './traffic.ts'

export class RelayOutbox extends Outbox<RelayEvent> {
  readonly #count: (name: RelayCounter) => void
  readonly #sent: Traffic['sent']
  /** Sends to a peer at another node of the fleet. */
  #overBus: ((to: Elsewhere, bytes: Uint8Array) => void) | undefined
  #pendingWork = 0

  constructor(count: (name: RelayCounter) => void, sent: Traffic['sent']) {
    super()
    this.#count = count
    this.#sent = sent
  }

  /** Signatures that are being made or checked. */
  get pendingWork(): number {
    return this.#pendingWork
  }

  /** What is for peers elsewhere goes there from now on. */
  join(overBus: (to: Elsewhere, bytes: Uint8Array) => void): void {
    this.#overBus = overBus
  }

  override transmit(to: Route, bytes: Uint8Array, kind: TrafficKind = 'control'): void {
    if (to.socket === BUS) return this.#overBus?.(to as Elsewhere, bytes)
    this.#count('sent')
    this.#sent(kind, bytes.length)
    super.transmit(to, bytes)
  }

  override sign(preimage: Uint8Array, resume: (signature: Uint8Array | undefined, now: Instant) => void): void {
    super.sign(preimage, this.#out(resume))
  }

  override verify(
    key: PublicKey,
    preimage: Uint8Array,
    signature: Uint8Array,
    resume: (valid: boolean | undefined, now: Instant) => void,
  ): void {
    super.verify(key, preimage, signature, this.#out(resume))
  }

  #out<Result>(resume: (result: Result, now: Instant) => void): (result: Result, now: Instant) => void {
    this.#pendingWork++
    return (result, now) => {
      this.#pendingWork--
      resume(result, now)
    }
  }
}
