/** What waits to be read: whole, in few pieces, and in little more memory than it needs. */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { READ_PIECE } from '../../../src/core/transport/limits.ts'
import { ReadBuffer } from '../../../src/core/transport/streams/read-buffer.ts'

const RECORD = 1408

test('what is read is what came, in order, however it came and was read, and stays as it is', () => {
  const sizes = fc.oneof(fc.nat(600), fc.nat(9000), fc.constant(RECORD))
  const steps = fc.array(fc.oneof(sizes, fc.constant('read' as const)), { maxLength: 120 })
  fc.assert(
    fc.property(steps, (list) => {
      const buffer = new ReadBuffer()
      const pieces: Uint8Array[] = []
      const take = (): void => {
        const piece = buffer.take()
        if (piece !== undefined) pieces.push(piece)
      }
      let came = 0
      for (const step of list)
        if (step === 'read') take()
        else {
          buffer.append(Uint8Array.from({ length: step }, (_, index) => (came + index) % 251))
          came += step
        }
      while (buffer.length > 0) take()
      expect(buffer.take()).toBeUndefined()
      const read = Buffer.concat(pieces)
      expect(read.length).toBe(came)
      expect(read.every((byte, index) => byte === index % 251)).toBe(true)
    }),
    { numRuns: runs(200) },
  )
})

test('a batch of records is one piece, once a batch has come before', () => {
  const buffer = new ReadBuffer()
  const batch = (): number[] => {
    const lengths: number[] = []
    for (let record = 0; record < 40; record++) buffer.append(new Uint8Array(RECORD))
    for (let piece = buffer.take(); piece !== undefined; piece = buffer.take()) lengths.push(piece.length)
    return lengths
  }
  expect(batch().reduce((sum, length) => sum + length)).toBe(40 * RECORD)
  expect(batch()).toEqual([40 * RECORD])
})

test('pieces are as long as a read asks for, and hold no more memory than that', () => {
  const buffer = new ReadBuffer()
  for (let record = 0; record < 500; record++) buffer.append(new Uint8Array(RECORD))
  const pieces: Uint8Array[] = []
  for (let piece = buffer.take(); piece !== undefined; piece = buffer.take()) pieces.push(piece)
  expect(pieces.slice(8, -1).every(({ length }) => length === READ_PIECE)).toBe(true)
  const memory = pieces.reduce((sum, { buffer: { byteLength } }) => sum + byteLength, 0)
  expect(memory).toBeLessThan(500 * RECORD + READ_PIECE)
})

test('one byte that waits takes one', () => {
  const buffer = new ReadBuffer()
  buffer.append(new Uint8Array(RECORD).subarray(7, 8))
  expect(buffer.take()?.buffer.byteLength).toBe(1)
})
