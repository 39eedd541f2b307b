/** What takes the frames of a record (docs/protocol.md, What is in a record). */

/** Receives the frames of one record. False is a protocol violation: reading stops. */
export interface FrameSink {
  /**
   * Records that came (RFC 9000 §19.3).
   * @param ranges lowest, highest, lowest, highest, …: the newest range first
   */
  ack(ranges: readonly number[], delayMs: number): boolean
  /** Data at an offset of a stream; `fin`: it ends there (RFC 9000 §19.8). */
  stream(id: number, offset: number, data: Uint8Array, fin: boolean): boolean
  /** The sender gave the stream up, after so many bytes (RFC 9000 §19.4). */
  resetStream(id: number, code: number, finalSize: number): boolean
  /** The receiver reads no more of the stream (RFC 9000 §19.5). */
  stopSending(id: number, code: number): boolean
  /** Bytes over all streams that may be sent (RFC 9000 §19.9). */
  maxData(limit: number): boolean
  /** Bytes of one stream that may be sent (RFC 9000 §19.10). */
  maxStreamData(id: number, limit: number): boolean
  /** Streams that may be opened, in all (RFC 9000 §19.11). */
  maxStreams(limit: number): boolean
  /** 8 bytes that are to be sent back (RFC 9000 §19.17). */
  pathChallenge(token: Uint8Array): boolean
  /** 8 bytes that came back (RFC 9000 §19.18). */
  pathResponse(token: Uint8Array): boolean
  /** An unreliable datagram (RFC 9221 §4). */
  datagram(bytes: Uint8Array): boolean
  /** The sender's X25519 key for a later warm hello. */
  staticKey(key: Uint8Array, lifetimeS: number): boolean
  /**
   * CONNECTION_CLOSE (RFC 9000 §19.19).
   * @param reason printable ASCII
   */
  close(code: number, reason: string): boolean
}
