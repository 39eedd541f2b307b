/**
 * UDP on Node: one socket per address family behind one port of ours, the only `node:dgram` of the
 * repository. Nothing that the network does makes it throw: errors of sending are counted.
 */
import { createSocket, type Socket } from 'node:dgram'
import { canonicalIp, type Endpoint, ipFamily, quote, ShowchainError } from '@showchain/wire'
import type { Datagram } from '../core/endpoint/machine.ts'
import { isWildcard } from './local-addresses.ts'
import { checkBuffers, RECEIVE_BUFFER } from './receive-buffer.ts'
import type { CountedSocket, SocketCounters } from './socket.ts'

export interface ListenAddress {
  /** An IP address; `0.0.0.0` and `::` stand for all of their family. */
  readonly host: string
  /** 0 for any. */
  readonly port: number
}

/** Both families, one free port. */
export const LISTEN_EVERYWHERE: readonly ListenAddress[] = [
  { host: '0.0.0.0', port: 0 },
  { host: '::', port: 0 },
]

export interface UdpOptions {
  /**
   * At most one of each family, since an answer must leave from where its request came in.
   * @default LISTEN_EVERYWHERE
   */
  readonly listen?: readonly ListenAddress[] | undefined
  /** Bytes that the kernel may hold for us. @default RECEIVE_BUFFER */
  readonly receiveBuffer?: number | undefined
  /** Told in a sentence for people what is not as it should be. */
  readonly onWarning?: ((sentence: string) => void) | undefined
}

/**
 * Node tells how a send went in a tick of its own, which costs 5 % of what passing a packet on does
 * (pnpm bench frames): as long as all goes well, one send of so many is asked about, at first and
 * after a failure each of the next ASK_AGAIN.
 */
const ASK_EVERY = 32
const ASK_AGAIN = 1024

/** Tries to get the same free port in both families before two different ones are good enough. */
const SAME_PORT_TRIES = 8

/** Error codes of a host without IPv6 (or without IPv4). */
const FAMILY_MISSING: readonly string[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
export async function openUdp(options: UdpOptions = {}): Promise<UdpSocket> {
  const listen = (options.listen ?? LISTEN_EVERYWHERE).map(checked)
  const families = new Set(listen.map(({ host }) => ipFamily(host)))
  if (listen.length === 0 || families.size < listen.length)
    throw new ShowchainError('ERR_BAD_CONFIG', 'Listen on one address of each family, IPv4 or IPv6 or both.')
  const { sockets, skipped } = await bindAll(listen)
  for (const socket of sockets) checkBuffers(socket, options.receiveBuffer ?? RECEIVE_BUFFER, options.onWarning)
  return new UdpSocket(sockets, skipped)
}

export class UdpSocket implements CountedSocket {
  readonly counters: SocketCounters = { sendFailed: 0, noSocket: 0, linkLocalSource: 0, socketErrors: 0 }
  readonly localEndpoints: readonly Endpoint[]
  /**
   * What was asked for and this host does not have: `::` beside `0.0.0.0` where there is no IPv6.
   */
  readonly skipped: readonly ListenAddress[]
  readonly #sockets: readonly Socket[]
  readonly #ipv4: Socket | undefined
  readonly #ipv6: Socket | undefined
  #receive: ((datagram: Datagram) => void) | undefined
  #closed: Promise<void> | undefined
  /** Sends that are asked about one by one, and sends since the last one that was. */
  #asking = ASK_AGAIN
  #unasked = 0

  /** @param sockets bound, at most one of each family. */
  constructor(sockets: readonly Socket[], skipped: readonly ListenAddress[]) {
    this.#sockets = sockets
    this.skipped = skipped
    this.localEndpoints = sockets.map(boundTo)
    this.#ipv4 = sockets.find((socket) => ipFamily(boundTo(socket).ip) === 4)
    this.#ipv6 = sockets.find((socket) => ipFamily(boundTo(socket).ip) === 6)
    for (const socket of sockets) {
      socket.on('error', () => {
        this.counters.socketErrors++
      })
      socket.on('message', (buffer, { address, port }) => this.#deliver(buffer, address, port))
    }
  }

  send(to: Endpoint, bytes: Uint8Array): void {
    if (this.#closed !== undefined) return
    const socket = ipFamily(to.ip) === 6 ? this.#ipv6 : this.#ipv4
    if (socket === undefined) this.counters.noSocket++
    else if (this.#asks()) socket.send(bytes, to.port, to.ip, this.#sent)
    else socket.send(bytes, to.port, to.ip)
  }

  #asks(): boolean {
    if (this.#asking > 0) {
      this.#asking--
      return true
    }
    this.#unasked = (this.#unasked + 1) % ASK_EVERY
    return this.#unasked === 0
  }

  onDatagram(receive: (datagram: Datagram) => void): void {
    this.#receive = receive
  }

  close(): Promise<void> {
    this.#closed ??= closeAll(this.#sockets)
    return this.#closed
  }

  readonly #sent = (error: Error | null): void => {
    if (error === null) return
    this.counters.sendFailed++
    this.#asking = ASK_AGAIN
  }

  #deliver(buffer: Buffer, address: string, port: number): void {
    if (this.#closed !== undefined) return
    // libuv writes RFC 5952 but for ::a.b.c.d (RFC 4291 §2.5.5.1), and zones only for link-local
    // addresses.
    const ip = address.includes(':') && /[%.]/.test(address) ? canonicalIp(address) : address
    if (ip === undefined) this.counters.linkLocalSource++
    // A source port of 0 means that no answer is possible (RFC 768): nothing that a protocol here
    // can use.
    else if (port !== 0) this.#receive?.({ bytes: plain(buffer), source: { ip, port } })
  }
}

/** The same memory, which is this datagram's alone, but with a `slice` that copies. */
const plain = ({ buffer, byteOffset, length }: Buffer): Uint8Array => new Uint8Array(buffer, byteOffset, length)

function checked({ host, port }: ListenAddress): ListenAddress {
  const ip = canonicalIp(host)
  if (ip === undefined)
    throw new ShowchainError('ERR_BAD_CONFIG', `Cannot listen on ${quote(host)}: not an IP address.`)
  return { host: ip, port }
}

function boundTo(socket: Socket): Endpoint {
  const { address, port } = socket.address()
  return { ip: canonicalIp(address) ?? address, port }
}

/**
 * Binds each address; when both ask for any port, both get the same one, so that one port can be
 * announced.
 */
async function bindAll(
  listen: readonly ListenAddress[],
): Promise<{ readonly sockets: readonly Socket[]; readonly skipped: readonly ListenAddress[] }> {
  const anyPort = listen.length > 1 && listen.every(({ port }) => port === 0)
  for (let tries = 1; ; tries++) {
    const sockets: Socket[] = []
    const skipped: ListenAddress[] = []
    try {
      for (const address of listen) {
        const first = sockets[0]
        const port = anyPort && first !== undefined && tries < SAME_PORT_TRIES ? first.address().port : address.port
        const socket = await bind({ host: address.host, port }).catch((error: unknown) => {
          if (listen.length === 1 || !isWildcard(address.host) || !isCode(error, FAMILY_MISSING)) throw error
          skipped.push(address)
        })
        if (socket !== undefined) sockets.push(socket)
      }
      if (sockets.length === 0) throw new ShowchainError('ERR_CANNOT_LISTEN', 'This host has neither IPv4 nor IPv6.')
      return { sockets, skipped }
    } catch (error) {
      await closeAll(sockets)
      if (!(anyPort && tries < SAME_PORT_TRIES && isCode(error, ['EADDRINUSE']))) throw typed(error, listen)
    }
  }
}

function bind({ host, port }: ListenAddress): Promise<Socket> {
  const type = ipFamily(host) === 6 ? 'udp6' : 'udp4'
  const socket = createSocket({
    type,
    // An IPv4-mapped source must not occur: IPv4 has a socket of its own.
    ipv6Only: type === 'udp6',
    // Everything is an IP address here: a trip through the resolver would put every send off by a
    // tick.
    lookup: (hostname, _options, callback) => callback(null, hostname, ipFamily(hostname)),
  })
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.close()
      reject(new BindError({ host, port }, error))
    }
    socket.once('error', failed)
    socket.bind({ address: host, port }, () => {
      socket.off('error', failed)
      resolve(socket)
    })
  })
}

/** What Node said about one address, until it is known which error of ours it makes. */
class BindError extends Error {
  readonly address: ListenAddress
  constructor(address: ListenAddress, cause: Error) {
    super(cause.message, { cause })
    this.address = address
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof BindError ? (error.cause as NodeJS.ErrnoException).code : undefined
const isCode = (error: unknown, codes: readonly string[]): boolean => codes.includes(codeOf(error) ?? '')

function typed(error: unknown, listen: readonly ListenAddress[]): unknown {
  if (!(error instanceof BindError)) return error
  const { host, port } = error.address
  const at = `${ipFamily(host) === 6 ? `[${host}]` : host}:${listen.find((address) => address.host === host)?.port ?? port}`
  const code = codeOf(error)
  if (code === 'EADDRINUSE') return new ShowchainError('ERR_ADDRESS_IN_USE', `Got ${at}.`, { cause: error.cause })
  const why: Record<string, string> = {
    EACCES: `${at} needs more rights: choose a port from 1024 on.`,
    EADDRNOTAVAIL: `${host} is no address of this host.`,
    EAFNOSUPPORT: `This host has no IPv${ipFamily(host)}.`,
  }
  return new ShowchainError('ERR_CANNOT_LISTEN', why[code ?? ''] ?? `${at}: ${error.message}.`, { cause: error.cause })
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))))
}
