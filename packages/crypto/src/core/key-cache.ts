/**
 * Imported public keys by id: importing a key costs more than verifying with it. A key is trusted
 * for an id iff it hashes to the id, whoever sent it (docs/protocol.md, Identity).
 */
import { type PeerId, peerIdFromBytes, ShowchainError } from '@showchain/wire'
import type { CryptoProvider, PublicKey } from './provider.ts'

/** Public keys of others by their ids: those of configuration, and the last that were learnt. */
export class KeyCache {
  readonly #provider: CryptoProvider
  readonly #capacity: number
  /** Least recently used first, which is evicted first. Bounded by `capacity`. */
  readonly #learned = new Map<PeerId, PublicKey>()
  /** From configuration, never evicted. Bounded by the configuration. */
  readonly #pinned = new Map<PeerId, PublicKey>()

  /** @param capacity most learned keys; an imported key takes a few KiB. */
  constructor(provider: CryptoProvider, capacity: number) {
    this.#provider = provider
    this.#capacity = capacity
  }

  /** The number of learned keys. */
  get size(): number {
    return this.#learned.size
  }

  /** The key of an id; undefined: it is not known. */
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
   * Imports and keeps the key of an id. Undefined if the bytes do not hash to the id, or the import
   * policy refuses them. If the key of the id is already known, returns that, whatever the bytes.
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

  /**
   * Keeps a key of the configuration permanently. It may be of another provider.
   * @throws ShowchainError `ERR_KEY_REFUSED`
   */
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
