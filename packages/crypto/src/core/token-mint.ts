/**
 * Stateless tokens for address validation (docs/protocol.md, Tokens; as in RFC 9000 §8.1.3): HMAC over
 * (version, epoch, id, ip). Whoever shows one had an answer at that ip within the last days. A token
 * says nothing of a port, and, unlike a cookie, nothing of when a request was made.
 *
 *   version (1 byte) | epoch (2 bytes) | HMAC-SHA256 (first 16 bytes)
 */
import { PEER_ID_BYTES, type PeerId, peerIdToBytes, utf8 } from '@showchain/wire'
import type { CryptoProvider, Random } from './provider.ts'
import { sameBytes } from './same-bytes.ts'

/** Length of an epoch in ms. */
export const TOKEN_EPOCH = 86_400_000
/** A token is valid in the epoch that it was issued in, and in the next ones: so many in all. */
export const TOKEN_EPOCHS = 7
const VERSION = 1
const SECRET_BYTES = 32
/** 128 bits: who forges one gains a round trip. */
const TOKEN_MAC_BYTES = 16
const HEAD_BYTES = 3
/** Bytes of a token. */
export const TOKEN_BYTES: number = HEAD_BYTES + TOKEN_MAC_BYTES

/** What several mints have in common, so that each accepts what another issued. */
export interface SharedTokens {
  readonly secret: Uint8Array
  /** Wall clock, in ms: monotonic ones differ. */
  readonly unixMs: () => number
}

/** Issues tokens and checks them (docs/protocol.md, Tokens; RFC 9000 §8.1.3). */
export class TokenMint {
  readonly #provider: CryptoProvider
  readonly #secret: Uint8Array
  readonly #unixMs: (() => number) | undefined

  /** @param shared what it has in common with others. @default a secret of its own */
  constructor(provider: CryptoProvider, random: Random, shared?: SharedTokens) {
    this.#provider = provider
    this.#secret = shared?.secret ?? random.bytes(SECRET_BYTES)
    this.#unixMs = shared?.unixMs
  }

  /**
   * A token for an id at an address.
   * @param now a monotonic clock in ms
   */
  issue(now: number, ip: string, id: PeerId): Uint8Array {
    return this.#make(this.#epochAt(now), ip, id)
  }

  /** Whether this mint issued it for the same ip and id, not too long ago. */
  check(token: Uint8Array, now: number, ip: string, id: PeerId): boolean {
    if (token.length !== TOKEN_BYTES || token[0] !== VERSION) return false
    const current = this.#epochAt(now)
    const age = (current - (token[1] as number) * 256 - (token[2] as number)) & 0xffff
    return age < TOKEN_EPOCHS && sameBytes(this.#make(current - age, ip, id), token)
  }

  #epochAt(now: number): number {
    return Math.floor((this.#unixMs?.() ?? now) / TOKEN_EPOCH)
  }

  #make(epoch: number, ip: string, id: PeerId): Uint8Array {
    const token = new Uint8Array(TOKEN_BYTES)
    token[0] = VERSION
    token[1] = (epoch >> 8) & 0xff
    token[2] = epoch & 0xff
    const address = utf8(ip)
    const input = new Uint8Array(HEAD_BYTES + PEER_ID_BYTES + address.length)
    input.set(token.subarray(0, HEAD_BYTES))
    input.set(peerIdToBytes(id), HEAD_BYTES)
    input.set(address, HEAD_BYTES + PEER_ID_BYTES)
    token.set(this.#provider.hmacSha256(this.#secret, input).subarray(0, TOKEN_MAC_BYTES), HEAD_BYTES)
    return token
  }
}
