/**
 * A socket as `node:dgram` has it, on a simulated host: what a UDP program for Node uses, so that
 * it can be tried as it is. Its events come while virtual time passes. Multicast, broadcast and
 * names are not simulated.
 */
import { AsyncResource } from 'node:async_hooks'
import { type BindOptions, type RemoteInfo, Socket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Datagram } from '@showchain/client/core'
import type { Clock, DatagramSocket } from '@showchain/client/runtime'
import { type Endpoint, ipFamily, sameEndpoint } from '@showchain/wire'

export type DgramType = 'udp4' | 'udp6'

export interface DgramOptions {
  readonly type: DgramType
  readonly clock: Clock
  /** Opens the socket of the host. @throws ShowchainError `ERR_ADDRESS_IN_USE` */
  open(port: number): DatagramSocket
}

type Callback = (error: Error | null, bytes: number) => void
type Data = string | NodeJS.ArrayBufferView | readonly (string | NodeJS.ArrayBufferView)[]

const bytesOf = (data: Data): Uint8Array => {
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return Buffer.concat(data.map(bytesOf))
}
const isCallback = (value: unknown): value is Callback => typeof value === 'function'

/** As Node: a name of a system error in `code`. */
const systemError = (code: string, message: string): Error => Object.assign(new Error(message), { code })

/**
 * @returns what passes for a `Socket`, as far as it goes; everything else throws that it is not
 * simulated.
 */
export function virtualDgram(options: DgramOptions): Socket {
  const socket = new VirtualDgram(options)
  return new Proxy(socket as unknown as Socket, {
    get(_target, name): unknown {
      const value = Reflect.get(socket, name, socket) as unknown
      if (value !== undefined || !(name in Socket.prototype)) {
        return typeof value === 'function' ? value.bind(socket) : value
      }
      throw new Error(`socket.${String(name)} is not simulated.`)
    },
  })
}

class VirtualDgram extends EventEmitter {
  readonly #options: DgramOptions
  #socket: DatagramSocket | undefined
  #remote: Endpoint | undefined
  #closed = false

  constructor(options: DgramOptions) {
    super()
    this.#options = options
  }

  bind(...args: readonly (number | string | BindOptions | (() => void) | undefined)[]): this {
    const [first] = args
    const callback = args.find((each) => typeof each === 'function')
    const port = typeof first === 'object' ? first.port : typeof first === 'number' ? first : 0
    if (callback !== undefined) this.once('listening', callback)
    this.#open(port ?? 0)
    return this
  }

  /**
   * Address and family of the host, with the port; Node says `0.0.0.0` where nothing else was asked
   * for.
   */
  address(): AddressInfo {
    const bound = this.#socket?.localEndpoints.find(({ ip }) => ipFamily(ip) === this.#family)
    if (bound === undefined) throw systemError('EBADF', 'getsockname EBADF')
    return { address: bound.ip, port: bound.port, family: `IPv${this.#family}` }
  }

  /** `send(data, [offset, length,] [port] [, address] [, callback])`, as Node has it. */
  send(data: Data, ...rest: readonly (number | string | Callback | undefined)[]): void {
    if (this.#closed) throw systemError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running')
    const callback = rest.find(isCallback)
    const numbers = rest.filter((each) => typeof each === 'number')
    const ip = rest.find((each) => typeof each === 'string') ?? (this.#family === 4 ? '127.0.0.1' : '::1')
    const whole = bytesOf(data)
    const part =
      numbers.length >= 2 ? whole.subarray(numbers[0], (numbers[0] as number) + (numbers[1] as number)) : whole
    const port = this.#remote === undefined ? numbers.at(-1) : undefined
    const to = port === undefined ? this.#remote : { ip, port }
    if (to === undefined) throw systemError('ERR_SOCKET_BAD_PORT', 'Port should be > 0 and < 65536.')
    this.#open(0)
    this.#socket?.send(to, part)
    if (callback !== undefined) this.#soon(() => callback(null, part.length))
  }

  connect(port: number, ...rest: readonly (string | (() => void) | undefined)[]): void {
    const ip = rest.find((each) => typeof each === 'string') ?? (this.#family === 4 ? '127.0.0.1' : '::1')
    const callback = rest.find((each) => typeof each === 'function')
    this.#open(0)
    this.#remote = { ip, port }
    if (callback !== undefined) this.once('connect', callback)
    this.#soon(() => this.emit('connect'))
  }

  disconnect(): void {
    this.#remote = undefined
  }

  remoteAddress(): AddressInfo {
    if (this.#remote === undefined) throw systemError('ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected')
    return { address: this.#remote.ip, port: this.#remote.port, family: `IPv${this.#family}` }
  }

  close(callback?: () => void): this {
    if (this.#closed) throw systemError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running')
    this.#closed = true
    if (callback !== undefined) this.once('close', callback)
    void this.#socket?.close()
    this.#soon(() => this.emit('close'))
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  get #family(): 4 | 6 {
    return this.#options.type === 'udp4' ? 4 : 6
  }

  #open(port: number): void {
    if (this.#socket !== undefined) return
    this.#socket = this.#options.open(port)
    this.#socket.onDatagrams(
      AsyncResource.bind((batch: readonly Datagram[]) => {
        for (const datagram of batch) this.#receive(datagram)
      }),
    )
    this.#soon(() => this.emit('listening'))
  }

  #receive({ bytes, source: { ip, port } }: Datagram): void {
    const remote = this.#remote
    if (this.#closed || ipFamily(ip) !== this.#family) return
    if (remote !== undefined && !sameEndpoint(remote, { ip, port })) return
    const info: RemoteInfo = { address: ip, port, family: `IPv${this.#family}`, size: bytes.length }
    this.emit('message', Buffer.from(bytes), info)
  }

  #soon(what: () => void): void {
    const { clock } = this.#options
    clock.schedule(clock.now(), AsyncResource.bind(what))
  }
}
