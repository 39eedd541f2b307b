/** What `connection.close` takes, checked. */
import { parseOptions } from '@showchain/wire'
import * as z from 'zod'
import type { Goodbye } from './core/index.ts'

/** What the remote peer is told, if the connection is protected. */
export interface CloseOptions {
  /** A number of the application's, 0 to 2^30. @default 0, an ordinary end */
  readonly code?: number | undefined
  /** For people: at most 256 characters of printable ASCII. @default none */
  readonly reason?: string | undefined
}

const MAX_CODE = 2 ** 30

const schema = z.strictObject({
  code: z.number().int().min(0).max(MAX_CODE).default(0),
  reason: z
    .string()
    .regex(/^[\x20-\x7e]{0,256}$/, 'not printable ASCII of at most 256 characters')
    .default(''),
})

/** @throws ShowchainError `ERR_BAD_CONFIG` */
export const checkCloseOptions = (options: CloseOptions): Goodbye => parseOptions(schema, options, 'options')
