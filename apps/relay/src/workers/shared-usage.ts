/**
 * What the workers of one relay used of quotas, together. The primary keeps it; each worker tells it each
 * second what it added, and hears what others added.
 */
import { Account } from '@showchain/server'
import type { Usage, UsageStore, UsedBytes } from '@showchain/server/runtime'
import type { Line } from './line.ts'
import type { PrimaryOffers } from './offers.ts'

/** Accounts of which a worker knows what it has told: far more than it has peers. */
const MAX_TOLD = 1_048_576

/** A worker's end. */
export class ToldUsage implements UsageStore {
  readonly #line: Pick<Line<PrimaryOffers>, 'ask' | 'tell'>
  /** What the primary and this worker both know, in bytes of that month. */
  readonly #told = new Map<string, Pick<Usage, 'month' | 'monthBytes'>>()

  constructor(line: Pick<Line<PrimaryOffers>, 'ask' | 'tell'>) {
    this.#line = line
  }

  async read(keys: readonly string[]): Promise<readonly Usage[]> {
    const kept = await this.#line.ask('read', keys)
    for (const key of keys) this.#told.delete(key)
    for (const usage of kept) this.#remember(usage)
    return kept
  }

  async write(usage: readonly Usage[]): Promise<void> {
    const used = usage.map(({ key, day, month, monthBytes }) => {
      const told = this.#told.get(key)
      return { key, day, month, bytes: monthBytes - (told?.month === month ? told.monthBytes : 0) }
    })
    for (const each of usage) this.#remember(each)
    this.#line.tell('used', used)
  }

  /** Others used so much. Of a month that is over here it counts for the one that is, as with accounts. */
  heard(used: readonly UsedBytes[]): void {
    for (const { key, bytes, month } of used) {
      const told = this.#told.get(key) ?? { month, monthBytes: 0 }
      const known = month > told.month ? 0 : told.monthBytes
      this.#remember({ key, month: Math.max(month, told.month), monthBytes: Math.max(0, known + bytes) })
    }
  }

  #remember({ key, month, monthBytes }: Pick<Usage, 'key' | 'month' | 'monthBytes'>): void {
    this.#told.delete(key)
    this.#told.set(key, { month, monthBytes })
    if (this.#told.size > MAX_TOLD) this.#told.delete(this.#told.keys().next().value as string)
  }
}

/** The primary's. */
export class UsageLedger {
  readonly #store: UsageStore
  #done: Promise<unknown> = Promise.resolve()

  constructor(store: UsageStore) {
    this.#store = store
  }

  /** After all that was used before. */
  read(keys: readonly string[]): Promise<readonly Usage[]> {
    return this.#next(() => this.#store.read(keys))
  }

  /**
   * @param tell tells other workers, in its turn as well: who is reading has the answer of before, which
   * knows nothing of this, and who reads next gets it by that
   * @throws what the store throws
   */
  add(used: readonly UsedBytes[], tell: () => void): Promise<void> {
    return this.#next(() => this.#write(used).finally(tell))
  }

  async #write(used: readonly UsedBytes[]): Promise<void> {
    const kept = new Map((await this.#store.read(used.map(({ key }) => key))).map((usage) => [usage.key, usage]))
    const accounts = used.map(({ key, bytes, day, month }) => {
      const account = new Account(kept.get(key) ?? { key, day, month, dayBytes: 0, monthBytes: 0 })
      account.learn(bytes, { day, month })
      return account.usage
    })
    await this.#store.write(accounts)
  }

  #next<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#done.then(work)
    this.#done = result.catch(() => {})
    return result
  }
}
