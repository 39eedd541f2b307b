/** The options of calls, checked. What a peer is opened with is in options.ts. */
import { parseOptions, parseTicket, peerIdSchema, ShowchainError, type Ticket, ticketSchema } from '@showchain/wire'
import { isProtocolName } from '@showchain/wire/end-to-end'
import * as z from 'zod/mini'
import type { WaitOptions } from './async/deadline.ts'
import { isSignal, type SignalOptions } from './async/signals.ts'
import { type DialPolicy, EarlyBytes, type Goodbye, type StreamOpening } from './core/index.ts'

/** What the remote peer is told, if the connection is protected. */
export interface CloseOptions {
  /** A number of the application's, 0 to 2^30. @default 0, an ordinary end */
  readonly code?: number | undefined
  /** For people: at most 256 characters of printable ASCII. @default none */
  readonly reason?: string | undefined
}

/** How a remote peer is dialled. */
export interface ConnectOptions extends WaitOptions {
  /**
   * Which ways to try, and which paths the connection may take later.
   * @default the policy of the peer
   */
  readonly via?: DialPolicy | undefined
  /**
   * 1 to 1024 bytes with which a stream begins: `connection.earlyStream`. To a remote peer that this
   * one has met, and that opted in with `acceptEarly`, they leave with the first request, before
   * `connect` resolves: see the readme. Not to be changed afterwards.
   * @default none
   */
  readonly early?: Uint8Array | undefined
  /** @see ReconnectingOptions */
  readonly reconnect?: undefined
}

export interface ReconnectOptions {
  /** Dials in a row that may fail before it gives up; `Infinity`: it never does. @default 10 */
  readonly attempts?: number | undefined
}

/** Of a connection that is dialled again when it is lost. An abort of `signal` closes it at any time. */
export interface ReconnectingOptions extends Omit<ConnectOptions, 'early' | 'reconnect'> {
  readonly reconnect: true | ReconnectOptions
}

/** How a remote peer is reached for a ping. */
export interface PingOptions extends WaitOptions {
  /** Which ways to try. @default the policy of the peer */
  readonly via?: DialPolicy | undefined
}

/** How a stream is opened. */
export interface OpenStreamOptions extends WaitOptions {
  /**
   * The name of what is spoken on the stream, as `chat/1`: 1 to 255 characters from `!` to `~`. The
   * remote peer learns of a stream with a name at once, of another one with its first byte.
   * @default none
   */
  readonly protocol?: string | undefined
  /** Data of streams with a lower number is sent first. @default 0 */
  readonly priority?: number | undefined
}

/** Which stream is waited for, and how long. */
export interface AcceptStreamOptions extends SignalOptions {
  /** @default streams that no other call asks for by their protocol */
  readonly protocol?: string | undefined
  /** Milliseconds. @default until the connection ends */
  readonly timeout?: number | undefined
}

const MAX_CODE = 2 ** 30
/** The longest that a timer of Node takes. */
const MAX_TIMEOUT = 2 ** 31 - 1

const wait = {
  signal: z.optional(z.custom<AbortSignal>(isSignal, 'not an AbortSignal')),
  timeout: z.optional(z.number().check(z.gte(0), z.lte(MAX_TIMEOUT))),
}
const via = z.optional(z.enum(['auto', 'direct-only', 'relay-only', 'direct', 'punch']))
const waitSchema = z.strictObject(wait)
/** What an application may say early; how much of it has room in a request is in docs/protocol.md, Early frames. */
const MAX_EARLY = 1024
const connectSchema = z.strictObject({
  ...wait,
  early: z.optional(
    z.custom<Uint8Array>(
      (value) => value instanceof Uint8Array && value.length > 0 && value.length <= MAX_EARLY,
      `not a Uint8Array of 1 to ${MAX_EARLY} bytes`,
    ),
  ),
  via,
})
const reconnectingSchema = z.strictObject({
  ...wait,
  via,
  reconnect: z.union([
    z.literal(true),
    z.strictObject({ attempts: z.optional(z.union([z.int().check(z.gte(1)), z.literal(Number.POSITIVE_INFINITY)])) }),
  ]),
})
const pingSchema = z.strictObject({ ...wait, via })
export const protocolSchema: z.ZodMiniType<string> = z
  .string()
  .check(z.refine(isProtocolName, 'not 1 to 255 characters of printable ASCII without spaces'))
const openStreamSchema = z.strictObject({
  ...wait,
  priority: z._default(z.number(), 0),
  protocol: z.optional(protocolSchema),
})
const acceptStreamSchema = z.strictObject({ ...wait, protocol: z.optional(protocolSchema) })
const closeSchema = z.strictObject({
  code: z._default(z.int().check(z.gte(0), z.lte(MAX_CODE)), 0),
  reason: z._default(
    z.string().check(z.regex(/^[\x20-\x7e]{0,256}$/, 'not printable ASCII of at most 256 characters')),
    '',
  ),
})

/** Each throws `ERR_BAD_ARGUMENT` that names what is wrong. */
const checked =
  <Given, Checked>(schema: z.ZodMiniType<Checked>) =>
  (options: Given): Checked =>
    parseOptions(schema, options, 'options', 'ERR_BAD_ARGUMENT')

export const checkWaitOptions: (options: WaitOptions) => WaitOptions = checked(waitSchema)
export const checkPingOptions: (options: PingOptions) => PingOptions = checked(pingSchema)
export const checkOpenStreamOptions: (options: OpenStreamOptions) => WaitOptions & StreamOpening =
  checked(openStreamSchema)
export const checkAcceptStreamOptions: (options: AcceptStreamOptions) => AcceptStreamOptions =
  checked(acceptStreamSchema)
export const checkCloseOptions: (options: CloseOptions) => Goodbye = checked(closeSchema)

export const checkReconnectingOptions: (options: ReconnectingOptions) => ReconnectingOptions =
  checked(reconnectingSchema)
/** Whether they are options of a connection that is dialled again. What they are otherwise shows later. */
export function reconnects(options: ConnectOptions | ReconnectingOptions): options is ReconnectingOptions {
  try {
    return options.reconnect !== undefined
  } catch {
    // Reading a foreign object may run its own code.
    return false
  }
}

const connectOptions = checked<ConnectOptions, ConnectOptions>(connectSchema)

/** Throws `ERR_PLAINTEXT_REFUSED` too. */
export function checkConnectOptions(
  options: ConnectOptions,
  { plaintext }: { readonly plaintext: boolean },
): Omit<ConnectOptions, 'early'> & { readonly early: EarlyBytes | undefined } {
  const { early, ...rest } = connectOptions(options)
  if (early !== undefined && plaintext)
    throw new ShowchainError('ERR_PLAINTEXT_REFUSED', 'A plaintext connection has no streams.')
  return { ...rest, early: early && new EarlyBytes(early) }
}

/** A bare id names no way: LAN discovery may find one. @throws ShowchainError `ERR_BAD_TICKET` */
export function ticketFor(to: string | Ticket): Ticket {
  // A ticket has a scheme: to be told that it is no id would take as long as to read it.
  const id = typeof to === 'string' && !to.includes(':') ? peerIdSchema.safeParse(to).data : undefined
  if (id !== undefined) return { id, relays: [], addresses: [] }
  return typeof to === 'string' ? parseTicket(to) : parseOptions(ticketSchema, to, 'ticket', 'ERR_BAD_TICKET')
}
