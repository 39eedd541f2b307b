/** WebSocket connections of browsers, which connect when they are made. */
import { MAX_PROBED_DATAGRAM } from '@showchain/wire'
import type { WebSocketTarget } from '../core/endpoint/machine.ts'
import { DatagramCarrier } from '../runtime/websocket/carrier.ts'
import { newWebSocket, nextTurn, type WebSocketOfPage } from './globals.ts'

/** Browsers do not tell pages why. */
const REFUSED = 'the browser did not connect: nobody is there, or the relay does not take pages of this origin'

export class BrowserCarrier extends DatagramCarrier {
  #socket: WebSocketOfPage | undefined

  /** @param failed called once when it cannot be opened, or has ended */
  constructor({ url, endpoint }: WebSocketTarget, failed: (why: string) => void) {
    super({ source: endpoint, failed, nextTurn })
    try {
      this.#connect(newWebSocket(url))
    } catch (error) {
      // Who asked for it does not have it yet.
      nextTurn(() => this.ended(`the browser does not connect to ${url}: ${(error as Error).message}`))
    }
  }

  protected override terminate(): void {
    this.#socket?.close()
  }

  #connect(socket: WebSocketOfPage): void {
    let why = REFUSED
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onclose = () => this.ended(why)
    socket.onopen = () => {
      why = 'the other end closed it'
      this.opened(socket)
    }
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer && data.byteLength <= MAX_PROBED_DATAGRAM) this.came(new Uint8Array(data))
    }
  }
}
