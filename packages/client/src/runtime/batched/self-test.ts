/** Whether this kernel does with a batch what a batched socket takes for granted. */

import { equalBytes } from '@showchain/wire'
import { batchedSockets } from './batched-socket.ts'
import type { Libc } from './libc.ts'

const LOOPBACK = '127.0.0.1'
const DATAGRAMS = 5
const BYTES = 600
/** Milliseconds. */
const TIMEOUT = 1000

/**
 * Sends a train and a single datagram to itself, and compares. Loopback delivers at once, so this
 * takes one turn of the loop.
 *
 * @returns why it must not be used; undefined: it may
 */
export async function selfTest(libc: Libc): Promise<string | undefined> {
  try {
    const socket = await batchedSockets(libc).bind({ host: LOOPBACK, port: 0 })
    const sent = Array.from({ length: DATAGRAMS }, (_, index) =>
      new Uint8Array(index === DATAGRAMS - 1 ? BYTES / 2 : BYTES).fill(index + 1),
    )
    const received: Uint8Array[] = []
    let failed = 0
    const arrived = new Promise<void>((resolve) => {
      // Nothing came: the loop has had time to read what loopback delivered at once.
      const timer = setTimeout(resolve, TIMEOUT)
      socket.receive({
        datagram(bytes, source) {
          if (source?.ip === LOOPBACK && source.port === socket.local.port) received.push(bytes)
          if (received.length < DATAGRAMS) return
          clearTimeout(timer)
          resolve()
        },
        batchEnded: () => {},
        unsent: (_why, count) => {
          failed += count
        },
        failed: () => {
          failed++
        },
      })
    })
    for (const bytes of sent) socket.send(socket.local, bytes)
    await arrived
    await socket.close()
    const same =
      received.length === DATAGRAMS && sent.every((bytes, index) => equalBytes(bytes, received[index] as Uint8Array))
    return same && failed === 0 ? undefined : 'what it sends to itself does not come back as it was'
  } catch (error) {
    return `its system calls fail (${(error as Error).message})`
  }
}
