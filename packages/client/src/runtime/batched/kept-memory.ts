/**
 * What the garbage collector frees, the C library keeps for what is allocated next.
 *
 * Of memory that is freed, glibc gives back to the kernel what is more than 128 KiB, page by page,
 * until it has seen the end of a larger block; from then on it keeps twice as much as that had
 * (mallopt(3), M_TRIM_THRESHOLD and M_MMAP_THRESHOLD). The pieces of streams are freed by the
 * collector, many at once. To get each of their pages from the kernel again took a tenth of the time
 * of a process that receives a stream.
 */

/** Twice as much is kept, and no more (DEFAULT_MMAP_THRESHOLD_MAX). */
const BLOCK = 16 * 1024 * 1024

/** Its pages are never touched, so they take no memory; the collector frees the block when it runs. */
export function keepFreedMemory(): void {
  new ArrayBuffer(BLOCK)
}
