/**
 * Stateless cookies for address validation (docs/protocol.md, Addresses; as in RFC 9000 §8.1.2 and
 * RFC 6347 §4.2.1): HMAC over (epoch, source, id, op). No state is kept per peer.
 *
 *   epoch (1 byte) | HMAC-SHA256 (first 24 bytes)
 */
import { type Endpoint, formatEndpoint, type PeerId, peerIdToBytes, utf8 } from '@showchain/wire'
import type { CryptoProvider, Random } from './provider.ts'

/** Length of an epoch in ms. A cookie is valid in the epoch that it was issued in, and the next. */
export const COOKIE_EPOCH = 120_000
const SECRET_BYTES = 32
/** 192 bits: too many to guess, and a challenge stays smaller than every request. */
const MAC_BYTES = 24
const COOKIE_BYTES = 1 + MAC_BYTES

export class CookieJar {
  readonly #provider: CryptoProvider
  readonly #secret: Uint8Array

  constructor(provider: CryptoProvider, random: Random) {
    this.#provider = provider
    this.#secret = random.bytes(SECRET_BYTES)
  }

  /** @param now a monotonic clock in ms. @param op the op code of the challenged request. */
  issue(now: number, source: Endpoint, id: PeerId, op: number): Uint8Array {
    return this.#make(Math.floor(now / COOKIE_EPOCH), source, id, op)
  }

  /**
   * Whether this jar issued the cookie for the same source, id and op in this epoch or the one
   * before.
   */
  check(cookie: Uint8Array, now: number, source: Endpoint, id: PeerId, op: number): boolean {
    if (cookie.length !== COOKIE_BYTES) return false
    const current = Math.floor(now / COOKIE_EPOCH)
    const epoch = [current, current - 1].find((each) => (each & 0xff) === cookie[0])
    if (epoch === undefined) return false
    return sameBytes(this.#make(epoch, source, id, op), cookie)
  }

  #make(epoch: number, source: Endpoint, id: PeerId, op: number): Uint8Array {
    const address = utf8(formatEndpoint(source))
    const input = new Uint8Array(8 + 2 + 32 + address.length)
    const view = new DataView(input.buffer)
    view.setFloat64(0, epoch)
    view.setUint16(8, op)
    input.set(peerIdToBytes(id), 10)
    input.set(address, 42)
    const cookie = new Uint8Array(COOKIE_BYTES)
    cookie[0] = epoch & 0xff
    cookie.set(this.#provider.hmacSha256(this.#secret, input).subarray(0, MAC_BYTES), 1)
    return cookie
  }
}

/** In constant time. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0)
  return difference === 0
}
