/**
 * Entries of one lifetime in one block of memory: the sibling of ExpiringMap for what every frame
 * reads and writes. Each is a row of 64 bytes, one line of the cache, where objects would lie
 * anywhere: among very many, what misses the cache is what takes the time.
 *
 *   doubles   0 touched · 1 queued
 *   integers  10 generation · 11 next · 12 previous
 *   owner     doubles 2, 3, 4 and 7, or integers 4 to 9 and 13 to 15, which are the same memory
 *
 * Insertion order is nearly expiry order, as in ExpiringMap: an entry that was touched goes to the
 * back when its turn to expire comes. The number of a row is used again after its entry has ended.
 * It has another generation then.
 */
import { type Duration, type Instant, later } from '@showchain/client/endpoint'

/** No row. */
export const NONE = -1
/** Of a row: where its doubles and its integers begin is its number times these. */
export const ROW_DOUBLES = 8
export const ROW_INTEGERS = 16

const ROW_BYTES = 64
const FIRST_ROWS = 64
/**
 * glibc's malloc puts a large block 16 bytes behind the beginning of a page: from here on, each row
 * is one line, and not parts of two.
 */
const TO_LINE = 48
const [TOUCHED, QUEUED] = [0, 1]
const [GENERATION, NEXT, PREVIOUS] = [10, 11, 12]

export interface ExpiringRowsOptions {
  readonly lifetime: Duration
  /** Most entries; at the cap the least recently touched is evicted. */
  readonly capacity: number
  /** Called for each entry that expired or was evicted, not for `remove`, while its row still has it. */
  readonly onEnd: (row: number, why: 'expired' | 'evicted') => void
}

export class ExpiringRows {
  /** Both are the same memory, and other ones after `add`. */
  doubles: Float64Array = new Float64Array(0)
  integers: Int32Array = new Int32Array(0)
  readonly #options: ExpiringRowsOptions
  #size = 0
  /** In the order of the queue. */
  #first = NONE
  #last = NONE
  /** Rows without an entry, by `next`. */
  #free = NONE

  constructor(options: ExpiringRowsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#size
  }

  /** A new entry. What its row has of the owner's is of another one, or 0. */
  add(now: Instant): number {
    if (this.#size >= this.#options.capacity) this.#evict()
    if (this.#free === NONE) this.#grow()
    const row = this.#free
    this.#free = this.#at(row, NEXT)
    this.#size++
    this.touch(row, now)
    this.#enqueue(row)
    return row
  }

  /** Until it ends, its number stands for this entry. */
  generation(row: number): number {
    return this.#at(row, GENERATION)
  }

  /** An entry whose time has come is gone, whether or not `expire` ran. */
  isLive(row: number, now: Instant): boolean {
    return later(this.touched(row), this.#options.lifetime) > now
  }

  touched(row: number): Instant {
    return this.doubles[row * ROW_DOUBLES + TOUCHED] as Instant
  }

  /** Restarts the lifetime of an entry. */
  touch(row: number, now: Instant): void {
    this.doubles[row * ROW_DOUBLES + TOUCHED] = now
  }

  /** As if it were added now. */
  renew(row: number, now: Instant): void {
    this.#unlink(row)
    this.touch(row, now)
    this.#enqueue(row)
  }

  remove(row: number): void {
    this.#unlink(row)
    this.#release(row)
  }

  /**
   * Ends what was not touched for a lifetime. Each entry is looked at no more than once per
   * lifetime.
   */
  expire(now: Instant): void {
    const { lifetime, onEnd } = this.#options
    for (let row = this.#first; row !== NONE; row = this.#first) {
      if (later(this.#queued(row), lifetime) > now) return
      this.#unlink(row)
      if (this.isLive(row, now)) this.#enqueue(row)
      else {
        onEnd(row, 'expired')
        this.#release(row)
      }
    }
  }

  /** In the order of the queue. */
  *rows(): Generator<number> {
    for (let row = this.#first; row !== NONE; row = this.#at(row, NEXT)) yield row
  }

  /**
   * Evicts the front entry that was not touched since it was queued; touched ones go to the back
   * once.
   */
  #evict(): void {
    for (let row = this.#first; row !== NONE; row = this.#first) {
      this.#unlink(row)
      if (this.touched(row) === this.#queued(row)) {
        this.#options.onEnd(row, 'evicted')
        return this.#release(row)
      }
      this.#enqueue(row)
    }
  }

  #at(row: number, field: number): number {
    return this.integers[row * ROW_INTEGERS + field] as number
  }

  #put(row: number, field: number, value: number): void {
    this.integers[row * ROW_INTEGERS + field] = value
  }

  /** When it was last put at the back; it comes up for expiry one lifetime after that. */
  #queued(row: number): Instant {
    return this.doubles[row * ROW_DOUBLES + QUEUED] as Instant
  }

  #enqueue(row: number): void {
    this.doubles[row * ROW_DOUBLES + QUEUED] = this.touched(row)
    this.#put(row, NEXT, NONE)
    this.#put(row, PREVIOUS, this.#last)
    if (this.#last === NONE) this.#first = row
    else this.#put(this.#last, NEXT, row)
    this.#last = row
  }

  #unlink(row: number): void {
    const [next, previous] = [this.#at(row, NEXT), this.#at(row, PREVIOUS)]
    if (previous === NONE) this.#first = next
    else this.#put(previous, NEXT, next)
    if (next === NONE) this.#last = previous
    else this.#put(next, PREVIOUS, previous)
  }

  #release(row: number): void {
    this.#put(row, GENERATION, this.generation(row) + 1)
    this.#put(row, NEXT, this.#free)
    this.#free = row
    this.#size--
  }

  #grow(): void {
    const before = this.doubles.length / ROW_DOUBLES
    const rows = Math.min(Math.max(FIRST_ROWS, 2 * before), this.#options.capacity)
    const memory = new ArrayBuffer(TO_LINE + rows * ROW_BYTES)
    const doubles = new Float64Array(memory, TO_LINE)
    doubles.set(this.doubles)
    this.doubles = doubles
    this.integers = new Int32Array(memory, TO_LINE)
    for (let row = rows - 1; row >= before; row--) {
      this.#put(row, NEXT, this.#free)
      this.#free = row
    }
  }
}
