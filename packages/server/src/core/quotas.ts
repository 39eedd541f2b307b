/** What peers may send through a relay, and what happens when they have: options and their check. */
import { parseOptions } from '@showchain/wire'
import * as z from 'zod'

/** Bytes in a day and in a month (UTC). */
export interface Allotment {
  readonly day?: number | undefined
  readonly month?: number | undefined
}

/** Limits of what is forwarded. Each byte counts for who sends it. */
export interface Quotas {
  /** Of each id. @default none */
  readonly id?: Allotment | undefined
  /** Of each source: an IPv4 address, an IPv6 /64. @default none */
  readonly source?: Allotment | undefined
  /** Of all together. @default none */
  readonly total?: Allotment | undefined
  /** What all may send together, shared fairly between sources when they want more. @default any */
  readonly bytesPerSecond?: number | undefined
  /**
   * What happens to who has used up an allotment: the relay serves it no more, or goes on introducing
   * it to others and forwards none of its data. @default introduce-only
   */
  readonly atCap?: 'refuse' | 'introduce-only' | undefined
}

const bytes = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional()
const allotment = z.strictObject({ day: bytes, month: bytes }).optional()

/** Checks quotas. */
export const quotasSchema: z.ZodType<Quotas> = z.strictObject({
  id: allotment,
  source: allotment,
  total: allotment,
  bytesPerSecond: bytes,
  atCap: z.enum(['refuse', 'introduce-only']).optional(),
})

/** @throws ShowchainError `ERR_BAD_CONFIG` that names what is wrong. */
export const checkedQuotas = (quotas: Quotas): Quotas => parseOptions(quotasSchema, quotas, 'quotas')
