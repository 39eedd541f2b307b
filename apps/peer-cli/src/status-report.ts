/** What a running program says of itself, as JSON on its socket. Whoever reads it takes nothing on trust. */
import { type PeerId, peerIdSchema, printable } from '@showchain/wire'
import * as z from 'zod'

export const STATUS_VERSION = 1
/** Connections, and relays, that are told of; the rest is a number. */
export const MAX_TOLD = 64
/** An answer has at most 200 bytes for each of them. */
export const MAX_STATUS_BYTES: number = 64 * 1024

export interface ConnectionStatus {
  readonly peer: PeerId
  readonly path: {
    readonly kind: 'direct' | 'relay'
    readonly at: string
    /** Of a relayed one: what carries it between this host and the relay. */
    readonly over?: 'udp' | 'websocket' | undefined
  }
  /** Milliseconds; undefined before one was measured, and where data is readable. */
  readonly rtt?: number | undefined
  /** Bytes of records, by all paths. */
  readonly sent?: number | undefined
  readonly received?: number | undefined
}

export interface Status {
  readonly version: typeof STATUS_VERSION
  readonly pid: number
  readonly command: string
  readonly id: PeerId
  /** Since it has its peer. */
  readonly seconds: number
  readonly relays: readonly {
    readonly relay: PeerId
    readonly at: string
    readonly state: string
    readonly over?: 'udp' | 'websocket' | undefined
    /** When the permit that it is shown ends, Unix milliseconds. */
    readonly permitUntil?: number | undefined
  }[]
  readonly connections: readonly ConnectionStatus[]
  /** Connections that are not told of. */
  readonly more: number
}

const text = z.string().max(200).transform(printable)
const over = z.enum(['udp', 'websocket'])
const amount = z.number().nonnegative()

const relay = z.strictObject({
  ...{ relay: peerIdSchema, at: text, state: text, over: over.optional(), permitUntil: amount.optional() },
})

const schema = z.strictObject({
  version: z.literal(STATUS_VERSION),
  pid: z.int().positive(),
  command: text,
  id: peerIdSchema,
  seconds: amount,
  relays: z.array(relay).max(MAX_TOLD),
  connections: z
    .array(
      z.strictObject({
        peer: peerIdSchema,
        path: z.strictObject({ kind: z.enum(['direct', 'relay']), at: text, over: over.optional() }),
        rtt: amount.optional(),
        sent: amount.optional(),
        received: amount.optional(),
      }),
    )
    .max(MAX_TOLD),
  more: z.int().nonnegative(),
})

/** Undefined: that was not written by this version. */
export function parseStatus(json: string): Status | undefined {
  try {
    return schema.parse(JSON.parse(json))
  } catch {
    return undefined
  }
}
