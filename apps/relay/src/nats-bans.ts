/**
 * Bans of a fleet, kept under one key beside what was used of permits. Each relay adds to it what it knows and
 * learns what it has: whoever comes first writes, and the others read again (compare and set by the key's
 * revision). Without NATS they are what is known since the first relay of the fleet started.
 */
import type { KV } from '@nats-io/kv'
import { type BanHolder, compactText, type KeptBans, keptRecords, readCompact } from './bans.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { UsageShares } from './usage-share.ts'

const KEY = 'bans'
const NONE = compactText([])
/** How often another relay may come first; then it is for the next time. */
const ATTEMPTS = 5

export class NatsBans implements KeptBans {
  readonly #shares: UsageShares
  readonly #bucket: () => KV
  #holder: BanHolder | undefined
  /** Where earlier versions kept those of this relay. */
  #former: string | undefined
  /** Now. @throws Error when NATS does not answer: what is left is for the next time */
  readonly sync: () => Promise<void> = oneAtATime(() => this.#sync())

  /** @param bucket throws when NATS is not there */
  constructor(node: number, shares: UsageShares, bucket: () => KV) {
    this.#former = `${KEY}.${node}`
    this.#shares = shares
    this.#bucket = bucket
  }

  async join(holder: BanHolder): Promise<void> {
    this.#holder = holder
    await this.keep()
  }

  /** Now, or as soon as NATS is there. */
  async keep(): Promise<void> {
    await this.sync().catch(() => {})
  }

  async #sync(): Promise<void> {
    const holder = this.#holder
    if (holder === undefined) return
    const bucket = this.#bucket()
    await this.#takeFormer(holder, bucket)
    for (let left = ATTEMPTS; ; left--) {
      try {
        return await this.#merge(holder, bucket)
      } catch (error) {
        if (left === 1) throw error
      }
    }
  }

  /** @throws Error when another relay has written meanwhile */
  async #merge(holder: BanHolder, bucket: KV): Promise<void> {
    const entry = await bucket.get(KEY)
    const kept = entry === null ? undefined : this.#shares.textOf(KEY, entry.string())
    if (kept !== undefined) await holder.learnBans(readCompact(kept))
    const text = compactText(holder.banRecords)
    if (text === (kept ?? NONE)) return
    const value = this.#shares.tagged(KEY, text)
    if (entry === null) await bucket.create(KEY, value)
    else await bucket.update(KEY, value, entry.revision)
  }

  async #takeFormer(holder: BanHolder, bucket: KV): Promise<void> {
    if (this.#former === undefined) return
    const entry = await bucket.get(this.#former)
    const text = entry === null ? undefined : this.#shares.textOf(this.#former, entry.string())
    if (text !== undefined) {
      await holder.learnBans(keptRecords.parse(JSON.parse(text)))
      await this.#merge(holder, bucket)
      await bucket.delete(this.#former)
    }
    this.#former = undefined
  }
}
