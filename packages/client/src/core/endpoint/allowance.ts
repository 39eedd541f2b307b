/**
 * What may be sent to an address that has not shown that it receives: no more bytes than came from
 * there, and by a peer no more datagrams (docs/protocol.md, Addresses). It travels with the route, so
 * that it holds for whatever goes there.
 */
import { equalBytes } from '@showchain/wire'

export class Allowance {
  #bytes: number
  #datagrams: number
  #proof: Uint8Array | undefined
  #proven = false

  /**
   * @param bytes of the first datagram from there
   * @param datagrams that may go there so far; without a number they are not counted
   */
  constructor(bytes: number, datagrams: number = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes
    this.#datagrams = datagrams
  }

  /** Whether the address receives: then there is no limit any more. */
  get proven(): boolean {
    return this.#proven
  }

  /** What it takes to prove it, as long as that is wanted; it was sent there, and nowhere else. */
  get wanted(): Uint8Array | undefined {
    return this.#proven ? undefined : this.#proof
  }

  /** What was sent there has this in it, and nobody else can know it. */
  expect(proof: Uint8Array): void {
    this.#proof = proof
  }

  /** Something genuine came from there that says this. @returns whether it proves that it receives */
  prove(proof: Uint8Array): boolean {
    if (this.wanted === undefined || !equalBytes(this.wanted, proof)) return false
    this.lift()
    return true
  }

  /** The address has shown in another way that it receives. */
  lift(): void {
    this.#proven = true
  }

  received(bytes: number): void {
    this.#bytes += bytes
    this.#datagrams++
  }

  /** Whether so many bytes may go there now, in one datagram. */
  take(bytes: number): boolean {
    if (this.#proven) return true
    if (this.#datagrams === 0 || this.#bytes < bytes) return false
    this.#datagrams--
    this.#bytes -= bytes
    return true
  }
}

/** Whether a route's address is known to receive. */
export const isProven = ({ allowance }: { readonly allowance?: Allowance | undefined }): boolean =>
  allowance === undefined || allowance.proven
