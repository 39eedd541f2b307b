/** WebSocket connections of a page, against the interface that browsers have. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WebSocketOfPage } from '../../src/browser/globals.ts'
import { BrowserCarrier } from '../../src/browser/websocket.ts'
import type { Datagram } from '../../src/core/index.ts'

const ENDPOINT = { ip: '192.0.2.1', port: 4400 }
const TARGET = { url: 'wss://relay.example:443/showchain', endpoint: ENDPOINT }

/** A browser's end of a connection that nobody is at. */
class FakeSocket implements WebSocketOfPage {
  static last: FakeSocket
  binaryType: WebSocketOfPage['binaryType'] = 'blob' as 'arraybuffer'
  bufferedAmount = 0
  onopen: WebSocketOfPage['onopen'] = null
  onmessage: WebSocketOfPage['onmessage'] = null
  onclose: WebSocketOfPage['onclose'] = null
  readonly sent: Uint8Array[] = []
  closed = 0
  readonly url: string

  constructor(url: string) {
    if (url.includes('forbidden')) throw new Error('An insecure connection may not be made from here.')
    this.url = url
    FakeSocket.last = this
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes)
  }

  close(): void {
    this.closed++
  }
}

interface Bed {
  readonly carrier: BrowserCarrier
  readonly socket: FakeSocket
  readonly failures: string[]
  readonly batches: (readonly Datagram[])[]
}

function opened(target = TARGET): Bed {
  const failures: string[] = []
  const batches: (readonly Datagram[])[] = []
  const carrier = new BrowserCarrier(target, (why) => void failures.push(why))
  carrier.onDatagrams((batch) => void batches.push(batch))
  return { carrier, socket: FakeSocket.last, failures, batches }
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)

beforeEach(() => {
  vi.stubGlobal('WebSocket', FakeSocket)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('a connection of a page', () => {
  test('goes where it is told, and holds back a few datagrams until it is open', () => {
    const { carrier, socket } = opened()
    expect([socket.url, socket.binaryType]).toEqual([TARGET.url, 'arraybuffer'])
    for (let value = 0; value < 20; value++) carrier.send(ENDPOINT, bytes(value))
    expect(socket.sent).toEqual([])
    socket.onopen?.()
    expect(socket.sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((value) => bytes(value)))
    carrier.send(ENDPOINT, bytes(21))
    expect(socket.sent.at(-1)).toEqual(bytes(21))
  })

  test('loses what finds no room', () => {
    const { carrier, socket } = opened()
    socket.onopen?.()
    socket.bufferedAmount = 256 * 1024 - 1
    carrier.send(ENDPOINT, bytes(1))
    carrier.send(ENDPOINT, bytes(1, 2))
    expect(socket.sent).toEqual([bytes(1)])
  })

  test('hands over together what came together, and nothing that is no datagram', async () => {
    const { socket, batches } = opened()
    socket.onopen?.()
    const messages = [bytes(1).buffer, 'text', new ArrayBuffer(1453), new ArrayBuffer(1452), bytes(2, 3).buffer]
    for (const data of messages) socket.onmessage?.({ data })
    expect(batches).toEqual([])
    await vi.waitFor(() => expect(batches).toHaveLength(1))
    expect(batches[0]?.map(({ bytes: each }) => each.length)).toEqual([1, 1452, 2])
    expect(batches[0]?.[0]).toEqual({ bytes: bytes(1), source: ENDPOINT })
  })

  test('says once that it could not be opened, or that it ended', () => {
    const refused = opened()
    refused.socket.onclose?.()
    refused.socket.onclose?.()
    expect(refused.failures).toEqual([expect.stringContaining('pages of this origin')])
    const ended = opened()
    ended.socket.onopen?.()
    ended.socket.onclose?.()
    expect(ended.failures).toEqual(['the other end closed it'])
  })

  test('that the browser forbids fails after its maker has it', async () => {
    const { failures } = opened({ ...TARGET, url: 'ws://forbidden/showchain' })
    expect(failures).toEqual([])
    await vi.waitFor(() => expect(failures).toEqual([expect.stringContaining('insecure')]))
  })

  test('that is closed says nothing more, and hands over nothing', async () => {
    const { carrier, socket, failures, batches } = opened()
    socket.onopen?.()
    socket.onmessage?.({ data: bytes(1).buffer })
    await carrier.close()
    socket.onclose?.()
    carrier.send(ENDPOINT, bytes(1))
    const later = opened()
    later.socket.onmessage?.({ data: bytes(2).buffer })
    await vi.waitFor(() => expect(later.batches).toHaveLength(1))
    expect([failures, batches, socket.sent]).toEqual([[], [], []])
    expect(socket.closed).toBe(1)
  })
})
