import { opensslEndToEnd } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import { duration, type Instant, instant, later } from '../../src/core/index.ts'
import type { Secured } from '../../src/core/secure/handshake-options.ts'
import { PREVIOUS_KEY_GRACE, REKEY_AFTER } from '../../src/core/secure/limits.ts'
import { RecordLayer } from '../../src/core/secure/record-layer.ts'
import { random } from './pair.ts'

const NOW = instant(1000)
const OVERHEAD = 33
const text = (words: string): Uint8Array => new TextEncoder().encode(words)

/** Both ends of a connection. */
function ends(): { readonly a: RecordLayer; readonly b: RecordLayer } {
  const [one, two] = [random.bytes(32), random.bytes(32)]
  const end = (sendKey: Uint8Array, receiveKey: Uint8Array, initiator: boolean): Secured => ({
    ...{ sendKey, receiveKey, initiator, confirms: !initiator, remoteDialled: false, namedStreams: true },
    hash: new Uint8Array(32),
    remoteConnectionId: random.bytes(8),
  })
  return {
    a: new RecordLayer(opensslEndToEnd, end(one, two, true), NOW),
    b: new RecordLayer(opensslEndToEnd, end(two, one, false), NOW),
  }
}

function seal(
  layer: RecordLayer,
  payload: Uint8Array,
  { acknowledged = -1, now = NOW }: { acknowledged?: number; now?: Instant } = {},
): Uint8Array {
  const record = new Uint8Array(payload.length + OVERHEAD)
  layer.seal(payload, record, 0, acknowledged, now)
  return record
}

const opened = (layer: RecordLayer, record: Uint8Array, now = NOW): string | undefined => {
  const found = layer.open(record, now)
  return found && new TextDecoder().decode(found.payload)
}

describe('a record', () => {
  test('is read once, in any order', () => {
    const { a, b } = ends()
    const records = ['zero', 'one', 'two'].map((words) => seal(a, text(words)))
    expect([2, 0, 1].map((index) => opened(b, records[index] as Uint8Array))).toEqual(['two', 'zero', 'one'])
    expect(records.map((record) => opened(b, record))).toEqual([undefined, undefined, undefined])
  })

  test('with any bit flipped is refused, and does not keep the genuine one out', () => {
    const { a, b } = ends()
    const record = seal(a, text('hello'))
    for (let bit = 0; bit < record.length * 8; bit++) {
      // The connection id finds the connection: it is compared there, and authenticated here.
      const forged = record.slice()
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(opened(b, forged)).toBeUndefined()
    }
    expect(opened(b, record)).toBe('hello')
  })

  test('cut short, or made longer, is refused', () => {
    const { a, b } = ends()
    const record = seal(a, text('hello'))
    for (let length = 0; length < record.length; length++) expect(opened(b, record.subarray(0, length))).toBeUndefined()
    expect(opened(b, new Uint8Array([...record, 0]))).toBeUndefined()
  })

  test('a forged one with a high number does not move the window', () => {
    const { a, b } = ends()
    const [first, second] = [seal(a, text('first')), seal(a, text('second'))]
    const far = second.slice()
    far[15] = 0xff
    expect(opened(b, far)).toBeUndefined()
    expect([opened(b, first), opened(b, second)]).toEqual(['first', 'second'])
  })

  test('reflected, or of another connection, is refused', () => {
    const [one, two] = [ends(), ends()]
    const record = seal(one.a, text('hello'))
    expect([opened(one.a, record), opened(two.b, record), opened(two.a, record)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('keys', () => {
  test('change with time, once the other end has seen the ones before', () => {
    const { a, b } = ends()
    const late = later(NOW, REKEY_AFTER)
    expect(opened(b, seal(a, text('old')))).toBe('old')
    // Not acknowledged: the other end may not have it.
    expect(opened(b, seal(a, text('still old'), { now: late }), late)).toBe('still old')
    expect(a.epoch).toBe(0)
    expect(opened(b, seal(a, text('new'), { now: late, acknowledged: 0 }), late)).toBe('new')
    expect(a.epoch).toBe(1)
    expect(opened(b, seal(a, text('the same'), { now: later(late, duration(1000)), acknowledged: 2 }), late)).toBe(
      'the same',
    )
    expect(a.epoch).toBe(1)
  })

  test('records of the keys before are taken for a while', () => {
    const { a, b } = ends()
    const change = later(NOW, REKEY_AFTER)
    const [early, tooLate] = [seal(a, text('early')), seal(a, text('too late'))]
    const renewed = seal(a, text('new'), { now: change, acknowledged: 0 })
    expect(opened(b, renewed, change)).toBe('new')
    expect(opened(b, early, later(change, duration(PREVIOUS_KEY_GRACE - 1)))).toBe('early')
    expect(opened(b, tooLate, later(change, PREVIOUS_KEY_GRACE))).toBeUndefined()
  })

  test('a record moved to another epoch is refused', () => {
    const { a, b } = ends()
    const record = seal(a, text('hello'))
    for (const epoch of [1, 2, 0xffff]) {
      const moved = record.slice()
      moved[9] = epoch >> 8
      moved[10] = epoch & 0xff
      expect(opened(b, moved)).toBeUndefined()
    }
    expect(opened(b, record)).toBe('hello')
  })

  test('many epochs in a row', () => {
    const { a, b } = ends()
    let now = NOW
    expect(opened(b, seal(a, text('first')))).toBe('first')
    for (let epoch = 0; epoch < 50; epoch++) {
      now = later(now, REKEY_AFTER)
      expect(opened(b, seal(a, text(`${epoch}`), { now, acknowledged: a.next - 1 }), now)).toBe(`${epoch}`)
    }
    expect(a.epoch).toBe(50)
  })
})
