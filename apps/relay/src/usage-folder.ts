/**
 * What was used of quotas, kept in a folder over restarts: a LevelDB, by the optional package
 * classic-level, whose binaries are in the package. A process that is killed loses what it had not
 * written, which is no more than that of the last second.
 */

import { calendarDay } from '@showchain/server'
import type { BanRecord, Usage, UsageStore } from '@showchain/server/runtime'
import type { ClassicLevel } from 'classic-level'
import type { Logger } from 'pino'
import { type BanHolder, type KeptBans, keptRecords } from './bans.ts'
import { UsageError } from './config.ts'
import { oneAtATime } from './one-at-a-time.ts'

type Kept = Omit<Usage, 'key'>
type Database = ClassicLevel<string, Kept | readonly BanRecord[]>

/** What bans are kept under; accounts have other keys. */
const BANS = 'bans'

export class UsageFolder implements UsageStore, KeptBans {
  readonly #database: Database
  readonly #log: Logger
  #bans: BanHolder | undefined
  readonly keep: () => Promise<void> = oneAtATime(async () => {
    if (this.#bans !== undefined) await this.#database.put(BANS, this.#bans.banRecords)
  })

  private constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /** @throws UsageError when the folder or the package cannot be used. */
  static async open(path: string, log: Logger): Promise<UsageFolder> {
    try {
      // Only who wants it loads native code.
      const { ClassicLevel } = await import('classic-level')
      const database: Database = new ClassicLevel(path, { valueEncoding: 'json' })
      await database.open()
      await forgetFormerMonths(database)
      return new UsageFolder(database, log)
    } catch (error) {
      const { message, cause } = error as Error
      throw new UsageError(`usage: ${path} cannot be used: ${cause instanceof Error ? cause.message : message}`, {
        cause: error,
      })
    }
  }

  async read(keys: readonly string[]): Promise<readonly Usage[]> {
    const kept = await this.#database.getMany([...keys])
    return keys.flatMap((key, index) => (kept[index] === undefined ? [] : { key, ...(kept[index] as Kept) }))
  }

  async write(usage: readonly Usage[]): Promise<void> {
    await this.#database.batch(usage.map(({ key, ...value }) => ({ type: 'put', key, value })))
    const total = usage.find(({ key }) => key === 'total')?.dayBytes
    this.#log.debug({ entries: usage.length, total }, 'usage kept')
  }

  async join(holder: BanHolder): Promise<void> {
    this.#bans = holder
    await holder.learnBans(keptRecords.parse((await this.#database.get(BANS)) ?? []))
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** Ids that never come again would stay for ever. */
async function forgetFormerMonths(database: Database): Promise<void> {
  const { month } = calendarDay(Date.now())
  for await (const [key, value] of database.iterator())
    if ('month' in value && value.month < month) await database.del(key)
}
