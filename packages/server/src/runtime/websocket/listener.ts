/**
 * Where peers come whose network lets no UDP through: HTTP, or HTTPS with a certificate, whose requests
 * become WebSocket connections (RFC 6455). Everything is checked before one is: the path, the site of the
 * page that a browser makes it from, and how many there are of its source.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, Server as TlsServer } from 'node:tls'
import { rateSource } from '@showchain/client/endpoint'
import type { Clock } from '@showchain/client/runtime'
import {
  canonicalIp,
  type Endpoint,
  formatAddress,
  HTTPS_PORT,
  MAX_PROBED_DATAGRAM,
  ShowchainError,
  WEBSOCKET_PATH,
  type WebSocketAt,
} from '@showchain/wire'
import { WebSocketServer } from 'ws'
import { listenAt } from '../listen-at.ts'
import { WebSocketConnections } from './connections.ts'
import { noWebSocketCounters, type WebSocketCounter, type WebSocketCounters } from './counters.ts'
import { TrustedProxies } from './forwarded-for.ts'
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_SOURCE, MAX_HEADER_BYTES, REQUEST_TIME } from './limits.ts'
import type { Certificate, WebSocketOptions } from './options.ts'

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
}

export class WebSocketListener {
  readonly counters: WebSocketCounters = noWebSocketCounters()
  readonly connections: WebSocketConnections
  readonly #server: Server
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PROBED_DATAGRAM,
    // Records are random bytes: nothing gets shorter, and what unpacks costs whoever receives it.
    perMessageDeflate: false,
    // Answers to who never reads would wait without a bound.
    autoPong: false,
  })
  readonly #proxies: TrustedProxies
  readonly #origins: ReadonlySet<string>
  readonly #tls: boolean
  readonly #isBehindProxy: boolean
  /** TCP connections of each source, WebSocket or not yet. An entry ends with its last one. */
  readonly #bySource = new Map<string, number>()

  /** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
  static async open(options: WebSocketOptions, clock: Clock): Promise<WebSocketListener> {
    const listener = new WebSocketListener(options, clock)
    await listenAt(listener.#server, options.listen, `WebSocket at ${formatAddress(options.listen)}`)
    return listener
  }

  private constructor({ tls, trustedProxies = [], origins = [] }: WebSocketOptions, clock: Clock) {
    this.#proxies = new TrustedProxies(trustedProxies)
    this.#origins = new Set(origins)
    this.#tls = tls !== undefined
    this.#isBehindProxy = trustedProxies.length > 0
    this.connections = new WebSocketConnections(clock, this.counters)
    const times = { requestTimeout: REQUEST_TIME, headersTimeout: REQUEST_TIME, keepAliveTimeout: 1 }
    const limits = { ...times, maxHeaderSize: MAX_HEADER_BYTES }
    this.#server = tls === undefined ? createServer(limits) : usable(() => createSecureServer({ ...limits, ...tls }))
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.on('drop', () => this.#count('websocketFull'))
    this.#server.on('connection', (socket: Socket) => this.#connected(socket))
    this.#server.on('request', (_request, response) => {
      this.#count('websocketRefused')
      response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
    })
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket as Socket, head),
    )
  }

  /** What it is bound to. */
  get address(): Endpoint {
    const bound = this.#server.address()
    return bound === null || typeof bound === 'string' ? { ip: '', port: 0 } : { ip: bound.address, port: bound.port }
  }

  /**
   * Where peers find it, for the ticket; undefined: where they look by themselves, as at a proxy that
   * ends TLS.
   */
  get announced(): WebSocketAt | undefined {
    const { port } = this.address
    if (!this.#tls && this.#isBehindProxy) return undefined
    return this.#tls && port === HTTPS_PORT ? undefined : { tls: this.#tls, port }
  }

  /**
   * Another certificate, for connections from now on.
   * @returns what takes it
   * @throws ShowchainError `ERR_BAD_CONFIG` when it is none, or the listener has none
   */
  renewal(tls: Certificate): () => void {
    const server = this.#server
    if (!(server instanceof TlsServer)) throw badCertificate('The WebSocket has no certificate.')
    usable(() => createSecureContext({ ...tls }))
    return () => server.setSecureContext({ ...tls })
  }

  async close(): Promise<void> {
    await this.connections.close()
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    ;(this.#server as ReturnType<typeof createServer>).closeAllConnections()
    await ended
  }

  #count(name: WebSocketCounter): void {
    this.counters[name]++
  }

  /** Before a byte of it is read: who opens connections and says nothing is counted, too. */
  #connected(socket: Socket): void {
    const ip = canonicalIp(socket.remoteAddress ?? '')
    if (ip === undefined) return void socket.destroy()
    if (!this.#proxies.trusts(ip) && !this.#take(ip, socket)) socket.destroy()
  }

  #take(ip: string, socket: Socket): boolean {
    const source = rateSource(ip)
    const count = this.#bySource.get(source) ?? 0
    if (count >= MAX_CONNECTIONS_PER_SOURCE) {
      this.#count('websocketFull')
      return false
    }
    this.#bySource.set(source, count + 1)
    socket.once('close', () => {
      const left = (this.#bySource.get(source) ?? 1) - 1
      if (left === 0) this.#bySource.delete(source)
      else this.#bySource.set(source, left)
    })
    return true
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const refuse = (status: number, why: WebSocketCounter): void => {
      this.#count(why)
      socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
    socket.on('error', () => socket.destroy())
    const { headers, url = '' } = request
    const [path] = url.split('?')
    if (path !== WEBSOCKET_PATH) return refuse(404, 'websocketRefused')
    const { origin } = headers
    if (origin !== undefined && !this.#origins.has('*') && !this.#origins.has(origin))
      return refuse(403, 'websocketOrigin')
    const from = canonicalIp(socket.remoteAddress ?? '')
    const ip = from && this.#proxies.source(from, [headers['x-forwarded-for'] ?? ''].flat().join(','))
    if (ip === undefined || socket.remotePort === undefined) return refuse(400, 'websocketRefused')
    if (ip !== from && !this.#take(ip, socket)) {
      socket.end(`HTTP/1.1 503 ${REASONS[503]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const port = socket.remotePort
    this.#upgrades.handleUpgrade(request, socket, head, (connection) => this.connections.add(connection, ip, port))
  }
}

const badCertificate = (why: string, cause?: unknown): ShowchainError =>
  new ShowchainError('ERR_BAD_CONFIG', why, { cause })

/** @throws ShowchainError `ERR_BAD_CONFIG` when the certificate or the key is none. */
function usable<Result>(make: () => Result): Result {
  try {
    return make()
  } catch (cause) {
    throw badCertificate('The certificate and the key of the WebSocket do not fit.', cause)
  }
}
