/** Sizes and times of a connection's transport, each once. Bytes unless it says otherwise. */
import { type Duration, duration } from '../endpoint/machine.ts'
import type { Acks } from './recovery/path-traits.ts'

/**
 * Receive windows: what the remote peer may send before this end has read, at first and at most
 * (auto-tuning).
 */
export const STREAM_WINDOW: number = 256 * 1024
export const MAX_STREAM_WINDOW: number = 48 * 1024 * 1024
export const CONNECTION_WINDOW: number = 1024 * 1024
export const MAX_CONNECTION_WINDOW: number = 64 * 1024 * 1024
/** Streams of the remote peer that may be open at a time. */
export const MAX_OPEN_STREAMS = 256
/**
 * Bytes that came and wait to be read, and that take nothing of the connection's window: what all
 * streams of the remote peer hold at first. A connection keeps at most this and
 * MAX_CONNECTION_WINDOW.
 */
export const UNREAD_ALLOWANCE: number = MAX_OPEN_STREAMS * STREAM_WINDOW
/**
 * Out of order, all streams of a connection together have so many pieces below so many bytes. Each
 * costs about 250 bytes of memory. Records of an honest sender are fuller, unless it writes little
 * at a time: then so many are hardly on their way at once.
 */
export const SMALL_PIECE = 512
export const MAX_SMALL_PIECES = 16_384
/** What came of a stream is read in pieces of so many bytes, if there are. */
export const READ_PIECE: number = 64 * 1024
/**
 * What an application may write ahead on a stream: this, or twice the congestion window if that is
 * more, up to MAX_STREAM_WINDOW. A remote peer that acknowledges late makes the congestion window as
 * large as it likes.
 */
export const SEND_BUFFER: number = 256 * 1024
/** Datagrams that wait to be sent; the next one is refused. */
export const DATAGRAM_QUEUE = 256

/**
 * An ACK is sent after so many ack-eliciting records, or so long after the second, or after
 * ACK_DELAY (RFC 9000 §13.2.2).
 */
export const ACK_EVERY = 32
export const ACK_SOON: Duration = duration(1)
/**
 * max_ack_delay: RFC 9000 §18.2; where each ACK costs a signature, long enough to cover many
 * records.
 */
export const ACK_DELAY: Readonly<Record<Acks, Duration>> = { prompt: duration(25), gathered: duration(100) }
/** Ranges of received numbers that are kept and reported (RFC 9000 §13.2.3). */
export const RECEIVED_RANGES = 48

/** Records that a probe timeout sends (RFC 9002 §6.2.4). */
export const PROBES = 2
/**
 * Records with CONNECTION_CLOSE, sent at once: where a tenth is lost, one of them arrives 999 times
 * of 1000.
 */
export const CLOSE_RECORDS = 3
/** Error codes of RFC 9000 §20.1. */
export const CLOSE_CODE = {
  none: 0x00,
  internal: 0x01,
  flowControl: 0x03,
  streamLimit: 0x04,
  finalSize: 0x06,
  frameEncoding: 0x07,
  protocolViolation: 0x0a,
} as const
