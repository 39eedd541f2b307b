/**
 * A rate for each address and port, as of a token bucket, by the time at which the bucket will be full again
 * (GCRA, ITU-T I.371). A full bucket says nothing, so its place is free.
 *
 * A flood from ever new forged addresses makes tens of thousands of entries a second that count for a second.
 * As objects they would be what the collector of garbage has most to do with, and the heap would grow by them.
 * So they lie in one block of memory, which begins small and doubles up to the capacity:
 *
 *   double    0 when the bucket is full again
 *   integers  2, 3 two words of the address's hash, which name it
 *
 * Each word gives a set of eight slots, and an address belongs into the emptier one of its two: they fill evenly
 * (Azar et al., Balanced Allocations, 1994). The hash has a secret key: nobody can choose addresses that share
 * the sets of somebody else.
 */
import type { Instant, Rate } from '@showchain/client/endpoint'
import type { CryptoProvider } from '@showchain/crypto/core'
import { type Endpoint, utf8 } from '@showchain/wire'
import { NONE } from './expiring-rows.ts'

/** The secret key of the hash. */
export type AddressKey = readonly [low: number, high: number]

export interface AddressRateOptions {
  /** Most addresses, up to a power of two and a set. */
  readonly capacity: number
  readonly key: AddressKey
  /**
   * Whether a new address takes the place of the oldest of its sets where both are full and the table cannot
   * grow: that forgets a limit in force. @default it is refused
   */
  readonly forgets?: boolean
}

/** Two lines of the cache. */
const SET_SLOTS = 8
const SLOT_BYTES = 16
const FIRST_SETS = 8
/** Milliseconds that sums of times may be too large by. */
const ROUNDING = 1e-3
/** Of each half of the hash. */
const LAST_ROUNDS = 3
/** Reused: of an address in text, which has 39 characters at most, and its port; and its hash. */
const text = new Int32Array(16)
const hash = new Int32Array(2)

export class AddressRate {
  /** Milliseconds for which one is paid, and that may be open at most. */
  readonly #interval: number
  readonly #most: number
  readonly #key: AddressKey
  readonly #forgets: boolean
  readonly #mostSets: number
  #until = new Float64Array(0)
  #words = new Int32Array(0)
  /** Sets are a power of two. */
  #mask = 0
  #size = 0

  constructor({ perSecond, burst }: Rate, { capacity, key, forgets = false }: AddressRateOptions) {
    this.#interval = 1000 / perSecond
    this.#most = burst * this.#interval
    this.#key = key
    this.#forgets = forgets
    this.#mostSets = 2 ** Math.max(0, Math.ceil(Math.log2(capacity / SET_SLOTS)))
    this.#empty(Math.min(FIRST_SETS, this.#mostSets))
  }

  /** Buckets that are not full, and those that have filled since `expire`. */
  get size(): number {
    return this.#size
  }

  /** Bytes of the table. */
  get memory(): number {
    return this.#until.buffer.byteLength
  }

  /** Whether one more is within the rate of this address. */
  take(address: Endpoint, now: Instant): boolean {
    hashAddress(address, this.#key)
    let slot = this.#slotFor(now)
    while (slot === NONE && this.#mask + 1 < this.#mostSets) {
      this.#grow(now)
      slot = this.#slotFor(now)
    }
    if (slot === NONE && !this.#forgets) return false
    if (slot === NONE) slot = this.#oldest()
    else if (this.#isFree(slot, now)) this.#size++
    const full = (this.#names(slot) ? Math.max(now, this.#fullAt(slot)) : now) + this.#interval
    if (full - now > this.#most + ROUNDING) return false
    this.#put(slot, full, hash[0] as number, hash[1] as number)
    return true
  }

  /** Counts the buckets that are not full. Without any the table is as small as in the beginning. */
  expire(now: Instant): void {
    if (this.#size === 0) return
    let size = 0
    for (let slot = 0; slot < this.#slots; slot++) if (!this.#isFree(slot, now)) size++
    this.#size = size
    if (size === 0) this.#empty(Math.min(FIRST_SETS, this.#mostSets))
  }

  get #slots(): number {
    return (this.#mask + 1) * SET_SLOTS
  }

  /** The address's own slot, or a free one in the emptier one of its sets, or NONE. */
  #slotFor(now: Instant): number {
    let found = NONE
    let most = 0
    for (let choice = 0; choice < 2; choice++) {
      const from = this.#setOf(hash[choice] as number)
      let room = NONE
      let free = 0
      for (let slot = from; slot < from + SET_SLOTS; slot++) {
        if (this.#isFree(slot, now)) {
          room = slot
          free++
        } else if (this.#names(slot)) return slot
      }
      if (free > most) {
        found = room
        most = free
      }
    }
    return found
  }

  /** Of both sets, the one that fills first. */
  #oldest(): number {
    let found = this.#setOf(hash[0] as number)
    for (const word of hash) {
      const from = this.#setOf(word)
      for (let slot = from; slot < from + SET_SLOTS; slot++) if (this.#fullAt(slot) < this.#fullAt(found)) found = slot
    }
    return found
  }

  /** Its first slot. */
  #setOf(word: number): number {
    return (word & this.#mask) * SET_SLOTS
  }

  #fullAt(slot: number): number {
    return this.#until[2 * slot] as number
  }

  #isFree(slot: number, now: Instant): boolean {
    return this.#fullAt(slot) <= now
  }

  /** Whether it is of the address that was hashed last. */
  #names(slot: number): boolean {
    return this.#words[4 * slot + 2] === hash[0] && this.#words[4 * slot + 3] === hash[1]
  }

  #put(slot: number, full: number, first: number, second: number): void {
    this.#until[2 * slot] = full
    this.#words[4 * slot + 2] = first
    this.#words[4 * slot + 3] = second
  }

  #empty(sets: number): void {
    const memory = new ArrayBuffer(sets * SET_SLOTS * SLOT_BYTES)
    this.#until = new Float64Array(memory)
    this.#words = new Int32Array(memory)
    this.#mask = sets - 1
  }

  /** Each set becomes two, so that there is room for what was in it. */
  #grow(now: Instant): void {
    const [until, words, mask, slots] = [this.#until, this.#words, this.#mask, this.#slots]
    this.#empty(2 * (mask + 1))
    for (let slot = 0; slot < slots; slot++) {
      const full = until[2 * slot] as number
      if (full <= now) continue
      const [first, second] = [words[4 * slot + 2] as number, words[4 * slot + 3] as number]
      let to = this.#setOf((first & mask) === Math.floor(slot / SET_SLOTS) ? first : second)
      while (!this.#isFree(to, now)) to++
      this.#put(to, full, first, second)
    }
  }
}

/** @param secret of the relay */
export function addressKey(provider: Pick<CryptoProvider, 'hmacSha256'>, secret: Uint8Array): AddressKey {
  const { buffer, byteOffset } = provider.hmacSha256(secret, utf8('addresses'))
  const view = new DataView(buffer, byteOffset)
  return [view.getInt32(0), view.getInt32(4)]
}

/**
 * HalfSipHash-1-3 with 64 bits of output (Aumasson and Bernstein, 2012), as Linux has it for its tables, over
 * the characters of the address and its port.
 */
function hashAddress({ ip, port }: Endpoint, key: AddressKey): void {
  let count = 0
  for (let at = 0; at < ip.length; at += 4) {
    // Behind the end there is NaN, which is 0 here.
    const half = ip.charCodeAt(at) | (ip.charCodeAt(at + 1) << 8)
    text[count++] = half | (ip.charCodeAt(at + 2) << 16) | (ip.charCodeAt(at + 3) << 24)
  }
  text[count++] = (ip.length << 16) | port
  const low = key[0]
  const high = key[1]
  let v0 = low
  let v1 = high ^ 0xee
  let v2 = low ^ 0x6c79_6765
  let v3 = high ^ 0x7465_6462
  for (let step = 0; step < count + 2 * LAST_ROUNDS; step++) {
    const word = step < count ? (text[step] as number) : 0
    v3 ^= word
    if (step === count) v2 ^= 0xee
    if (step === count + LAST_ROUNDS) {
      hash[0] = v1 ^ v3
      v1 ^= 0xdd
    }
    v0 = (v0 + v1) | 0
    v1 = rotated(v1, 5) ^ v0
    v0 = rotated(v0, 16)
    v2 = (v2 + v3) | 0
    v3 = rotated(v3, 8) ^ v2
    v0 = (v0 + v3) | 0
    v3 = rotated(v3, 7) ^ v0
    v2 = (v2 + v1) | 0
    v1 = rotated(v1, 13) ^ v2
    v2 = rotated(v2, 16)
    v0 ^= word
  }
  hash[1] = v1 ^ v3
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))
