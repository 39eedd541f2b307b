/**
 * What Node itself can do: a process that passes each datagram on to another port and does nothing
 * else.
 */
import type { Socket } from 'node:dgram'
import { serve } from './child.ts'
import { closeAll, cpuSeconds, LOOPBACK, openSocket } from './loopback.ts'

export type ForwarderRequest =
  | { readonly type: 'open'; readonly pairs: readonly (readonly [number, number])[] }
  | { readonly type: 'close' }
  | { readonly type: 'cpu' }

let open: Socket | undefined

/** Answers `open` with the port and `cpu` with the seconds used. */
async function answer(request: ForwarderRequest): Promise<number> {
  if (request.type === 'cpu') return cpuSeconds()
  if (open !== undefined) await closeAll([open])
  open = undefined
  if (request.type === 'close') return 0
  const other = new Map(
    request.pairs.flatMap(([a, b]) => [
      [a, b],
      [b, a],
    ]),
  )
  const socket = await openSocket()
  socket.on('message', (bytes, { port }) => {
    const to = other.get(port)
    if (to !== undefined) socket.send(bytes, to, LOOPBACK)
  })
  open = socket
  return socket.address().port
}

serve(answer)
