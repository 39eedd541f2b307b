/**
 * Stateless cookies for address validation (docs/protocol.md, Addresses; as in RFC 9000 §8.1.2 and
 * RFC 6347 §4.2.1): HMAC over (epoch, number, source, id, op). No state is kept per peer. The numbers
 * of cookies go up, so that one can be told from those that were issued before it (request-replay.ts).
 *
 *   epoch (1 byte) | number (5 bytes) | HMAC-SHA256 (first 24 bytes)
 */
import { type Endpoint, formatEndpoint, PEER_ID_BYTES, type PeerId, peerIdToBytes } from '@showchain/wire'
import type { CryptoProvider, Random } from './provider.ts'
import { sameBytes } from './same-bytes.ts'

/** Length of an epoch in ms. A cookie is valid in the epoch that it was issued in, and the next. */
export const COOKIE_EPOCH = 120_000
const SECRET_BYTES = 32
/** 192 bits: too many to guess, and a challenge stays smaller than every request. */
const MAC_BYTES = 24
const NUMBER_BYTES = 5
/** Characters of an IPv6 address in brackets, with its port. */
const MAX_ADDRESS = 47
const COOKIE_BYTES = 1 + NUMBER_BYTES + MAC_BYTES

/** Issues cookies and checks them. @see RFC 9000 §8.1.2 */
export class CookieJar {
  readonly #provider: CryptoProvider
  readonly #secret: Uint8Array
  #issued = 0
  /** Reused: a flood of first contacts asks for tens of thousands of cookies a second. */
  readonly #input: { readonly bytes: Uint8Array; readonly view: DataView }

  constructor(provider: CryptoProvider, random: Pick<Random, 'bytes'>) {
    this.#provider = provider
    this.#secret = random.bytes(SECRET_BYTES)
    const bytes = new Uint8Array(8 + 8 + 2 + PEER_ID_BYTES + MAX_ADDRESS)
    this.#input = { bytes, view: new DataView(bytes.buffer) }
  }

  /** How many were issued: the number of the next one. */
  get issued(): number {
    return this.#issued
  }

  /**
   * A cookie for who asked, and for what.
   * @param now a monotonic clock in ms. @param op the op code of the challenged request.
   */
  issue(now: number, source: Endpoint, id: PeerId, op: number): Uint8Array {
    return this.#make(Math.floor(now / COOKIE_EPOCH), this.#issued++, source, id, op)
  }

  /**
   * The number of a cookie that this jar issued for the same source, id and op in this epoch or the
   * one before; undefined of others.
   */
  check(cookie: Uint8Array, now: number, source: Endpoint, id: PeerId, op: number): number | undefined {
    if (cookie.length !== COOKIE_BYTES) return undefined
    const current = Math.floor(now / COOKIE_EPOCH)
    const epoch = [current, current - 1].find((each) => (each & 0xff) === cookie[0])
    if (epoch === undefined) return undefined
    const number = cookie.subarray(1, 1 + NUMBER_BYTES).reduce((value, byte) => value * 256 + byte, 0)
    return sameBytes(this.#make(epoch, number, source, id, op), cookie) ? number : undefined
  }

  #make(epoch: number, number: number, source: Endpoint, id: PeerId, op: number): Uint8Array {
    const address = formatEndpoint(source)
    const { bytes, view } = this.#input
    view.setFloat64(0, epoch)
    view.setFloat64(8, number)
    view.setUint16(16, op)
    bytes.set(peerIdToBytes(id), 18)
    for (let at = 0; at < address.length; at++) bytes[50 + at] = address.charCodeAt(at)
    const mac = this.#provider.hmacSha256(this.#secret, bytes.subarray(0, 50 + address.length))
    const cookie = new Uint8Array(COOKIE_BYTES)
    cookie[0] = epoch & 0xff
    for (let at = NUMBER_BYTES, left = number; at > 0; at--, left = Math.floor(left / 256)) cookie[at] = left & 0xff
    for (let at = 0; at < MAC_BYTES; at++) cookie[1 + NUMBER_BYTES + at] = mac[at] as number
    return cookie
  }
}
