/**
 * A node's share of an account, as the store of a fleet has it: text with a tag by the fleet's secret over
 * it and its key, so that who may only write to NATS says nothing of quotas.
 *
 *   <first 16 bytes of HMAC-SHA256, base64url>.<JSON>
 */
import { createHmac } from 'node:crypto'
import { sameBytes } from '@showchain/crypto'
import type { Usage } from '@showchain/server'
import { fromBase64url, toBase64url, utf8 } from '@showchain/wire'
import * as z from 'zod'

/** Bytes on a day and in a month. */
export type Share = Omit<Usage, 'key'>

const CONTEXT = 'SHOWCHAIN-P2P-v1 usage'
const TAG_BYTES = 16

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const schema: z.ZodType<Share> = z.strictObject({ day: whole, dayBytes: whole, month: whole, monthBytes: whole })

export class UsageShares {
  readonly #key: Uint8Array

  /** @param secret that of the fleet */
  constructor(secret: Uint8Array) {
    this.#key = createHmac('sha256', secret).update(CONTEXT).digest()
  }

  write(key: string, { day, dayBytes, month, monthBytes }: Share): string {
    return this.tagged(key, JSON.stringify({ day, dayBytes, month, monthBytes }))
  }

  /** Undefined: it is none, or is of somebody without the secret. */
  read(key: string, value: string): Share | undefined {
    const text = this.textOf(key, value)
    return text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data
  }

  tagged(key: string, text: string): string {
    return `${toBase64url(this.#tag(key, text))}.${text}`
  }

  /** Undefined: it has no tag, or that of somebody without the secret. */
  textOf(key: string, value: string): string | undefined {
    const dot = value.indexOf('.')
    const text = value.slice(dot + 1)
    const tag = fromBase64url(value.slice(0, Math.max(dot, 0)))
    if (tag === undefined || !sameBytes(tag, this.#tag(key, text))) return undefined
    return text
  }

  #tag(key: string, text: string): Uint8Array {
    const digest = createHmac('sha256', this.#key)
      .update(utf8(`${key} ${text}`))
      .digest()
    return new Uint8Array(digest.subarray(0, TAG_BYTES))
  }
}

/** What was used of an account: the sum of the shares that are of the newest day, and month; undefined: there are none. */
export function together(key: string, shares: readonly Share[]): Usage | undefined {
  if (shares.length === 0) return undefined
  const day = Math.max(...shares.map((share) => share.day))
  const month = Math.max(...shares.map((share) => share.month))
  const sum = (bytes: readonly number[]): number => bytes.reduce((total, each) => total + each, 0)
  const onDay = sum(shares.filter((share) => share.day === day).map(({ dayBytes }) => dayBytes))
  const inMonth = sum(shares.filter((share) => share.month === month).map(({ monthBytes }) => monthBytes))
  return { key, day, dayBytes: Math.max(0, onDay), month, monthBytes: Math.max(0, inMonth) }
}
