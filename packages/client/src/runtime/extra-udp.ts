/**
 * One more UDP socket on a free port of the kernel's choice, there at once: it is bound when it
 * first sends. A machine opens many of them for a moment, to be found at one of their mappings
 * (birthday probing). Where descriptors or ports run out it fails, and says so.
 */
import type { Socket } from 'node:dgram'
import { type Endpoint, ipFamily } from '@showchain/wire'
import type { Datagram } from '../core/endpoint/machine.ts'
import { dgramSocket, plain } from './dgram-socket.ts'
import type { DatagramSocket } from './socket.ts'

/** Datagrams that wait until it is bound; further ones are lost. */
const MAX_WAITING = 8

export class ExtraUdpSocket implements DatagramSocket {
  /** Empty: it is never announced. */
  readonly localEndpoints: readonly Endpoint[] = []
  readonly #failed: (why: string) => void
  #socket: Socket | undefined
  /** Bound by the kernel. Node queues what it is asked before that, and forgets it when that fails. */
  #bound = false
  #waiting: (() => void)[] = []
  #receive: ((batch: readonly Datagram[]) => void) | undefined
  #closed = false

  /** @param failed called once, with the reason, if it cannot be bound: then it sends nothing */
  constructor(failed: (why: string) => void = ignore) {
    this.#failed = failed
  }

  /** The family of the first destination is the socket's; what goes to the other is lost. */
  send(to: Endpoint, bytes: Uint8Array): void {
    if (this.#closed) return
    const socket = this.#socket ?? this.#open(ipFamily(to.ip))
    if (this.#bound) socket.send(bytes, to.port, to.ip, ignore)
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(() => socket.send(bytes, to.port, to.ip, ignore))
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#waiting = []
    const socket = this.#socket
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(resolve))
  }

  #open(family: 4 | 6): Socket {
    const socket = dgramSocket(family)
    this.#socket = socket
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Bound, it has lost one probe of many: no route to there, or a table that is full.
      if (this.#bound || this.#closed) return
      void this.close()
      this.#failed(error.code ?? error.message)
    })
    socket.on('listening', () => {
      this.#bound = true
      for (const send of this.#waiting.splice(0)) send()
    })
    socket.on('message', (buffer, { address, port }) => {
      if (!this.#closed && port !== 0) this.#receive?.([{ bytes: plain(buffer), source: { ip: address, port } }])
    })
    socket.bind({ port: 0, exclusive: true })
    return socket
  }
}

const ignore = (): void => {}
