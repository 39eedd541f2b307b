/**
 * A view of a datagram's bytes, or a copy where the view would hold much more memory than it needs:
 * datagrams that came together share a buffer.
 */
export const owned = (bytes: Uint8Array): Uint8Array =>
  bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes
