/** Local programs of tests, at both ends of a tunnel of real programs. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Program } from '@showchain-tooling/vitest/programs'
import { afterEach } from 'vitest'
import type { EndingsBed } from './endings-bed.ts'

export class TunnelsBed {
  readonly #bed: EndingsBed
  readonly #open: (Server | UdpSocket)[] = []
  readonly #sockets: Socket[] = []

  constructor(bed: EndingsBed) {
    this.#bed = bed
    afterEach(() => {
      for (const socket of this.#sockets.splice(0)) socket.destroy()
      for (const each of this.#open.splice(0)) each.close()
    })
  }

  /** A program that listens. @returns where, as `serve` takes it */
  async program(
    taken: (socket: Socket) => void,
    server: Server = createServer({ allowHalfOpen: true }),
  ): Promise<string> {
    server.on('connection', (socket) => {
      this.#sockets.push(socket)
      // Each test says itself which ones must come.
      socket.on('error', () => {})
      taken(socket)
    })
    server.listen(0, '127.0.0.1')
    this.#open.push(server)
    await once(server, 'listening')
    return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** A UDP program. @returns where */
  async datagrams(came: (payload: Buffer, answer: (payload: string) => void) => void): Promise<string> {
    const socket = this.udp()
    socket.on('message', (payload, { port, address }) => came(payload, (answer) => socket.send(answer, port, address)))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return `udp://127.0.0.1:${socket.address().port}`
  }

  udp(): UdpSocket {
    const socket = createSocket('udp4')
    this.#open.push(socket)
    return socket
  }

  /** A local program that connects to where `forward` listens. */
  async connect(local: string): Promise<Socket> {
    const { port, hostname } = new URL(local)
    const socket = connect({
      ...(local.startsWith('unix:') ? { path: local.slice('unix:'.length) } : { host: hostname, port: Number(port) }),
      allowHalfOpen: true,
    })
    this.#sockets.push(socket)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  /** `serve`, and its ticket. */
  async serve(
    target: string,
    options = '--ephemeral',
  ): Promise<{ readonly program: Program; readonly ticket: string }> {
    const program = this.#bed.shell(`exec $S serve $L ${options} ${target}`)
    return { program, ticket: await program.stdout.line(/^showchain:/) }
  }

  /** `forward`, and where it listens. */
  async forward(
    ticket: string,
    local = '0',
    options = '',
  ): Promise<{ readonly program: Program; readonly local: string }> {
    const program = this.#bed.shell(`exec $S forward $L ${options} ${local} '${ticket}'`)
    const line = await program.stdout.line(/^forwarding /)
    return { program, local: line.slice('forwarding '.length) }
  }

  /** Both, on the way from a free port to the target. */
  async tunnel(target: string, local = '0') {
    const server = await this.serve(target)
    const forwarder = await this.forward(server.ticket, local)
    return { server: server.program, ticket: server.ticket, forwarder: forwarder.program, local: forwarder.local }
  }
}

/** Everything that comes, to its end; rejects when the connection is reset. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece))
    socket.on('end', () => resolve(Buffer.concat(pieces).toString('latin1')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('It was closed before its end.')))
  })
}

/** The code with which a connection fails. */
export const failure = async (socket: Socket): Promise<string> => {
  socket.resume()
  const [error] = await once(socket, 'error')
  return (error as NodeJS.ErrnoException).code ?? ''
}
