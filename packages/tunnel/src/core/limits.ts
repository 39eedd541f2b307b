/** What a tunnel may have, so that neither end keeps more: docs/tunnel.md states each. */
import { type Duration, duration } from '@showchain/client/endpoint'

/** What stands before the payload of a datagram. */
export const FLOW_BYTES = 4
export const MAX_FLOW = 0xffff_ffff

/** Flows of a connection; each is a socket of the end that serves. One more takes the place of the one idle longest. */
export const MAX_FLOWS = 256
/** The least that a NAT gives a mapping of UDP (RFC 4787, REQ-5): programs expect no less. */
export const FLOW_IDLE: Duration = duration(120_000)
/** Datagrams that wait for a path to their target to be there; the oldest makes room. */
export const MAX_HELD = 64

/** Milliseconds that a target has to accept a connection. */
export const TARGET_TIME: Duration = duration(10_000)
/** Streams that an end serves at once, over all its connections. A connection has 256 at most. */
export const MAX_SERVED = 1024
/** Local connections at once at the end that forwards: 256 have a stream each, the others wait for one. */
export const MAX_LOCAL = 512
/** Milliseconds that each of them waits, for a stream or for the remote peer. */
export const WAITING_TIME: Duration = duration(25_000)

/** Milliseconds between two attempts to connect again: doubles from the first to the last, ±50 %. */
export const REDIAL_FIRST: Duration = duration(1000)
export const REDIAL_LAST: Duration = duration(30_000)
