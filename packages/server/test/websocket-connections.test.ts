import { EventEmitter } from 'node:events'
import { type Datagram, duration, type Instant, instant, later } from '@showchain/client/endpoint'
import type { Clock } from '@showchain/client/runtime'
import { beforeEach, expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import { WebSocketConnections } from '../src/runtime/websocket/connections.ts'
import { noWebSocketCounters, type WebSocketCounters } from '../src/runtime/websocket/counters.ts'

/** A clock that the test moves. */
class TestClock implements Clock {
  #now = instant(0)
  #due: { at: Instant; fire: () => void }[] = []
  now = (): Instant => this.#now
  unixMs = (): number => this.#now

  schedule(at: Instant, fire: () => void): { cancel(): void } {
    const due = { at, fire }
    this.#due.push(due)
    const cancel = (): void => {
      this.#due = this.#due.filter((each) => each !== due)
    }
    return { cancel }
  }

  pass(ms: number): void {
    const end = later(this.#now, duration(ms))
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#due = this.#due.filter((each) => each !== next)
      this.#now = next.at
      next.fire()
    }
    this.#now = end
  }
}

/** The library's socket, whose reader the test is. */
class TestSocket extends EventEmitter {
  readonly OPEN = 1
  readyState = 1
  bufferedAmount = 0
  readonly pongs: unknown[] = []

  send(bytes: Uint8Array): void {
    this.bufferedAmount += bytes.length
  }

  pong(data: unknown): void {
    this.pongs.push(data)
  }

  terminate(): void {
    this.readyState = 3
    this.emit('close')
  }
}

const KIB = 1024
let clock: TestClock
let counters: WebSocketCounters
let connections: WebSocketConnections
beforeEach(() => {
  clock = new TestClock()
  counters = noWebSocketCounters()
  connections = new WebSocketConnections(clock, counters)
})

const FIRST = 2 ** 20
let port = 1
function add(): TestSocket {
  const socket = new TestSocket()
  connections.add(socket as unknown as WebSocket, '198.51.100.7', port++)
  return socket
}
const send = (number: number, length: number): void =>
  connections.send({ ip: '198.51.100.7', port: 1, socket: FIRST + number }, new Uint8Array(length))

test('of what a reader is behind by, 256 KiB wait and what comes next is lost', () => {
  const socket = add()
  for (let each = 0; each < 300; each++) send(0, KIB)
  expect(socket.bufferedAmount).toBe(256 * KIB)
  expect(counters.websocketDropped).toBe(44)
  socket.bufferedAmount = 0
  send(0, KIB)
  expect(socket.bufferedAmount).toBe(KIB)
})

test('of what all readers are behind by, 64 MiB wait', () => {
  const sockets = Array.from({ length: 300 }, add)
  for (const number of sockets.keys()) for (let each = 0; each < 64; each++) send(number, 4 * KIB)
  const waiting = sockets.reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0)
  // Each that is not behind may begin to be.
  expect(waiting).toBeLessThanOrEqual((64 * KIB + 300 * 4) * KIB)
  expect(waiting).toBeGreaterThan(60 * KIB * KIB)
  expect(counters.websocketDropped).toBeGreaterThan(0)
})

test('a reader that takes nothing for 30 s is gone, one that is slow is not', () => {
  const [stuck, slow] = [add(), add()]
  for (let time = 0; time < 50; time++) {
    for (const socket of [stuck, slow]) socket.emit('message', Buffer.from([1]), true)
    send(0, KIB)
    send(1, KIB)
    slow.bufferedAmount -= 100
    clock.pass(1000)
  }
  expect([stuck.readyState, slow.readyState]).toEqual([3, 1])
  expect(counters.websocketStalled).toBe(1)
  expect(connections.size).toBe(1)
})

test('a connection on which nothing comes for a minute ends', () => {
  const [silent, busy] = [add(), add()]
  for (let time = 0; time < 5; time++) {
    clock.pass(14_900)
    busy.emit('message', Buffer.from([1]), true)
  }
  expect([silent.readyState, busy.readyState]).toEqual([3, 1])
  expect(counters.websocketIdle).toBe(1)
})

test('a ping is answered where nothing waits, so that nobody fills the memory by them', () => {
  const socket = add()
  socket.emit('ping', 'a')
  send(0, KIB)
  socket.emit('ping', 'b')
  expect(socket.pongs).toEqual(['a'])
})

test('what came in one turn of the loop is one batch, and each number is used once', async () => {
  const batches: (readonly Datagram[])[] = []
  connections.onDatagrams((batch) => batches.push(batch))
  const [first, second] = [add(), add()]
  first.emit('message', Buffer.from([1]), true)
  second.emit('message', Buffer.from([2]), true)
  await new Promise((resolve) => setImmediate(resolve))
  expect(batches.map((batch) => batch.map(({ bytes, source }) => [...bytes, source.socket]))).toEqual([
    [
      [1, FIRST],
      [2, FIRST + 1],
    ],
  ])
  first.terminate()
  const third = add()
  third.emit('message', Buffer.from([3]), true)
  await new Promise((resolve) => setImmediate(resolve))
  expect(batches[1]?.[0]?.source.socket).toBe(FIRST + 2)
})

test('nothing is delivered once it is closed', async () => {
  const batches: unknown[] = []
  connections.onDatagrams((batch) => batches.push(batch))
  const socket = add()
  socket.emit('message', Buffer.from([1]), true)
  await connections.close()
  socket.emit('message', Buffer.from([2]), true)
  await new Promise((resolve) => setImmediate(resolve))
  expect([batches, socket.readyState, connections.size]).toEqual([[], 3, 0])
})
