/**
 * A map with a cap whose entries end when they have not been touched for a while. All entries share
 * one lifetime, so insertion order is nearly expiry order: touching only notes the time, and an
 * entry that was touched goes to the back when its turn to expire comes. Nothing is ever scanned.
 */
import { Chain, type Link } from '@showchain/crypto/core'
import { type Duration, type Instant, later } from './machine.ts'

interface Slot<Key, Value> extends Link<Slot<Key, Value>> {
  readonly key: Key
  readonly value: Value
  touched: Instant
  /** When the slot was last put at the back; it comes up for expiry one lifetime after that. */
  queued: Instant
}

export interface ExpiringMapOptions<Key, Value> {
  readonly lifetime: Duration
  /** Most entries; at the cap the least recently touched is evicted. */
  readonly capacity: number
  /** Called for each entry that expired or was evicted, not for `delete`. */
  readonly onEnd?: (key: Key, value: Value, why: 'expired' | 'evicted') => void
}

export class ExpiringMap<Key, Value> {
  readonly #slots = new Map<Key, Slot<Key, Value>>()
  /** By `queued`. */
  readonly #queue = new Chain<Slot<Key, Value>>()
  readonly #options: ExpiringMapOptions<Key, Value>

  constructor(options: ExpiringMapOptions<Key, Value>) {
    this.#options = options
  }

  get size(): number {
    return this.#slots.size
  }

  /** The live value. An entry whose time has come is gone, whether or not `expire` ran. */
  get(key: Key, now: Instant): Value | undefined {
    const slot = this.#slots.get(key)
    return slot === undefined || later(slot.touched, this.#options.lifetime) <= now ? undefined : slot.value
  }

  /** Restarts the lifetime of an entry that is live. */
  touch(key: Key, now: Instant): void {
    const slot = this.#slots.get(key)
    if (slot !== undefined) slot.touched = now
  }

  /** Adds or replaces, with a fresh lifetime. */
  set(key: Key, value: Value, now: Instant): void {
    this.delete(key)
    if (this.#slots.size >= this.#options.capacity) this.#evict()
    const slot: Slot<Key, Value> = { key, value, touched: now, queued: now, before: undefined, after: undefined }
    this.#slots.set(key, slot)
    this.#queue.add(slot)
  }

  delete(key: Key): boolean {
    const slot = this.#slots.get(key)
    if (slot !== undefined) this.#remove(slot)
    return slot !== undefined
  }

  /** When `expire` has something to look at. */
  get deadline(): Instant | undefined {
    const first = this.#queue.oldest
    return first === undefined ? undefined : later(first.queued, this.#options.lifetime)
  }

  /**
   * Removes what was not touched for a lifetime. Each entry is looked at no more than once per
   * lifetime.
   */
  expire(now: Instant): void {
    for (let slot = this.#queue.oldest; slot !== undefined; slot = this.#queue.oldest) {
      if (later(slot.queued, this.#options.lifetime) > now) return
      if (later(slot.touched, this.#options.lifetime) > now) this.#requeue(slot)
      else this.#end(slot, 'expired')
    }
  }

  /**
   * Evicts the front entry that was not touched since it was queued; touched ones go to the back
   * once.
   */
  #evict(): void {
    for (let slot = this.#queue.oldest; slot !== undefined; slot = this.#queue.oldest) {
      if (slot.touched === slot.queued) return this.#end(slot, 'evicted')
      this.#requeue(slot)
    }
  }

  #requeue(slot: Slot<Key, Value>): void {
    slot.queued = slot.touched
    this.#queue.remove(slot)
    this.#queue.add(slot)
  }

  #end(slot: Slot<Key, Value>, why: 'expired' | 'evicted'): void {
    this.#remove(slot)
    this.#options.onEnd?.(slot.key, slot.value, why)
  }

  #remove(slot: Slot<Key, Value>): void {
    this.#slots.delete(slot.key)
    this.#queue.remove(slot)
  }

  /** The oldest first. */
  *entries(): Generator<readonly [Key, Value]> {
    for (let slot = this.#queue.oldest; slot !== undefined; slot = slot.after) yield [slot.key, slot.value]
  }
}
