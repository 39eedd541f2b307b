/**
 * X25519 key pairs for one hello or one answer each. The next one is made while nobody waits for it, so
 * that a request, or its answer, leaves sooner.
 */
import { DH_BYTES, type KeyPair, type NoiseCrypto, type Random } from '@showchain/crypto/core'

export class Ephemerals {
  readonly #crypto: Pick<NoiseCrypto, 'x25519Public'>
  readonly #random: Random
  /** In nobody's hands yet. */
  #next: KeyPair | undefined

  constructor(crypto: Pick<NoiseCrypto, 'x25519Public'>, random: Random) {
    this.#crypto = crypto
    this.#random = random
  }

  /** One that nobody had before, and nobody gets again. */
  take(): KeyPair {
    const pair = this.#next ?? this.#make()
    this.#next = undefined
    return pair
  }

  /** Makes the next one, unless it is there. */
  prepare(): void {
    this.#next ??= this.#make()
  }

  #make(): KeyPair {
    const privateKey = this.#random.bytes(DH_BYTES)
    return { privateKey, publicKey: this.#crypto.x25519Public(privateKey) }
  }
}
