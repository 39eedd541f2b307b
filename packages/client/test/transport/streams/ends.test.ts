/** How a stream ends at its receiver, and what that lets the remote peer open. */
import { describe, expect, test } from 'vitest'
import { MAX_OPEN_STREAMS, MAX_STREAM_WINDOW, STREAM_WINDOW } from '../../../src/core/transport/limits.ts'
import { ReceiveStream } from '../../../src/core/transport/streams/receive-stream.ts'
import { StreamTable } from '../../../src/core/transport/streams/stream-table.ts'

/** Two ends of a connection whose MAX_STREAMS arrives at once. */
class Pair {
  readonly opener = new StreamTable(true, false)
  readonly acceptor = new StreamTable(false, false)
  announced = 0

  /** Opens a stream at both ends. @returns undefined when the limit forbids it */
  open(): number | undefined {
    const id = this.opener.open(false)?.id
    if (id === undefined) return undefined
    this.acceptor.openRemote(id)
    this.#announce()
    return id
  }

  finish(id: number): void {
    for (const table of [this.opener, this.acceptor]) table.remove(id)
    this.#announce()
  }

  #announce(): void {
    if (!this.acceptor.raiseLimit()) return
    this.announced++
    this.opener.onMaxStreams(this.acceptor.remoteLimit)
  }
}

describe('the limit of streams', () => {
  test('lets one more in for each that finishes, whatever number stays open', () => {
    for (const longLived of [0, 1, 128, 200, 254, 255]) {
      const pair = new Pair()
      for (let opened = 0; opened < longLived; opened++) pair.open()
      for (let round = 0; round < 1000; round++) {
        const id = pair.open()
        expect([longLived, round, id === undefined]).toEqual([longLived, round, false])
        pair.finish(id as number)
      }
      for (let opened = longLived; opened < MAX_OPEN_STREAMS; opened++) expect(pair.open()).toBeDefined()
      expect(pair.open()).toBeUndefined()
    }
  })

  test('is announced seldom while few streams are open', () => {
    const pair = new Pair()
    for (let round = 0; round < 1280; round++) pair.finish(pair.open() as number)
    expect(pair.announced).toBe(1280 / (MAX_OPEN_STREAMS / 2))
  })
})

describe('a stream that is reset', () => {
  const received = (fin: boolean): ReceiveStream => {
    const stream = new ReceiveStream(0, STREAM_WINDOW, MAX_STREAM_WINDOW)
    stream.receive(0, Uint8Array.of(1, 2, 3), fin)
    return stream
  }

  test('is not complete when all its data arrived, but no end', () => {
    const stream = received(false)
    expect([stream.reset(7, 3), stream.read(), stream.resetCode]).toEqual(['ok', undefined, 7])
  })

  test('is read to its end when that arrived before', () => {
    const stream = received(true)
    expect([stream.reset(7, 3), stream.read(), stream.resetCode]).toEqual(['ok', Uint8Array.of(1, 2, 3), undefined])
  })
})
