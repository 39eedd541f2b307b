/**
 * Bans outlive a relay where what was used of quotas is kept: read when it starts, and written when they change.
 * In a fleet they are those of all nodes, which say them to each other; what is kept is of all of them.
 */
import type { Ban, BanRecord } from '@showchain/server/runtime'
import * as z from 'zod'

/** Whose bans they are: a relay's, or those of the workers of one. */
export interface BanHolder {
  readonly banRecords: readonly BanRecord[]
  learnBans(records: readonly BanRecord[]): void | Promise<void>
}

export interface KeptBans {
  /** Called once: the holder learns what was kept, now or when it can be read. */
  join(holder: BanHolder): Promise<void>
  /** They have changed. Done when they are kept, or later where they cannot be yet. */
  keep(): Promise<void>
}

const time = z.number().int().min(0)
const who = z.string().min(2).max(64)
export const named: z.ZodType<Pick<Ban, 'who'>> = z.strictObject({ who })
export const givenBan: z.ZodType<Ban> = z.strictObject({ who, until: time.optional() })
/** Those of earlier versions do not say when they were given. */
export const keptRecords: z.ZodType<BanRecord[]> = z.array(
  z.strictObject({ who, until: time.optional(), at: time.default(0) }),
)

const rows = z.array(z.union([z.tuple([who, time]), z.tuple([who, time, time])]))

/** As few bytes as they take: all together are one value. The same for the same bans. */
export const compactText = (records: readonly BanRecord[]): string =>
  JSON.stringify(records.map(({ who, at, until }) => (until === undefined ? [who, at] : [who, at, until])).sort(byName))

/** @throws Error when it is no such text */
export const readCompact = (text: string): readonly BanRecord[] =>
  rows.parse(JSON.parse(text)).map(([who, at, until]) => ({ who, at, until }))

const byName = ([one]: readonly unknown[], [other]: readonly unknown[]): number =>
  String(one) < String(other) ? -1 : 1
