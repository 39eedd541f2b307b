/**
 * Bans of a relay of a fleet, kept beside what was used of permits under `bans.<node>`. Without NATS they are
 * what its operator said since it started; what was kept is added as soon as it can be read.
 */
import type { KV } from '@nats-io/kv'
import type { Ban } from '@showchain/server/runtime'
import * as z from 'zod'
import { ban, type KeptBans, type TakeBans } from './control.ts'
import type { UsageShares } from './usage-share.ts'

const schema = z.array(ban)

export class NatsBans implements KeptBans {
  readonly #key: string
  readonly #shares: UsageShares
  readonly #bucket: () => KV
  #take: TakeBans | undefined
  #read = false
  #pending: readonly Ban[] | undefined
  #last: Promise<void> = Promise.resolve()

  /** @param bucket throws when NATS is not there */
  constructor(node: number, shares: UsageShares, bucket: () => KV) {
    this.#key = `bans.${node}`
    this.#shares = shares
    this.#bucket = bucket
  }

  async readBans(take: TakeBans): Promise<void> {
    this.#take = take
    await this.sync().catch(() => {})
  }

  /** Now, or as soon as NATS is there. */
  async keepBans(bans: readonly Ban[]): Promise<void> {
    this.#pending = bans
    await this.sync().catch(() => {})
  }

  /** One after the other. @throws Error when NATS does not answer: what is left is for the next time */
  sync(): Promise<void> {
    const done = this.#last.then(() => this.#sync())
    this.#last = done.catch(() => {})
    return done
  }

  async #sync(): Promise<void> {
    if (this.#take === undefined) return
    if (!this.#read) {
      const entry = await this.#bucket().get(this.#key)
      const text = entry === null ? undefined : this.#shares.textOf(this.#key, entry.string())
      const all = await this.#take(text === undefined ? [] : schema.parse(JSON.parse(text)))
      this.#read = true
      if (this.#pending !== undefined) this.#pending = all
    }
    const bans = this.#pending
    if (bans === undefined) return
    await this.#bucket().put(this.#key, this.#shares.tagged(this.#key, JSON.stringify(bans)))
    if (this.#pending === bans) this.#pending = undefined
  }
}
