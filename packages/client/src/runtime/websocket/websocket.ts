/**
 * Datagrams to one relay and back by WebSocket: one binary message is one datagram. It connects when it
 * is made; what is sent before that waits, a few datagrams, and what finds no room is lost. The library
 * is loaded with the first one.
 */
import type { Endpoint } from '@showchain/wire'
import type { RawData, WebSocket } from 'ws'
import type { Datagram, WebSocketTarget } from '../../core/endpoint/machine.ts'
import type { DatagramSocket } from '../socket.ts'

/** Datagrams that wait until it is open; further ones are lost. */
const MAX_WAITING = 8
/** Bytes that wait for the network: then what comes next is lost, as at a full queue. */
const MAX_UNSENT: number = 256 * 1024
export class WebSocketCarrier implements DatagramSocket {
  /** Empty: nobody is told. */
  readonly localEndpoints: readonly Endpoint[] = []
  readonly #source: Endpoint
  readonly #failed: (why: string) => void
  #socket: WebSocket | undefined
  #open = false
  #closed = false
  #waiting: Uint8Array[] = []
  #batch: Datagram[] = []
  #receive: ((batch: readonly Datagram[]) => void) | undefined

  /** @param failed called once when it cannot be opened, or has ended */
  constructor(target: WebSocketTarget, failed: (why: string) => void) {
    this.#source = target.endpoint
    this.#failed = failed
    this.#connect(target).catch((error: Error) => this.#end(error.message))
  }

  send(_to: Endpoint, bytes: Uint8Array): void {
    const socket = this.#socket
    if (socket === undefined || !this.#open) {
      if (!this.#closed && this.#waiting.length < MAX_WAITING) this.#waiting.push(bytes)
    } else if (socket.bufferedAmount + bytes.length <= MAX_UNSENT) socket.send(bytes, { binary: true })
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waiting = []
    this.#socket?.terminate()
  }

  async #connect(target: WebSocketTarget): Promise<void> {
    const { connectTo } = await import('./connect.ts')
    const socket = this.#closed ? undefined : await connectTo(target)
    if (socket === undefined) return
    socket.on('error', (error) => this.#end(error.message))
    if (this.#closed) return socket.terminate()
    this.#socket = socket
    socket.on('close', () => this.#end('the other end closed it'))
    socket.on('message', (data, isBinary) => this.#came(data, isBinary))
    socket.on('open', () => {
      this.#open = true
      for (const bytes of this.#waiting.splice(0)) this.send(this.#source, bytes)
    })
  }

  #came(data: RawData, isBinary: boolean): void {
    if (this.#closed || !isBinary || !(data instanceof Buffer)) return
    // Records are opened in place, and the library may have read several messages into one piece.
    const bytes = Uint8Array.from(data)
    if (this.#batch.push({ bytes, source: this.#source }) === 1) setImmediate(this.#deliver)
  }

  /** What was read in one turn of the loop is one batch. */
  readonly #deliver = (): void => {
    const batch = this.#batch
    this.#batch = []
    if (!this.#closed) this.#receive?.(batch)
  }

  #end(why: string): void {
    if (this.#closed) return
    void this.close()
    this.#failed(why)
  }
}
