/** What waits for keys or for a first path takes a bounded amount of memory. */
import { describe, expect, test } from 'vitest'
import { EarlyRecords, MAX_EARLY_RECORDS } from '../../src/core/connections/early-records.ts'
import { HeldEvents, MAX_HELD_DATAGRAMS } from '../../src/core/connections/held-events.ts'
import type { StreamEvent } from '../../src/core/transport/events.ts'

const FROM = { ip: '198.51.100.7', port: 5000 }

describe('records that come before the keys', () => {
  test('are read once, in order, as they were, and no more than eight', () => {
    const early = new EarlyRecords()
    const buffer = new Uint8Array(1)
    for (let number = 0; number < 2 * MAX_EARLY_RECORDS; number++) {
      buffer[0] = number
      early.hold(buffer, FROM)
    }
    expect(MAX_EARLY_RECORDS).toBe(8)
    expect(early.take().map(({ record, from }) => [record[0], from])).toEqual(
      Array.from({ length: 8 }, (_, number) => [number, FROM]),
    )
    expect(early.take()).toEqual([])
  })

  test('keep the session of their channel frame, whose buffer is used again', () => {
    const early = new EarlyRecords()
    const session = new Uint8Array(16).fill(1)
    early.hold(new Uint8Array(1), session)
    session.fill(2)
    expect(early.take().map(({ from }) => from)).toEqual([new Uint8Array(16).fill(1)])
  })
})

describe('events that come before the first path', () => {
  const datagram = (number: number): StreamEvent => ({ type: 'datagram', bytes: Uint8Array.of(number) })

  test('are 64 datagrams at most', () => {
    const held = new HeldEvents()
    for (let number = 0; number < 2 * MAX_HELD_DATAGRAMS; number++) held.hold(datagram(number))
    expect(held.take()).toEqual(Array.from({ length: 64 }, (_, number) => datagram(number)))
    expect(held.take()).toEqual([])
  })

  test('are each change of each stream once', () => {
    const held = new HeldEvents()
    const events: readonly StreamEvent[] = [
      { type: 'streamOpened', stream: 1, protocol: undefined },
      { type: 'stream', stream: 1, what: 'readable' },
      { type: 'streamOpened', stream: 7, protocol: 'chat/1' },
      { type: 'streamStopped', stream: 5, code: 3 },
      { type: 'openable' },
    ]
    for (let times = 0; times < 100; times++) for (const event of events) held.hold(event)
    expect(held.take()).toEqual(events)
    held.hold(events[0] as StreamEvent)
    expect(held.take()).toEqual([events[0]])
  })
})
