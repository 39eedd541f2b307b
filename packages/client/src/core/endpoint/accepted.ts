/**
 * A request that was admitted, for as long as it may be repeated (docs/protocol.md, Retransmission).
 * A relay remembers tens of thousands: of the request it keeps the digest, and no closure that holds
 * the message, its key or its signature.
 */
import type { CryptoProvider } from '@showchain/crypto/core'
import type { Instant, Route } from './machine.ts'
import type { Outbox } from './outbox.ts'
import { sameRoute } from './route.ts'

export class Accepted {
  readonly source: Route
  readonly #provider: CryptoProvider
  readonly #digest: string
  /** At first neither is known: the answer is being made. */
  #answer: Uint8Array | undefined
  #repeat: ((now: Instant) => void) | undefined

  constructor(provider: CryptoProvider, bytes: Uint8Array, source: Route) {
    this.#provider = provider
    this.#digest = digestOf(provider, bytes)
    this.source = source
  }

  /** Whether these are the same bytes from the same place. */
  is(bytes: Uint8Array, source: Route): boolean {
    return sameRoute(this.source, source) && digestOf(this.#provider, bytes) === this.#digest
  }

  answer(answer: Uint8Array): void {
    this.#answer = answer
  }

  onRepeat(repeat: (now: Instant) => void): void {
    this.#repeat = repeat
  }

  /** The same bytes have come. @returns whether anything is done: the answer is made by now */
  repeated(bytes: Uint8Array, outbox: Pick<Outbox<unknown>, 'transmit'>, now: Instant): boolean {
    if (this.#answer === undefined && this.#repeat === undefined) return false
    this.source.allowance?.received(bytes.length)
    if (this.#answer === undefined) this.#repeat?.(now)
    else outbox.transmit(this.source, this.#answer)
    return true
  }
}

/** One character a byte: an array would be three objects. */
const digestOf = (provider: CryptoProvider, bytes: Uint8Array): string => String.fromCharCode(...provider.sha256(bytes))
