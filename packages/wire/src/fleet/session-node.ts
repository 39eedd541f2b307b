/**
 * The number of the node that made a session, at the end of its id (docs/fleet.md, Sessions). Not at
 * its beginning: relays find sessions by the first bytes, which must be random.
 */
import { readU16, writeU16 } from '../bytes.ts'
import { CHANNEL_HEADER_BYTES } from '../end-to-end/records.ts'
import { SESSION_ID_BYTES } from '../limits.ts'

const NODE_AT = SESSION_ID_BYTES - 2
/** Where it is in a channel frame: two bytes, big-endian. */
export const FRAME_NODE_AT: number = CHANNEL_HEADER_BYTES - 2

/** @param at where the id begins */
export const sessionNode = (bytes: Uint8Array, at: number): number => readU16(bytes, at + NODE_AT)

/** @param id 16 random bytes */
export function writeSessionNode(id: Uint8Array, node: number): void {
  writeU16(id, NODE_AT, node)
}
