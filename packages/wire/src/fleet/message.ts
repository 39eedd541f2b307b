/**
 * A message between the nodes of a fleet (docs/fleet.md, Messages):
 *
 *   version (1) | to (2) | from (2) | life (4) | time (8) | items | tag (16)
 *
 * The tag is not checked here: who has the secret does, between the header and the items.
 */
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../bytes.ts'
import { counterKind } from '../kinds.ts'
import { MAX_U16 } from '../limits.ts'
import { FLEET_ITEM_HEADER_BYTES, type FleetItem, fleetItemLength, readFleetItem, writeFleetItem } from './items.ts'

/** Version of messages between nodes; nodes of another one are not understood. */
export const FLEET_VERSION = 1
/** Of HMAC-SHA256 the first half, as in RFC 4868. */
export const FLEET_TAG_BYTES = 16
/** Bytes in front of the items. */
export const FLEET_HEADER_BYTES = 17
/** What one message has at most: the items of one turn of a loop, and no more than any bus carries. */
export const MAX_FLEET_MESSAGE = 32_768
/** Highest number that a node may have. */
export const MAX_FLEET_NODE: number = MAX_U16 - 1
/** In place of a node's number: everybody. */
const EVERYBODY = MAX_U16

/** Where a message goes: to the node with this number, or to all others. */
export type FleetAddress = number | 'all'

export interface FleetHeader {
  readonly to: FleetAddress
  readonly from: number
  /** A random number of the process that sends. */
  readonly life: number
  /** Unix milliseconds of the sender. */
  readonly time: number
}

/** Writes one message. */
export class FleetWriter {
  readonly #out = new Uint8Array(MAX_FLEET_MESSAGE)
  #end = 0

  get isEmpty(): boolean {
    return this.#end === 0
  }

  /** @returns false when there is no room */
  add(item: FleetItem): boolean {
    const at = Math.max(this.#end, FLEET_HEADER_BYTES)
    if (at + fleetItemLength(item) > MAX_FLEET_MESSAGE - FLEET_TAG_BYTES) return false
    this.#end = writeFleetItem(this.#out, at, item)
    return true
  }

  /** The message with an empty tag; the writer begins another one. */
  take({ to, from, life, time }: FleetHeader): Uint8Array {
    const out = this.#out
    const end = Math.max(this.#end, FLEET_HEADER_BYTES)
    out[0] = FLEET_VERSION
    writeU64(out, writeU32(out, writeU16(out, writeU16(out, 1, to === 'all' ? EVERYBODY : to), from), life), time)
    this.#end = 0
    const message = out.slice(0, end + FLEET_TAG_BYTES)
    return message.fill(0, end)
  }
}

/** What the tag is over. */
export const fleetSigned = (message: Uint8Array): Uint8Array => message.subarray(0, -FLEET_TAG_BYTES)
export const fleetTag = (message: Uint8Array): Uint8Array => message.subarray(-FLEET_TAG_BYTES)

/** The header; undefined when this is no message of this version. */
export function readFleetHeader(message: Uint8Array): FleetHeader | undefined {
  const { length } = message
  if (length < FLEET_HEADER_BYTES + FLEET_TAG_BYTES || length > MAX_FLEET_MESSAGE) return undefined
  if (message[0] !== FLEET_VERSION || counterKind.end(message, 9) === -1) return undefined
  const [to, from] = [readU16(message, 1), readU16(message, 3)]
  if (from === EVERYBODY) return undefined
  return { to: to === EVERYBODY ? 'all' : to, from, life: readU32(message, 5), time: readU64(message, 9) }
}

/** The items of a message that has a header, without those of unknown kinds; undefined when one is malformed. */
export function readFleetItems(message: Uint8Array): readonly FleetItem[] | undefined {
  const end = message.length - FLEET_TAG_BYTES
  const items: FleetItem[] = []
  for (let at = FLEET_HEADER_BYTES; at < end; ) {
    const body = at + FLEET_ITEM_HEADER_BYTES
    const next = body <= end ? body + readU16(message, at + 1) : end + 1
    if (next > end) return undefined
    const item = readFleetItem(message[at] as number, message.subarray(body, next))
    if (item === undefined) return undefined
    if (item !== 'unknown') items.push(item)
    at = next
  }
  return items
}
