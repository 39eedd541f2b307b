/** What a transfer may have, so that neither end keeps or believes more: docs/transfer.md states each. */

/** The byte that both ends write first. */
export const VERSION = 1

/** Bytes of a frame's payload; a longer one is refused. So a text has at most so many. */
export const MAX_FRAME = 65_536
/** Type and length. */
export const FRAME_HEADER_BYTES = 5
export const HASH_BYTES = 32

/** More than a source tree with its packages has. */
export const MAX_ENTRIES = 500_000
/** NAME_MAX of Linux; other systems take no longer ones. */
export const MAX_NAME_BYTES = 255
/** PATH_MAX of Linux. */
export const MAX_PATH_BYTES = 4096
/** Folders in folders. Each takes a place in the receiver's stack. */
export const MAX_DEPTH = 64
/** Entries that are announced before their content: so many round trips less, and so many that the receiver keeps. */
export const MAX_ANNOUNCED = 1024
/** Bytes of the sentence that says why an end stops. */
export const MAX_STOP_BYTES = 512
/** Largest mode: what is above these bits gives rights that a file from elsewhere must not have. */
export const MODE_BITS = 0o777
/** The end of the year 9999 in Unix milliseconds: file systems do not take what is far beyond. */
export const MAX_TIME = 253_402_300_799_999
