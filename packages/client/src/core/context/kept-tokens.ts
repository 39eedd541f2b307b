/**
 * Tokens that others gave this peer, by their id (docs/protocol.md, Tokens). They are kept in memory,
 * the newest of each; they are opaque, and one that is good no more costs a challenge.
 */
import type { PeerId } from '@showchain/wire'

/** At the cap the one that was given first is forgotten. */
export const MAX_KEPT_TOKENS = 256

export class KeptTokens {
  readonly #byIssuer = new Map<PeerId, Uint8Array>()

  get(issuer: PeerId): Uint8Array | undefined {
    return this.#byIssuer.get(issuer)
  }

  /** @param token undefined: none was given, and the last one is good for nothing more */
  keep(issuer: PeerId, token: Uint8Array | undefined): void {
    this.#byIssuer.delete(issuer)
    if (token === undefined) return
    const [first] = this.#byIssuer.keys()
    if (this.#byIssuer.size >= MAX_KEPT_TOKENS && first !== undefined) this.#byIssuer.delete(first)
    this.#byIssuer.set(issuer, token.slice())
  }
}
