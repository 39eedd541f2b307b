/** Pairs of peers of which one reaches its relay by WebSocket alone. */
import type { Connection, Peer } from '@showchain/client'
import { expect } from 'vitest'
import { contents, readAll, same, take } from '../face/bed.ts'

/** How a peer reaches its relay. */
export const overOf = (peer: Peer): string | undefined => peer.inspect().relays[0]?.over

export const connected = async (from: Peer, to: Peer): Promise<readonly [Connection, Connection]> => [
  await from.connect(to.ticket),
  await take(to.incoming),
]

/** Bytes go on while something happens, and all of them arrive. */
export async function streams(ours: Connection, theirs: Connection, meanwhile: () => Promise<void>): Promise<void> {
  const stream = await ours.openStream()
  const bytes = contents(512 * 1024)
  await stream.write(bytes.subarray(0, 1000))
  const reading = readAll(await take(theirs.streams))
  const writing = (async () => {
    for (let at = 1000; at < bytes.length; at += 32 * 1024) await stream.write(bytes.slice(at, at + 32 * 1024))
  })()
  await meanwhile()
  await writing
  await stream.end()
  expect(same(await reading, bytes)).toBe(true)
}
