/** Messages between nodes, made and read by what docs/fleet.md says. */
import { createHmac } from 'node:crypto'
import {
  type FleetAddress,
  type FleetItem,
  FleetWriter,
  fleetSigned,
  fleetTag,
  readFleetItems,
} from '@showchain/wire/fleet'

export const SECRET: Uint8Array = new Uint8Array(32).fill(0x5e)

export const hmacSha256Of = (key: Uint8Array, bytes: Uint8Array | string): Uint8Array =>
  createHmac('sha256', key).update(bytes).digest()
const keyOf = (secret: Uint8Array): Uint8Array => hmacSha256Of(secret, 'SHOWCHAIN-P2P-v1 fleet messages')

/** By the key of messages of this fleet. */
export const hmacSha256 = (bytes: Uint8Array): Uint8Array => hmacSha256Of(keyOf(SECRET), bytes)

export function messageTo(
  time: number,
  items: readonly FleetItem[],
  {
    from = 4,
    to = 3 as FleetAddress,
    life = 1,
    secret = SECRET,
  }: { from?: number; to?: FleetAddress; life?: number; secret?: Uint8Array } = {},
): Uint8Array {
  const writer = new FleetWriter()
  for (const item of items) writer.add(item)
  const message = writer.take({ to, from, life, time })
  fleetTag(message).set(hmacSha256Of(keyOf(secret), fleetSigned(message)).subarray(0, 16))
  return message
}

/** What a message with a right tag says. */
export function open(message: Uint8Array): readonly FleetItem[] {
  const tag = hmacSha256(fleetSigned(message)).subarray(0, 16)
  if (Buffer.compare(tag, fleetTag(message)) !== 0) throw new Error('A message has a wrong tag.')
  return readFleetItems(message) ?? []
}
