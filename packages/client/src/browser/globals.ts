/** What a browser has and the types of Node lack, as far as it is used. */

/** https://websockets.spec.whatwg.org/#the-websocket-interface */
export interface WebSocketOfPage {
  binaryType: 'arraybuffer'
  readonly bufferedAmount: number
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onclose: (() => void) | null
  send(bytes: Uint8Array): void
  close(): void
}

/** @throws DOMException for an address that the page may not connect to */
export function newWebSocket(url: string): WebSocketOfPage {
  const { WebSocket } = globalThis as unknown as { readonly WebSocket: new (url: string) => WebSocketOfPage }
  return new WebSocket(url)
}

/** https://html.spec.whatwg.org/multipage/web-messaging.html#message-channels */
interface ChannelOfPage {
  readonly port1: { onmessage: (() => void) | null }
  readonly port2: { postMessage(message: unknown): void }
}

let queue: (() => void)[] = []
let channel: ChannelOfPage | undefined

/** Calls back in a task of its own, which browsers do not hold back as they do timers of hidden pages. */
export function nextTurn(call: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel() as unknown as ChannelOfPage
    channel.port1.onmessage = () => {
      const calls = queue
      queue = []
      for (const each of calls) each()
    }
  }
  if (queue.push(call) === 1) channel.port2.postMessage(undefined)
}
