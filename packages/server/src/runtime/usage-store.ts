/** Where a relay keeps what was used of its quotas, so that a restart does not forget it. */
import type { Usage } from '../core/index.ts'

/** Where a relay keeps what was used of its quotas. What is written takes the place of what was there. */
export interface UsageStore {
  /** What is kept under these keys, in any order. */
  read(keys: readonly string[]): Promise<readonly Usage[]>
  /** Keeps these; others stay as they are. */
  write(usage: readonly Usage[]): Promise<void>
}

/** Ids and sources that are remembered: the one not seen for longest makes room. */
const CAPACITY = 262_144

/** Keeps it as long as the process runs. */
export class UsageInMemory implements UsageStore {
  readonly #kept = new Map<string, Usage>()

  read(keys: readonly string[]): Promise<readonly Usage[]> {
    return Promise.resolve(keys.flatMap((key) => this.#kept.get(key) ?? []))
  }

  write(usage: readonly Usage[]): Promise<void> {
    for (const each of usage) {
      this.#kept.delete(each.key)
      this.#kept.set(each.key, each)
    }
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= CAPACITY) break
      this.#kept.delete(key)
    }
    return Promise.resolve()
  }
}
