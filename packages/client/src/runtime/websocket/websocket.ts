/** WebSocket connections of Node, which connect when they are made. The library is loaded with the first one. */
import type { RawData, WebSocket } from 'ws'
import type { WebSocketTarget } from '../../core/endpoint/machine.ts'
import { DatagramCarrier, type OpenConnection } from './carrier.ts'

const BINARY = { binary: true }

export class WebSocketCarrier extends DatagramCarrier {
  #socket: WebSocket | undefined

  /** @param failed called once when it cannot be opened, or has ended */
  constructor(target: WebSocketTarget, failed: (why: string) => void) {
    super({ source: target.endpoint, failed, nextTurn: setImmediate })
    this.#connect(target).catch((error: Error) => this.ended(error.message))
  }

  protected override terminate(): void {
    this.#socket?.terminate()
  }

  async #connect(target: WebSocketTarget): Promise<void> {
    const { connectTo } = await import('./connect.ts')
    const socket = this.closed ? undefined : await connectTo(target)
    if (socket === undefined) return
    socket.on('error', (error) => this.ended(error.message))
    if (this.closed) return socket.terminate()
    this.#socket = socket
    socket.on('close', () => this.ended('the other end closed it'))
    socket.on('message', (data, isBinary) => this.#message(data, isBinary))
    socket.on('open', () => this.opened(sendingBy(socket)))
  }

  #message(data: RawData, isBinary: boolean): void {
    // Records are opened in place, and the library may have read several messages into one piece.
    if (isBinary && data instanceof Buffer) this.came(Uint8Array.from(data))
  }
}

const sendingBy = (socket: WebSocket): OpenConnection => ({
  get bufferedAmount() {
    return socket.bufferedAmount
  },
  send: (bytes) => socket.send(bytes, BINARY),
})
