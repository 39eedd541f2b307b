/**
 * Parsed public keys by id: importing a key costs more than verifying with it. A key that arrives from
 * anyone is trusted for an id iff it hashes to the id (docs/protocol.md, Identity).
 */
import { type PeerId, peerIdFromBytes, ShowchainError } from '@showchain/wire'
import type { CryptoProvider, PublicKey } from './provider.ts'

export class KeyCache {
  readonly #provider: CryptoProvider
  readonly #capacity: number
  /** Least recently used first; at the cap it makes room. */
  readonly #learned = new Map<PeerId, PublicKey>()
  /** From configuration: never makes room. Bounded by the configuration. */
  readonly #pinned = new Map<PeerId, PublicKey>()

  /** @param capacity most learned keys; a parsed one takes a few KiB. */
  constructor(provider: CryptoProvider, capacity: number) {
    this.#provider = provider
    this.#capacity = capacity
  }

  /** Learned keys. */
  get size(): number {
    return this.#learned.size
  }

  get(id: PeerId): PublicKey | undefined {
    const pinned = this.#pinned.get(id)
    if (pinned !== undefined) return pinned
    const key = this.#learned.get(id)
    if (key !== undefined) {
      this.#learned.delete(id)
      this.#learned.set(id, key)
    }
    return key
  }

  /**
   * The key of an id, parsed and kept; undefined when it hashes to something else or breaks the import
   * policy. For an id whose key is known already that key, whatever the bytes are.
   */
  learn(id: PeerId, spki: Uint8Array): PublicKey | undefined {
    const known = this.get(id)
    if (known !== undefined) return known
    if (peerIdFromBytes(this.#provider.sha256(spki)) !== id) return undefined
    const key = this.#import(spki)
    if (key === undefined) return undefined
    if (this.#learned.size >= this.#capacity) {
      const oldest = this.#learned.keys().next().value
      if (oldest !== undefined) this.#learned.delete(oldest)
    }
    this.#learned.set(id, key)
    return key
  }

  /** Keeps a key of the configuration for good, whichever provider read it. @throws ShowchainError `ERR_KEY_REFUSED` */
  pin({ id, spki }: PublicKey): void {
    this.#pinned.set(id, this.#provider.importPublicKey(spki))
  }

  #import(spki: Uint8Array): PublicKey | undefined {
    try {
      return this.#provider.importPublicKey(spki)
    } catch (error) {
      if (error instanceof ShowchainError) return undefined
      throw error
    }
  }
}
