/**
 * A map with a cap whose entries end when they have not been touched for a while. All entries share
 * one lifetime, so insertion order is nearly expiry order: touching only notes the time, and an
 * entry that was touched goes to the back when its turn to expire comes. Nothing is ever scanned.
 */
import { type Duration, type Instant, later } from './machine.ts'

interface Slot<Value> {
  value: Value
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
  readonly #slots = new Map<Key, Slot<Value>>()
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
    this.#slots.delete(key)
    if (this.#slots.size >= this.#options.capacity) this.#evict()
    this.#slots.set(key, { value, touched: now, queued: now })
  }

  delete(key: Key): boolean {
    return this.#slots.delete(key)
  }

  /** When `expire` has something to look at. */
  get deadline(): Instant | undefined {
    const first = this.#slots.values().next().value
    return first === undefined ? undefined : later(first.queued, this.#options.lifetime)
  }

  /**
   * Removes what was not touched for a lifetime. Each entry is looked at no more than once per
   * lifetime.
   */
  expire(now: Instant): void {
    for (const [key, slot] of this.#slots) {
      if (later(slot.queued, this.#options.lifetime) > now) return
      this.#slots.delete(key)
      if (later(slot.touched, this.#options.lifetime) <= now) this.#options.onEnd?.(key, slot.value, 'expired')
      else this.#slots.set(key, { ...slot, queued: slot.touched })
    }
  }

  /**
   * Evicts the front entry that was not touched since it was queued; touched ones go to the back
   * once.
   */
  #evict(): void {
    for (const [key, slot] of this.#slots) {
      this.#slots.delete(key)
      if (slot.touched === slot.queued) {
        this.#options.onEnd?.(key, slot.value, 'evicted')
        return
      }
      this.#slots.set(key, { ...slot, queued: slot.touched })
    }
  }

  *entries(): Generator<readonly [Key, Value]> {
    for (const [key, slot] of this.#slots) yield [key, slot.value]
  }
}
