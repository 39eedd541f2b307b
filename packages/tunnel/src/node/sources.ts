/** Where an end listens that forwards: TCP, Unix sockets, UDP. */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, isIPv6, type ListenOptions, type Server } from 'node:net'
import { type Address, formatAddress, ShowchainError } from '@showchain/wire'
import type { ByteSource, DatagramSource, LocalSocket, Source } from '../tunnel/ports.ts'
import { formatSocketAddress, parseLocal, type SocketAddress } from './addresses.ts'
import { StreamSocket } from './stream-socket.ts'

/**
 * Listens for a Forwarder.
 * @param text `tcp://host:port`, `udp://host:port`, `unix:PATH`, or a TCP port of 127.0.0.1; port 0
 *   is any free one
 * @throws ShowchainError `ERR_BAD_ARGUMENT`, `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`
 */
export async function listenAt(text: string): Promise<Source> {
  const socket = parseLocal(text)
  try {
    if (socket.scheme === 'udp') return await datagramSource(socket.address)
    return await byteSource(socket)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ShowchainError(code === 'EADDRINUSE' ? 'ERR_ADDRESS_IN_USE' : 'ERR_CANNOT_LISTEN', message, {
      cause: error,
    })
  }
}

async function byteSource(socket: SocketAddress): Promise<ByteSource> {
  let taken: ((socket: LocalSocket) => void) | undefined
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (one) => {
    const local = new StreamSocket(one)
    if (taken === undefined) local.reset()
    else taken(local)
  })
  if (socket.scheme === 'unix') await listenUnix(server, socket.path)
  else await listening(server, socket.address)
  const local =
    socket.scheme === 'unix'
      ? formatSocketAddress(socket)
      : formatSocketAddress({ ...socket, address: { ...socket.address, port: (server.address() as AddressInfo).port } })
  return {
    kind: 'bytes',
    local,
    start: (callback) => {
      taken = callback
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

async function listening(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options)
  await once(server, 'listening')
}

/** A socket that nobody listens at was left behind by a program that was killed: it is replaced. */
async function listenUnix(server: Server, path: string): Promise<void> {
  try {
    await listening(server, { path })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    // A file that is none refuses connections too.
    if (!(await lstat(path)).isSocket() || !(await isDead(path))) throw error
    await unlink(path)
    await listening(server, { path })
  }
}

const isDead = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ path })
    const done = (dead: boolean) => (): void => {
      socket.destroy()
      resolve(dead)
    }
    socket.once('connect', done(false))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED')())
  })

async function datagramSource({ host, port }: Address): Promise<DatagramSource> {
  const { address: ip } = await lookup(host)
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4')
  socket.bind(port, ip)
  await once(socket, 'listening')
  // Of a program that has left: what is sent to it is lost.
  socket.on('error', () => {})
  /** By the address as text, which is the key of its flow. Bounded by what is sent to: flows that are there. */
  return {
    kind: 'datagrams',
    local: formatSocketAddress({ scheme: 'udp', address: { host, port: socket.address().port } }),
    start: (came) => {
      socket.on('message', (payload, from) => came(payload, formatAddress({ host: from.address, port: from.port })))
    },
    send: (payload, to) => {
      const { host: at, port: toPort } = splitEndpoint(to)
      socket.send(payload, toPort, at)
    },
    close: () => new Promise((resolve) => void socket.close(() => resolve())),
  }
}

/** Of an address that `formatAddress` wrote; a zone (`%eth0`) stays with its host. */
function splitEndpoint(text: string): Address {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
