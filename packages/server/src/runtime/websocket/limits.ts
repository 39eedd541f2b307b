/** What bounds the WebSocket connections of a relay (docs/protocol.md, Datagrams over WebSocket). */
import { type Duration, duration } from '@showchain/client/endpoint'

/** Connections at once: descriptors of a process are 1,024 to 65,536, and UDP needs none of them. */
export const MAX_CONNECTIONS = 4096
/** Of one IPv4 address or IPv6 /64: peers of one household or one small office. */
export const MAX_CONNECTIONS_PER_SOURCE = 16
/** Bytes that wait for a reader: then what comes next is lost, as a datagram is at a full queue. */
export const MAX_UNSENT: number = 256 * 1024
/** Bytes that wait for all readers together. */
export const MAX_UNSENT_TOTAL: number = 64 * 1024 * 1024
/** A connection on which nothing came for so long ends: a peer sends a keep-alive each 15 s. */
export const IDLE_TIME: Duration = duration(60_000)
/** A reader to whom nothing of what waits could be handed for so long is gone. */
export const STALL_TIME: Duration = duration(30_000)
/** How long a client may take for its request, and for TLS before it. */
export const REQUEST_TIME: Duration = duration(10_000)
/** Bytes of the headers of a request. */
export const MAX_HEADER_BYTES = 8192
