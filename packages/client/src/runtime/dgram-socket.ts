/** Sockets of node:dgram. */
import { createSocket, type Socket } from 'node:dgram'
import { constants, networkInterfaces } from 'node:os'
import { canonicalIp, type Endpoint, ipFamily, UDP_HEADERS } from '@showchain/wire'
import type { Route } from '../core/endpoint/machine.ts'
import { BindError, type BoundSocket, type SocketReceiver } from './bound-socket.ts'
import type { Unsent } from './socket.ts'
import type { ListenAddress } from './udp-options.ts'
import { routeFrom, zoned } from './zones.ts'

/**
 * Node tells how a send went in a tick of its own, which costs 5 % of what passing a packet on does
 * (pnpm bench frames): as long as all goes well, one send of so many is asked about, at first and
 * after a failure each of the next ASK_AGAIN.
 */
const ASK_EVERY = 32
const ASK_AGAIN = 1024

/**
 * Bytes of an IP packet that no system sends to itself in fragments: macOS has the narrowest loopback
 * (Linux 65536), whose sockets take datagrams of at most 9216 bytes (`net.inet.udp.maxdgram`).
 */
const LOOPBACK_MTU = 9216

const { EMSGSIZE, ENOBUFS, ENOMEM } = constants.errno

/** @param errno negative, as libuv has it, or not */
export function unsent(errno = 0): Unsent {
  switch (Math.abs(errno)) {
    case EMSGSIZE:
      return 'sendTooLarge'
    case ENOBUFS:
    case ENOMEM:
      return 'sendBufferFull'
    default:
      return 'sendFailed'
  }
}

/** Not bound. */
export const dgramSocket = (family: 4 | 6): Socket =>
  createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // An IPv4-mapped source must not occur: IPv4 has a socket of its own.
    ipv6Only: family === 6,
    // Everything is an IP address here: a trip through the resolver would put every send off by a
    // tick.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  })

export function bindDgram({ host, port }: ListenAddress): Promise<BoundSocket> {
  const socket = dgramSocket(ipFamily(host) ?? 4)
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.close()
      reject(new BindError({ host, port }, error))
    }
    socket.once('error', failed)
    socket.bind({ address: host, port }, () => {
      socket.off('error', failed)
      resolve(new DgramSocket(socket))
    })
  })
}

export class DgramSocket implements BoundSocket {
  readonly local: Endpoint
  readonly buffers: Socket
  readonly #socket: Socket
  #receiver: SocketReceiver | undefined
  /** Sends that are asked about one by one, and sends since the last one that was. */
  #asking = ASK_AGAIN
  #unasked = 0
  #endDue = false

  /** @param socket bound */
  constructor(socket: Socket) {
    this.#socket = socket
    this.buffers = socket
    const { address, port } = socket.address()
    this.local = { ip: canonicalIp(address) ?? address, port }
    socket.on('error', () => this.#receiver?.failed())
    socket.on('message', (buffer, { address, port }) => this.#deliver(buffer, address, port))
  }

  send(to: Route, bytes: Uint8Array): void {
    const ip = (to.socket ?? 0) < 0 ? zoned(to) : to.ip
    if (this.#asks()) this.#socket.send(bytes, to.port, ip, this.#sent)
    else this.#socket.send(bytes, to.port, ip)
  }

  /** Node cannot ask for "do not fragment"; what stays on this host needs none. */
  unfragmented({ ip }: Route): number | undefined {
    return isThisHost(ip) ? LOOPBACK_MTU - UDP_HEADERS[ipFamily(ip) ?? 4] : undefined
  }

  receive(receiver: SocketReceiver): void {
    this.#receiver = receiver
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(resolve))
  }

  #asks(): boolean {
    if (this.#asking > 0) {
      this.#asking--
      return true
    }
    this.#unasked = (this.#unasked + 1) % ASK_EVERY
    return this.#unasked === 0
  }

  readonly #sent = (error: NodeJS.ErrnoException | null): void => {
    if (error === null) return
    this.#receiver?.unsent(unsent(error.errno), 1)
    this.#asking = ASK_AGAIN
  }

  #deliver(buffer: Buffer, address: string, port: number): void {
    // libuv writes RFC 5952 but for ::a.b.c.d (RFC 4291 §2.5.5.1), and zones only for link-local
    // addresses.
    const source = address.includes(':') && /[%.]/.test(address) ? routeFrom(address, port) : { ip: address, port }
    this.#receiver?.datagram(plain(buffer), source)
    if (this.#endDue) return
    this.#endDue = true
    setImmediate(this.#batchEnded)
  }

  /** libuv reads up to 32 datagrams before anything else has its turn: they are one batch. */
  readonly #batchEnded = (): void => {
    this.#endDue = false
    this.#receiver?.batchEnded()
  }
}

/** Systems send to their own addresses over loopback. 127.0.0.0/8 (RFC 1122 §3.2.1.3) is more than they list. */
function isThisHost(ip: string): boolean {
  return (
    ip.startsWith('127.') || Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === ip))
  )
}

/** The same memory, which is this datagram's alone, but with a `slice` that copies. */
export const plain = ({ buffer, byteOffset, length }: Buffer): Uint8Array => new Uint8Array(buffer, byteOffset, length)
