/**
 * The static X25519 keys for warm hellos to this peer (docs/protocol.md, Hello): made at start, in
 * memory alone, and renewed in time, so that what was said early is not readable for long. They are
 * not the key that certificates have: that one lasts as long as the process.
 */
import { CERTIFICATE_LIFETIME, DH_BYTES, type KeyPair, type NoiseCrypto, type Random } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import { HINT_BYTES } from '@showchain/wire/end-to-end'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'

/** As long as a certificate says at most. */
export const WARM_KEY_LIFETIME: Duration = duration(CERTIFICATE_LIFETIME)
/** The next one is told then; the one before is good until its lifetime is over. */
export const WARM_KEY_RENEWAL: Duration = duration(CERTIFICATE_LIFETIME / 2)

interface WarmKey {
  readonly pair: KeyPair
  readonly hint: Uint8Array
  readonly made: Instant
}

/** The first bytes of the key's hash: which key a hello is for. */
export const hintOf = ({ sha256 }: Pick<NoiseCrypto, 'sha256'>, publicKey: Uint8Array): Uint8Array =>
  sha256(publicKey).slice(0, HINT_BYTES)

export class WarmKeys {
  readonly #crypto: Pick<NoiseCrypto, 'sha256' | 'x25519Public'>
  readonly #random: Random
  /** The newest last; at most two. */
  #keys: readonly WarmKey[] = []

  constructor(crypto: Pick<NoiseCrypto, 'sha256' | 'x25519Public'>, random: Random) {
    this.#crypto = crypto
    this.#random = random
  }

  /** The key that others may use, and the seconds for which. */
  current(now: Instant): { readonly key: Uint8Array; readonly lifetimeS: number } {
    this.#expire(now)
    let newest = this.#keys.at(-1)
    if (newest === undefined || later(newest.made, WARM_KEY_RENEWAL) <= now) {
      newest = this.#make(now)
      this.#keys = [...this.#keys, newest].slice(-2)
    }
    return {
      key: newest.pair.publicKey,
      lifetimeS: Math.floor((later(newest.made, WARM_KEY_LIFETIME) - now) / 1000),
    }
  }

  find(hint: Uint8Array, now: Instant): KeyPair | undefined {
    this.#expire(now)
    return this.#keys.find((key) => equalBytes(key.hint, hint))?.pair
  }

  #make(now: Instant): WarmKey {
    const privateKey = this.#random.bytes(DH_BYTES)
    const publicKey = this.#crypto.x25519Public(privateKey)
    return { pair: { privateKey, publicKey }, hint: hintOf(this.#crypto, publicKey), made: now }
  }

  #expire(now: Instant): void {
    this.#keys = this.#keys.filter(({ made }) => later(made, WARM_KEY_LIFETIME) > now)
  }
}
