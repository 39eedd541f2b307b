/** Targets of this host or its network: TCP, Unix sockets, UDP. */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns'
import { connect, isIPv6, type NetConnectOpts } from 'node:net'
import { MAX_HELD } from '../core/index.ts'
import type { ByteTarget, DatagramTarget, FlowSocket, LocalSocket, Target } from '../tunnel/ports.ts'
import { parseTarget } from './addresses.ts'
import { StreamSocket } from './stream-socket.ts'

/**
 * What a TunnelServer serves.
 * @param text `tcp://host:port`, `udp://host:port` or `unix:PATH`
 * @throws ShowchainError `ERR_BAD_ARGUMENT`
 */
export function targetAt(text: string): Target {
  const socket = parseTarget(text)
  if (socket.scheme === 'unix') return byteTarget({ path: socket.path })
  return socket.scheme === 'tcp' ? byteTarget(socket.address) : datagramTarget(socket.address)
}

const byteTarget = (where: NetConnectOpts): ByteTarget => ({
  kind: 'bytes',
  connect: (signal) =>
    new Promise<LocalSocket>((resolve, reject) => {
      const socket = connect({ ...where, allowHalfOpen: true })
      const leave = (): void => {
        signal.removeEventListener('abort', abort)
        socket.off('error', failed)
      }
      const failed = (error: Error): void => {
        leave()
        socket.destroy()
        // Whatever comes later concerns nobody.
        socket.on('error', () => {})
        reject(error)
      }
      const abort = (): void => failed(new DOMException('The target did not answer.', 'AbortError'))
      socket.once('error', failed)
      socket.once('connect', () => {
        leave()
        resolve(new StreamSocket(socket))
      })
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
    }),
})

const datagramTarget = ({ host, port }: { readonly host: string; readonly port: number }): DatagramTarget => ({
  kind: 'datagrams',
  open: (came) => new UdpFlow(host, port, came),
})

/** Connected, so that only the target is heard. */
class UdpFlow implements FlowSocket {
  #socket: ReturnType<typeof createSocket> | undefined
  /** While the host is looked up; undefined afterwards. At most MAX_HELD. */
  #held: Uint8Array[] | undefined = []
  #closed = false

  constructor(host: string, port: number, came: (payload: Uint8Array) => void) {
    lookup(host, (error, ip) => {
      if (error || this.#closed) return this.close()
      const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4')
      this.#socket = socket
      socket.on('message', came)
      // Nobody is there: what is sent is lost, and the next may arrive.
      socket.on('error', () => {})
      socket.connect(port, ip, () => this.#connected())
    })
  }

  send(payload: Uint8Array): void {
    if (this.#closed) return
    if (this.#held === undefined) this.#socket?.send(payload)
    else if (this.#held.length < MAX_HELD) this.#held.push(payload)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#held = undefined
    this.#socket?.close()
  }

  #connected(): void {
    if (this.#closed) return
    const held = this.#held ?? []
    this.#held = undefined
    for (const payload of held) this.send(payload)
  }
}
