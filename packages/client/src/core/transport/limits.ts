/** The sizes of a connection's transport, each once. Bytes but where it says otherwise. */
import { type Duration, duration } from '../endpoint/machine.ts'
import type { Acks } from './recovery/path-traits.ts'

/** What the other end may send before this one has read: at first, and as it grows with what is read (auto-tuning). */
export const STREAM_WINDOW: number = 256 * 1024
export const MAX_STREAM_WINDOW: number = 48 * 1024 * 1024
export const CONNECTION_WINDOW: number = 1024 * 1024
export const MAX_CONNECTION_WINDOW: number = 64 * 1024 * 1024
/** Streams that the other end may have open at a time. */
export const MAX_OPEN_STREAMS = 256
/** What an application may have written ahead: at least this, or twice the congestion window. */
export const SEND_BUFFER: number = 256 * 1024
/** Datagrams that wait to leave; the next is refused. */
export const DATAGRAM_QUEUE = 256

/** An acknowledgement waits for so many records, or so long once there are two, or ACK_DELAY (RFC 9000 §13.2.2). */
export const ACK_EVERY = 32
export const ACK_SOON: Duration = duration(1)
/** How long at most: RFC 9000 §18.2; on a path where each costs a signature, long enough to tell of many records at a time. */
export const ACK_DELAY: Readonly<Record<Acks, Duration>> = { prompt: duration(25), gathered: duration(100) }
/** Ranges of received records that are remembered, and told. */
export const RECEIVED_RANGES = 48

/** Probes that go out when nothing comes back (RFC 9002 §6.2.4). */
export const PROBES = 2
/** Records that say goodbye, at once, since nobody waits for an answer: where a tenth is lost, one of them arrives 999 times of 1000. */
export const CLOSE_RECORDS = 3
/** Why a connection is closed by the transport itself: codes of RFC 9000 §20.1. */
export const CLOSE_CODE = {
  none: 0x00,
  flowControl: 0x03,
  streamLimit: 0x04,
  streamState: 0x05,
  finalSize: 0x06,
  frameEncoding: 0x07,
  protocolViolation: 0x0a,
} as const
