/**
 * Outstanding STUN Binding requests (RFC 8489 §6), retransmitted until an answer comes from where
 * it is expected. Other STUN messages are ignored.
 */
import { decodeStun, type Endpoint, encodeStun, type StunMessage, sameEndpoint, toBase64url } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Outlet } from '../endpoint/drained.ts'
import { type Duration, type Instant, later, type Route } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'

const TRANSACTION_ID_BYTES = 12

export interface Ask {
  readonly to: Route
  readonly change?: StunMessage['change']
  readonly padding?: StunMessage['padding']
  readonly clock?: StunMessage['clock']
  /** Where the answer must come from. @default where the request goes */
  readonly from?: Endpoint | undefined
  /**
   * When it is sent, after the first time; the last one is how long the last answer is waited for.
   */
  readonly schedule: readonly Duration[]
  /** @param answer undefined: none came. */
  done(answer: StunMessage | undefined, now: Instant): void
}

interface Transaction {
  readonly ask: Ask
  readonly bytes: Uint8Array
  timer: Timer | undefined
  sent: number
}

/** What asking needs. */
export interface StunContext extends Pick<PeerContext, 'random' | 'timers'> {
  readonly outbox: Pick<Outlet<never>, 'transmit'>
}

export class StunTransactions {
  readonly #context: StunContext
  /** By transaction id; as many as their owner asks at once, which is a handful. */
  readonly #open = new Map<string, Transaction>()

  constructor(context: StunContext) {
    this.#context = context
  }

  /** @returns what gives the question up: then `done` is not called. */
  start(ask: Ask, now: Instant): { close(): void } {
    const transactionId = this.#context.random.bytes(TRANSACTION_ID_BYTES)
    const { change, padding, clock } = ask
    const bytes = encodeStun({ type: 'bindingRequest', transactionId, change, padding, clock })
    const transaction: Transaction = { ask, bytes, timer: undefined, sent: 0 }
    const id = toBase64url(transactionId)
    this.#open.set(id, transaction)
    this.#send(transaction, id, now)
    return {
      close: () => {
        transaction.timer?.cancel()
        this.#open.delete(id)
      },
    }
  }

  /** @returns whether it was the answer to a request of ours. */
  receive(bytes: Uint8Array, source: Route, now: Instant): boolean {
    const message = decodeStun(bytes)
    if (message === undefined) return false
    const id = toBase64url(message.transactionId)
    const transaction = this.#open.get(id)
    if (transaction === undefined) return false
    const { to, from = to, done } = transaction.ask
    // A refusal comes from where the request went.
    const right = message.type === 'bindingError' ? sameEndpoint(source, to) : sameEndpoint(source, from)
    const sameSocket = (source.socket ?? 0) === (to.socket ?? 0)
    if (!right || !sameSocket || (message.type !== 'bindingSuccess' && message.type !== 'bindingError')) return false
    transaction.timer?.cancel()
    this.#open.delete(id)
    done(message, now)
    return true
  }

  close(): void {
    for (const { timer } of this.#open.values()) timer?.cancel()
    this.#open.clear()
  }

  #send(transaction: Transaction, id: string, now: Instant): void {
    const { ask, bytes } = transaction
    const wait = ask.schedule[transaction.sent]
    if (wait === undefined) {
      this.#open.delete(id)
      return ask.done(undefined, now)
    }
    transaction.timer = this.#context.timers.set(later(now, wait), (at) => this.#send(transaction, id, at))
    transaction.sent++
    this.#context.outbox.transmit(ask.to, bytes)
  }
}
