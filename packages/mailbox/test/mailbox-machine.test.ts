/** What a mailbox gives, refuses, forgets and bounds. */
import { describe, expect, test } from 'vitest'
import { encode, FIRST_BYTE, FrameReader, OfferRun, type OverReason } from '../src/core/index.ts'
import { Bed, type Client, optionsOf } from './bed.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Why the mailbox said no more, by its last frame. */
function overOf({ heard, ended }: Client): OverReason | undefined {
  const reader = new FrameReader()
  reader.push(heard)
  let reason: OverReason | undefined
  for (let read = reader.next(); read !== undefined; read = reader.next())
    reason = read.frame.type === 'over' ? read.frame.reason : undefined
  return ended ? reason : undefined
}
const numberOf = ({ events }: Client): number | undefined =>
  events.flatMap((event) => (event.type === 'slot' ? event.number : []))[0]

describe('numbers', () => {
  test('are the lowest that are free', () => {
    const bed = new Bed()
    expect([bed.offer(), bed.offer(), bed.offer()].map(numberOf)).toEqual([1, 2, 3])
  })

  test('rest for a minute after they were used, so that an old code finds nobody else', () => {
    const bed = new Bed()
    const [first] = [bed.offer(), bed.offer()]
    bed.leave(first)
    expect(numberOf(bed.offer())).toBe(3)
    bed.wait(MINUTE - 1)
    expect(numberOf(bed.offer())).toBe(4)
    bed.wait(1)
    expect(numberOf(bed.offer())).toBe(1)
  })

  test('that nobody waits for are unknown', () => {
    const bed = new Bed()
    bed.offer()
    const taking = bed.take(2)
    expect(overOf(taking)).toBe('unknown')
    expect(taking.last).toEqual({ type: 'failed', why: 'unknown' })
  })
})

describe('a slot', () => {
  test('runs out after ten minutes, and its end is told', () => {
    const bed = new Bed()
    const offering = bed.offer()
    bed.wait(10 * MINUTE - 1)
    expect(offering.ended).toBe(false)
    bed.wait(1)
    expect(offering.last).toEqual({ type: 'failed', why: 'expired' })
    expect(overOf(bed.take(1))).toBe('unknown')
  })

  test('is free when its end leaves', () => {
    const bed = new Bed()
    bed.leave(bed.offer())
    expect(bed.machine.stats()).toMatchObject({ clients: 0, slots: 0 })
    expect(overOf(bed.take(1))).toBe('unknown')
    expect(bed.machine.counters()).toMatchObject({ slotsLeft: 1, refusedUnknown: 1 })
  })

  test('is tried once: also a try that is broken off spends it', () => {
    const bed = new Bed()
    const offering = bed.offer()
    const taking = bed.enter()
    bed.send(taking, Buffer.concat([FIRST_BYTE, encode.take(1)]))
    bed.leave(taking)
    expect(offering.last).toEqual({ type: 'failed', why: 'gone' })
    expect(overOf(bed.take(1))).toBe('unknown')
    expect(bed.machine.stats()).toMatchObject({ clients: 0, slots: 0 })
  })

  test('whose end leaves during the run tells the one who came', () => {
    const bed = new Bed()
    const silent = bed.enter()
    bed.send(silent, Buffer.concat([FIRST_BYTE, encode.offer()]))
    const taking = bed.take(1)
    bed.leave(silent)
    expect(taking.last).toEqual({ type: 'failed', why: 'gone' })
  })

  test('whose end says nothing during the run is over after half a minute', () => {
    const bed = new Bed()
    const silent = bed.enter()
    bed.send(silent, Buffer.concat([FIRST_BYTE, encode.offer()]))
    const taking = bed.take(1)
    bed.wait(30 * SECOND - 1)
    expect(taking.ended).toBe(false)
    bed.wait(1)
    expect([overOf(silent), overOf(taking)]).toEqual(['gone', 'gone'])
    expect(bed.machine.stats()).toMatchObject({ clients: 0 })
  })
})

describe('one source', () => {
  test('has 20 requests at once and one in six seconds, and others are not affected', () => {
    const bed = new Bed()
    for (let count = 0; count < 20; count++) expect(overOf(bed.take(7))).toBe('unknown')
    expect(overOf(bed.take(7))).toBe('often')
    expect(overOf(bed.take(7, 'orbit-velvet', 2, 'another'))).toBe('unknown')
    bed.wait(6 * SECOND)
    expect(overOf(bed.take(7))).toBe('unknown')
    expect(overOf(bed.take(7))).toBe('often')
    expect(overOf(bed.offer())).toBe('often')
  })

  test('has 32 slots at a time', () => {
    const bed = new Bed()
    for (let count = 0; count < 32; count++) {
      expect(numberOf(bed.offer())).toBe(count + 1)
      bed.wait(6 * SECOND)
    }
    expect(overOf(bed.offer())).toBe('full')
    expect(numberOf(bed.offer('orbit-velvet', 1, 'another'))).toBe(33)
    bed.leave(bed.clients[0] as Client)
    bed.wait(6 * SECOND)
    expect(numberOf(bed.offer())).toBe(34)
  })
})

test('all sources have 512 slots at a time', () => {
  const bed = new Bed()
  const raw = (source: number): Client => {
    const client = bed.enter(undefined, `source ${source}`)
    bed.send(client, Buffer.concat([FIRST_BYTE, encode.offer()]))
    return client
  }
  for (let count = 0; count < 512; count++) expect(raw(count).ended).toBe(false)
  expect(overOf(raw(1000))).toBe('full')
  bed.leave(bed.clients[3] as Client)
  expect(raw(1001).ended).toBe(false)
})

describe('a client', () => {
  test('that says nothing is dismissed after ten seconds', () => {
    const bed = new Bed()
    const silent = bed.enter()
    bed.wait(10 * SECOND)
    expect(overOf(silent)).toBe('malformed')
    expect(bed.machine.stats()).toMatchObject({ clients: 0 })
  })

  test.each<[string, Uint8Array]>([
    ['another version', Uint8Array.of(2)],
    ['an unknown type', Uint8Array.of(1, 0x09, 0, 0)],
    ['a payload that is too long', Uint8Array.of(1, 0x01, 0xff, 0xff)],
    ['an offer with a payload', Uint8Array.of(1, 0x01, 0, 1, 0)],
    ['number 0', Uint8Array.of(1, 0x02, 0, 4, 0, 0, 0, 0)],
    ['number 10000', Uint8Array.of(1, 0x02, 0, 4, 0, 0, 0x27, 0x10)],
    ['a run that did not begin', Uint8Array.of(1, 0x25, 0, 0)],
    ['what a mailbox says', Uint8Array.of(1, 0x1f, 0, 1, 1)],
  ])('that sends %s is dismissed', (_what, bytes) => {
    const bed = new Bed()
    const client = bed.enter()
    bed.send(client, bytes)
    expect(overOf(client)).toBe('malformed')
    expect(bed.machine.counters().malformed).toBe(1)
    bed.send(client, encode.offer())
    expect(bed.machine.stats()).toMatchObject({ clients: 0, slots: 0 })
  })

  test('that waits and sends more loses its slot', () => {
    const bed = new Bed()
    const client = bed.offer()
    bed.send(client, encode.offer())
    expect(overOf(client)).toBe('malformed')
    expect(bed.machine.stats()).toMatchObject({ clients: 0, slots: 0 })
  })

  test('has three frames passed on, and the other end is told when it sends more', () => {
    const bed = new Bed()
    const other = bed.enter()
    bed.send(other, Buffer.concat([FIRST_BYTE, encode.offer()]))
    const client = bed.enter()
    bed.send(client, Buffer.concat([FIRST_BYTE, encode.take(1)]))
    const before = other.heard.length
    for (let count = 0; count < 3; count++) bed.send(client, encode.reply(new Uint8Array(32)))
    expect(other.heard.length - before).toBe(3 * 35)
    bed.send(client, encode.reply(new Uint8Array(32)))
    expect([overOf(client), overOf(other)]).toEqual(['malformed', 'gone'])
  })

  test('may send its frames in any pieces', () => {
    const bed = new Bed()
    const client = bed.enter()
    for (const byte of Buffer.concat([FIRST_BYTE, encode.offer()])) bed.send(client, Uint8Array.of(byte))
    expect(bed.machine.stats()).toMatchObject({ slots: 1 })
  })
})

test('a mailbox that closes tells everybody', () => {
  const bed = new Bed()
  const offering = bed.enter(new OfferRun(optionsOf('orbit-velvet', 1)))
  bed.machine.close()
  bed.flush()
  expect(offering.last).toEqual({ type: 'failed', why: 'closing' })
  expect(bed.machine.deadline).toBeUndefined()
})
