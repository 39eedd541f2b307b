/**
 * A time for each of many addresses and ports, in a few arrays: a flood from ever new forged addresses makes
 * tens of thousands of entries a second that count for a second or so. As objects they would be what the
 * collector of garbage has most to do with, and the heap would grow by them.
 *
 * An address belongs to one set of eight slots, and has a name of 32 bits in it, both by a hash with a secret
 * key: nobody can choose addresses that share the set of somebody else. An entry whose time has come is free.
 */
import type { Random } from '@showchain/crypto/core'
import type { Endpoint } from '@showchain/wire'
import { type Instant, instant } from './machine.ts'

/** Slots of a set: constant work. */
const WAYS = 8
/** Before any time. */
const NONE = -1
/** Of each half of the hash. */
const LAST_ROUNDS = 3
/** Reused: of an address in text, which has 39 characters at most, and its port. */
const words = new Int32Array(16)

/** What an address has: its slot, or one where it can be put. */
export interface Found {
  readonly slot: number
  /** The address's own time; undefined: it has none, or it has come. */
  readonly until: Instant | undefined
  /** Whether the slot is that of another address, which comes up first of its set. */
  readonly taken: boolean
}

export class AddressTimes {
  readonly #sets: number
  /** The key. */
  readonly #low: number
  readonly #high: number
  /** Made with the first entry. */
  #names: Uint32Array | undefined
  #until = new Float64Array(0)
  /** Of the last `find`. */
  #name = 0
  #set = 0
  /** When the last entry is free. */
  #latest = Number.NEGATIVE_INFINITY
  #size = 0

  /** @param capacity most entries, rounded up to sets */
  constructor(capacity: number, random: Pick<Random, 'uint32'>) {
    this.#sets = Math.ceil(capacity / WAYS)
    const key = [random.uint32() | 0, random.uint32() | 0] as const
    this.#low = key[0]
    this.#high = key[1]
  }

  /** Entries in force, and those whose time has come since `expire`. */
  get size(): number {
    return this.#size
  }

  /** Put with the result: nothing else may be found in between. */
  find(address: Endpoint, now: Instant): Found {
    this.#names ??= this.#make()
    this.#hash(address)
    const first = this.#set * WAYS
    let slot = first
    for (let each = first; each < first + WAYS; each++) {
      const until = this.#until[each] as number
      if (this.#names[each] === this.#name && until > now) return { slot: each, until: instant(until), taken: false }
      if (until < (this.#until[slot] as number)) slot = each
    }
    return { slot, until: undefined, taken: (this.#until[slot] as number) > now }
  }

  /** In place of what was there. */
  put({ slot, until: before, taken }: Found, until: Instant): void {
    if (before === undefined && !taken) this.#size++
    ;(this.#names as Uint32Array)[slot] = this.#name
    this.#until[slot] = until
    this.#latest = Math.max(this.#latest, until)
  }

  /** Counts what is in force. */
  expire(now: Instant): void {
    if (this.#size === 0) return
    let size = 0
    if (this.#latest > now) for (const until of this.#until) if (until > now) size++
    this.#size = size
  }

  #make(): Uint32Array {
    const slots = this.#sets * WAYS
    this.#until = new Float64Array(slots).fill(NONE)
    return new Uint32Array(slots)
  }

  /**
   * HalfSipHash-1-3 with 64 bits of output (Aumasson and Bernstein, 2012), as Linux has it for its tables, over
   * the characters of the address and its port.
   */
  #hash({ ip, port }: Endpoint): void {
    let count = 0
    for (let at = 0; at < ip.length; at += 4) {
      // Behind the end there is NaN, which is 0 here.
      const low = ip.charCodeAt(at) | (ip.charCodeAt(at + 1) << 8)
      words[count++] = low | (ip.charCodeAt(at + 2) << 16) | (ip.charCodeAt(at + 3) << 24)
    }
    words[count++] = (ip.length << 16) | port
    let v0 = this.#low
    let v1 = this.#high ^ 0xee
    let v2 = this.#low ^ 0x6c79_6765
    let v3 = this.#high ^ 0x7465_6462
    for (let step = 0; step < count + 2 * LAST_ROUNDS; step++) {
      const word = step < count ? (words[step] as number) : 0
      v3 ^= word
      if (step === count) v2 ^= 0xee
      if (step === count + LAST_ROUNDS) {
        this.#name = (v1 ^ v3) >>> 0
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
    this.#set = ((v1 ^ v3) >>> 0) % this.#sets
  }
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))
