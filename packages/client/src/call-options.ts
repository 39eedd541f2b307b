/** The options of calls, checked. What a peer is opened with is in options.ts. */
import { parseOptions } from '@showchain/wire'
import * as z from 'zod'
import type { WaitOptions } from './async/deadline.ts'
import { isSignal } from './async/signals.ts'
import type { DialPolicy, Goodbye } from './core/index.ts'

/** What the remote peer is told, if the connection is protected. */
export interface CloseOptions {
  /** A number of the application's, 0 to 2^30. @default 0, an ordinary end */
  readonly code?: number | undefined
  /** For people: at most 256 characters of printable ASCII. @default none */
  readonly reason?: string | undefined
}

export interface ConnectOptions extends WaitOptions {
  /**
   * Which ways to try, and which paths the connection may take later.
   * @default the policy of the peer
   */
  readonly via?: DialPolicy | undefined
}

export interface OpenStreamOptions extends WaitOptions {
  /** Data of streams with a lower number is sent first. @default 0 */
  readonly priority?: number | undefined
}

const MAX_CODE = 2 ** 30
/** The longest that a timer of Node takes. */
const MAX_TIMEOUT = 2 ** 31 - 1

const wait = {
  signal: z.custom<AbortSignal>(isSignal, 'not an AbortSignal').optional(),
  timeout: z.number().min(0).max(MAX_TIMEOUT).optional(),
}
const waitSchema = z.strictObject(wait)
const connectSchema = z.strictObject({
  ...wait,
  via: z.enum(['auto', 'direct-only', 'relay-only', 'direct', 'punch']).optional(),
})
const openStreamSchema = z.strictObject({ ...wait, priority: z.number().default(0) })
const closeSchema = z.strictObject({
  code: z.number().int().min(0).max(MAX_CODE).default(0),
  reason: z
    .string()
    .regex(/^[\x20-\x7e]{0,256}$/, 'not printable ASCII of at most 256 characters')
    .default(''),
})

/** Each throws `ERR_BAD_ARGUMENT` that names what is wrong. */
const checked =
  <Given, Checked>(schema: z.ZodType<Checked>) =>
  (options: Given): Checked =>
    parseOptions(schema, options, 'options', 'ERR_BAD_ARGUMENT')

export const checkWaitOptions: (options: WaitOptions) => WaitOptions = checked(waitSchema)
export const checkConnectOptions: (options: ConnectOptions) => ConnectOptions = checked(connectSchema)
export const checkOpenStreamOptions: (options: OpenStreamOptions) => WaitOptions & { readonly priority: number } =
  checked(openStreamSchema)
export const checkCloseOptions: (options: CloseOptions) => Goodbye = checked(closeSchema)
