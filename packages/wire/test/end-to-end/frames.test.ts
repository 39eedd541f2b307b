import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  FRAME,
  type FrameSink,
  FrameWriter,
  Reader,
  readFrames,
  varintLength,
  writeVarint,
} from '../../src/end-to-end/index.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** Records every frame as text. */
function noting(): { readonly notes: string[]; readonly sink: FrameSink } {
  const notes: string[] = []
  const note =
    (name: string) =>
    (...fields: readonly unknown[]): boolean => {
      const text = fields.map((field) =>
        field instanceof Uint8Array ? Buffer.from(field).toString('hex') : String(field),
      )
      notes.push([name, ...text].join(' '))
      return true
    }
  const names = ['ack', 'stream', 'resetStream', 'stopSending', 'maxData', 'maxStreamData', 'maxStreams'] as const
  const more = ['pathChallenge', 'pathResponse', 'datagram', 'close'] as const
  const sink = Object.fromEntries([...names, ...more].map((name) => [name, note(name)])) as unknown as FrameSink
  return { notes, sink }
}

function written(write: (writer: FrameWriter) => void, room = 200): Uint8Array {
  const buffer = new Uint8Array(room)
  const writer = new FrameWriter()
  writer.reset(buffer, room)
  write(writer)
  return buffer.slice(0, writer.length)
}

function read(payload: Uint8Array): { readonly reading: string; readonly notes: readonly string[] } {
  const { notes, sink } = noting()
  return { reading: readFrames(payload, sink), notes }
}

describe('a variable-length integer', () => {
  test.each([
    // RFC 9000, appendix A.1
    ['c2197c5eff14e88c', undefined],
    ['9d7f3e7d', 494_878_333],
    ['7bbd', 15_293],
    ['25', 37],
    ['4025', 37],
  ])('of %s has the value that RFC 9000 gives', (bytes, value) => {
    const reader = new Reader(hex(bytes))
    const found = reader.varint()
    expect(reader.ok ? found : undefined).toBe(value)
  })

  test('reads as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = new Uint8Array(8)
        const length = writeVarint(bytes, 0, value)
        const reader = new Reader(bytes.subarray(0, length))
        expect(length).toBe(varintLength(value))
        expect([reader.varint(), reader.ok, reader.remaining]).toEqual([value, true, 0])
      }),
    )
  })

  test('that is truncated is refused', () => {
    const reader = new Reader(hex('9d7f3e'))
    reader.varint()
    expect(reader.ok).toBe(false)
  })
})

describe('a frame', () => {
  test.each<[string, string, (writer: FrameWriter) => void]>([
    ['resetStream 4 9 1000', '04040943e8', (writer) => writer.numbers(FRAME.resetStream, 4, 9, 1000)],
    ['stopSending 5 7', '050507', (writer) => writer.numbers(FRAME.stopSending, 5, 7)],
    ['maxData 70000', '1080011170', (writer) => writer.numbers(FRAME.maxData, 70_000)],
    ['maxStreamData 8 64', '11084040', (writer) => writer.numbers(FRAME.maxStreamData, 8, 64)],
    ['maxStreams 3', '1203', (writer) => writer.numbers(FRAME.maxStreams, 3)],
    [
      'pathChallenge 0102030405060708',
      '1a0102030405060708',
      (writer) => writer.token(FRAME.pathChallenge, hex('0102030405060708')),
    ],
    [
      'pathResponse 0102030405060708',
      '1b0102030405060708',
      (writer) => writer.token(FRAME.pathResponse, hex('0102030405060708')),
    ],
    ['datagram aabb', '3102aabb', (writer) => writer.datagram(hex('aabb'))],
    ['close 10 no', '1d0a026e6f', (writer) => writer.close(10, 'no')],
    ['stream 4 100 ccdd true', '0f04406402ccdd', (writer) => writer.stream(4, 100, 2, true).set(hex('ccdd'))],
    // 12–14, 9, 2–5: newest first; the other end waited 0.4 ms.
    ['ack 12,14,9,9,2,5 0.4', '020e32020201000203', (writer) => writer.ack([12, 14, 9, 9, 2, 5], 0.4)],
  ])('%s has the expected bytes, both ways', (note, bytes, write) => {
    expect(Buffer.from(written(write)).toString('hex')).toBe(bytes)
    expect(read(hex(bytes)).notes).toEqual([note])
  })

  test('STREAM without length takes the rest of the record, without offset it begins at 0', () => {
    expect(read(hex('0804aabbcc')).notes).toEqual(['stream 4 0 aabbcc false'])
  })

  test('is probing when all its frames look for a path', () => {
    const token = '0102030405060708'
    expect(read(hex(`1a${token}`)).reading).toBe('probing')
    expect(read(hex(`1b${token}1a${token}0000`)).reading).toBe('probing')
    expect(read(hex(`1a${token}01`)).reading).toBe('ack-eliciting')
    expect(read(hex(`011b${token}`)).reading).toBe('ack-eliciting')
    expect(read(hex(`1a${token}1d0a00`)).reading).toBe('non-eliciting')
  })

  test('is ack-eliciting, unless it is ACK, PADDING or CONNECTION_CLOSE', () => {
    expect(read(hex('0000020e320000')).reading).toBe('non-eliciting')
    expect(read(hex('1d0a00')).reading).toBe('non-eliciting')
    expect(read(hex('01')).reading).toBe('ack-eliciting')
    expect(read(hex('00003102aabb')).reading).toBe('ack-eliciting')
  })

  test.each([
    '03',
    '1c00',
    '3fff',
    '7f',
    '0204',
    '0204000103',
    '31',
    '3105aabb',
    '1a01',
    '1d0a44ff',
    '0a0405aa',
    'c00000010000000804aabb',
  ])('%s is refused, and does not reach the sink', (bytes) => {
    expect(read(hex(bytes))).toEqual({ reading: 'violation', notes: [] })
  })

  test('ACK with a range below zero is refused', () => {
    expect(read(hex('0202000003')).reading).toBe('violation')
  })

  test('ACK is read up to its 64 newest ranges', () => {
    const ranges = Array.from({ length: 80 }, (_, index) => 1000 - 2 * index)
    // highest 1000, no delay, 79 more ranges; each has one number, and one number is missing
    // between two
    const frame = `0243e800404f00${'0000'.repeat(79)}`
    const newest = ranges.slice(0, 64).flatMap((number) => [number, number])
    expect(read(hex(frame)).notes).toEqual([`ack ${newest.join(',')} 0`])
  })

  test.each([
    ['1', '0e04c01fffffffffffff0100', 'violation', []],
    ['0', '0e04c01fffffffffffff00', 'ack-eliciting', ['stream 4 9007199254740991  false']],
  ])('STREAM must not end after byte 2^53 − 1: %s bytes more', (_bytes, frame, reading, notes) => {
    expect(read(hex(frame))).toEqual({ reading, notes })
  })

  test('CONNECTION_CLOSE: a reason is read as printable ASCII, so that no escape reaches a terminal', () => {
    // ESC ] 0 ; A BEL, a line feed, DEL, é in UTF-8
    expect(read(hex('1d070a1b5d303b41070a7fc3a9')).notes).toEqual(['close 7 ?]0;A?????'])
  })

  test.each([
    [256, 'non-eliciting'],
    [257, 'violation'],
  ])('CONNECTION_CLOSE with a reason of %d bytes: %s', (length, reading) => {
    const frame = `1d07${(0x4000 | length).toString(16)}${'41'.repeat(length)}`
    expect(read(hex(frame)).reading).toBe(reading)
  })

  test('of arbitrary bytes never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(['violation', 'probing', 'non-eliciting', 'ack-eliciting']).toContain(read(bytes).reading)
      }),
      { numRuns: runs(2000) },
    )
  })

  test('ACK has as many ranges as fit, the newest first', () => {
    const ranges = Array.from({ length: 40 }, (_, index) => [1000 - 10 * index, 1003 - 10 * index]).flat()
    const bytes = written((writer) => writer.ack(ranges, 0), 30)
    const [note = ''] = read(bytes).notes
    const told = note.split(' ')[1]?.split(',').map(Number) ?? []
    expect(bytes.length).toBeLessThanOrEqual(30)
    expect(told.length).toBeGreaterThan(10)
    expect(told).toEqual(ranges.slice(0, told.length))
  })
})
