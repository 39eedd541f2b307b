/** Datagrams over WebSocket (docs/protocol.md): where a relay takes connections. */
import * as z from 'zod/mini'
import { MAX_U16 } from './limits.ts'

/** Path of the request that becomes a connection. */
export const WEBSOCKET_PATH = '/showchain'
/** Where a relay is looked for without a `via` (RFC 9110 §4.2.2). */
export const HTTPS_PORT = 443

/** Checks where a relay takes WebSocket connections: at its own name, over TLS or plain. */
export const websocketSchema = z.readonly(
  z.strictObject({ tls: z.boolean(), port: z.int().check(z.gte(1), z.lte(MAX_U16)) }),
)
/** Where a relay takes WebSocket connections. */
export type WebSocketAt = z.infer<typeof websocketSchema>

/** The value of `via` in a ticket. */
export const formatVia = ({ tls, port }: WebSocketAt): string => `${tls ? 'wss' : 'ws'}:${port}`

export function viaFrom(text: string): WebSocketAt | undefined {
  const [, scheme, digits] = /^(wss?):([1-9][0-9]{0,4})$/.exec(text) ?? []
  const port = Number(digits)
  return scheme === undefined || port > MAX_U16 ? undefined : { tls: scheme === 'wss', port }
}

/** The address for a WebSocket connection to a relay at this host. */
export function websocketUrl(host: string, { tls, port }: WebSocketAt = { tls: true, port: HTTPS_PORT }): string {
  return `${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}${WEBSOCKET_PATH}`
}
