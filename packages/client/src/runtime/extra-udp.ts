/**
 * One more UDP socket on a free port of the kernel's choice, there at once: it is bound when it
 * first sends. A machine opens many of them for a moment, to be found at one of their mappings
 * (birthday probing).
 */
import { createSocket, type Socket } from 'node:dgram'
import { type Endpoint, ipFamily } from '@showchain/wire'
import type { Datagram } from '../core/endpoint/machine.ts'
import type { DatagramSocket } from './socket.ts'

export class ExtraUdpSocket implements DatagramSocket {
  /** Empty: it is never announced. */
  readonly localEndpoints: readonly Endpoint[] = []
  #socket: Socket | undefined
  #receive: ((datagram: Datagram) => void) | undefined
  #closed = false

  /** The family of the first destination is the socket's; what goes to the other is lost. */
  send(to: Endpoint, bytes: Uint8Array): void {
    if (this.#closed) return
    this.#socket ??= this.#open(ipFamily(to.ip))
    this.#socket.send(bytes, to.port, to.ip, ignore)
  }

  onDatagram(receive: (datagram: Datagram) => void): void {
    this.#receive = receive
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const socket = this.#socket
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(resolve))
  }

  #open(family: 4 | 6): Socket {
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      lookup: (hostname, _options, callback) => callback(null, hostname, family),
    })
    // A destination that cannot be reached or a table that is full: one probe of many is lost.
    socket.on('error', ignore)
    socket.on('message', (buffer, { address, port }) => {
      const { buffer: memory, byteOffset, length } = buffer
      if (!this.#closed && port !== 0)
        this.#receive?.({ bytes: new Uint8Array(memory, byteOffset, length), source: { ip: address, port } })
    })
    return socket
  }
}

const ignore = (): void => {}
