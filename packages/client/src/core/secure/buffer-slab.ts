/**
 * Buffers for datagrams, cut from larger ones: one allocation for many. Each is handed out once,
 * since the socket may hold it for an unknown time.
 */

const SLAB_BYTES = 64 * 1024

export class BufferSlab {
  #buffer = new Uint8Array(0)
  #at = 0

  copy(bytes: Uint8Array): Uint8Array {
    const copy = this.take(bytes.length)
    copy.set(bytes)
    return copy
  }

  /** Zero-filled bytes. */
  take(length: number): Uint8Array {
    if (this.#at + length > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.max(SLAB_BYTES, length))
      this.#at = 0
    }
    this.#at += length
    return this.#buffer.subarray(this.#at - length, this.#at)
  }
}
