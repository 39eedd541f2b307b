/** Bare sockets on loopback, and what a process that answers on one reports of itself. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { RECEIVE_BUFFER } from '@showchain/client/runtime'

export const LOOPBACK = '127.0.0.1'

/** Bound to a free port, with the buffers that a relay asks for. */
export async function openSocket(address: string = LOOPBACK): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    // Like the relay's own socket: no trip through the resolver for what is an address.
    lookup: (host, _options, callback) => callback(null, host, 4),
  })
  // Listens before `bind` returns, since nothing is looked up.
  const listening = once(socket, 'listening')
  socket.bind(0, address)
  await listening
  socket.setRecvBufferSize(RECEIVE_BUFFER)
  socket.setSendBufferSize(RECEIVE_BUFFER)
  return socket
}

export async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))))
}

/** The next datagram; sends a request again when none comes within the second, since UDP may lose. */
export async function exchange(socket: Socket, request: () => Uint8Array, port: number): Promise<Uint8Array> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const signal = AbortSignal.timeout(1000)
    const answer = once(socket, 'message', { signal })
    socket.send(request(), port, LOOPBACK)
    try {
      return (await answer)[0] as Uint8Array
    } catch {
      // Lost: once more.
    }
  }
  throw new Error('The relay does not answer.')
}

/** Seconds of all threads of this process since it started. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
