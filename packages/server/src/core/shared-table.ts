/**
 * A map with a cap that the sources of its entries share. An entry ends a lifetime after it was set
 * last. When the map is full, the source with the most entries makes room: it loses its oldest
 * entry, and gets no new one for a lifetime, so that nothing it lost can begin anew. So a full
 * table costs those who filled it, and a source with few entries always finds room.
 */
import { type Duration, ExpiringMap, type Instant } from '@showchain/client/endpoint'

interface Entry<Value> {
  readonly source: string
  readonly value: Value
}

export class SharedTable<Value> {
  readonly #capacity: number
  readonly #entries: ExpiringMap<string, Entry<Value>>
  /** The keys of each source, oldest first. An entry ends with its last key. */
  readonly #keys = new Map<string, Set<string>>()
  /** The sources that have this many keys: the largest is found without a search. */
  readonly #bySize = new Map<number, Set<string>>()
  #most = 0
  /** Sources that made room, and so get no new entry. */
  readonly #refused: ExpiringMap<string, true>

  constructor(lifetime: Duration, capacity: number) {
    this.#capacity = capacity
    this.#refused = new ExpiringMap({ lifetime, capacity })
    this.#entries = new ExpiringMap({ lifetime, capacity, onEnd: (key, { source }) => this.#remove(key, source) })
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string, now: Instant): Value | undefined {
    return this.#entries.get(key, now)?.value
  }

  /** Whether there is room for a new entry of this source, or another source has to make it. */
  hasRoom(source: string, now: Instant): boolean {
    if (this.#refused.get(source, now) !== undefined) return false
    if (this.#entries.size >= this.#capacity) this.#entries.expire(now)
    return this.#entries.size < this.#capacity || this.#sizeOf(source) + 1 < this.#most
  }

  /** Adds, where there is room, or replaces. */
  set(key: string, value: Value, source: string, now: Instant): void {
    const before = this.#entries.get(key, now)
    if (before === undefined) {
      if (!this.hasRoom(source, now)) return
      if (this.#entries.size >= this.#capacity) this.#makeRoom(now)
      this.#add(key, source)
    }
    this.#entries.set(key, { source: before?.source ?? source, value }, now)
  }

  expire(now: Instant): void {
    this.#entries.expire(now)
    this.#refused.expire(now)
  }

  #sizeOf(source: string): number {
    return this.#keys.get(source)?.size ?? 0
  }

  #makeRoom(now: Instant): void {
    const [largest] = this.#bySize.get(this.#most) ?? []
    if (largest === undefined) return
    const [oldest] = this.#keys.get(largest) ?? []
    if (oldest === undefined) return
    this.#entries.delete(oldest)
    this.#remove(oldest, largest)
    this.#refused.set(largest, true, now)
  }

  #add(key: string, source: string): void {
    const keys = this.#keys.get(source)
    if (keys === undefined) this.#keys.set(source, new Set([key]))
    else keys.add(key)
    const size = this.#sizeOf(source)
    this.#move(source, size - 1, size)
    if (size > this.#most) this.#most = size
  }

  #remove(key: string, source: string): void {
    const keys = this.#keys.get(source)
    if (keys?.delete(key) !== true) return
    this.#move(source, keys.size + 1, keys.size)
    if (keys.size === 0) this.#keys.delete(source)
    if (!this.#bySize.has(this.#most)) this.#most--
  }

  #move(source: string, from: number, to: number): void {
    const before = this.#bySize.get(from)
    before?.delete(source)
    if (before?.size === 0) this.#bySize.delete(from)
    if (to === 0) return
    const after = this.#bySize.get(to)
    if (after === undefined) this.#bySize.set(to, new Set([source]))
    else after.add(source)
  }
}
