/** Copies of datagrams, cut from larger buffers: one allocation for many. */

const SLAB_BYTES = 256 * 1024

let slab = new Uint8Array(0)
let used = 0

/** Each copy is handed out once: a receiver may keep views of it. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  if (used + bytes.length > slab.length) {
    slab = new Uint8Array(Math.max(SLAB_BYTES, bytes.length))
    used = 0
  }
  const copy = slab.subarray(used, used + bytes.length)
  used += bytes.length
  copy.set(bytes)
  return copy
}
