import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../src/index.ts'

const draw = (random: SeededRandom): number[] => Array.from({ length: 20 }, () => random.uint32())

describe('seeded randomness', () => {
  test('the same seed gives the same stream, another seed another one', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b)
        expect(draw(new SeededRandom(a))).toEqual(draw(new SeededRandom(a)))
        expect(draw(new SeededRandom(a))).not.toEqual(draw(new SeededRandom(b)))
      }),
    )
  })

  test('a fork depends on its name only, not on what was drawn before', () => {
    const random = new SeededRandom(7)
    const before = draw(random.fork('alice'))
    draw(random)
    expect(draw(random.fork('alice'))).toEqual(before)
    expect(draw(random.fork('bob'))).not.toEqual(before)
  })

  test('uniform numbers lie in [0, 1) and fill it evenly', () => {
    const random = new SeededRandom('even')
    const buckets = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) {
      const value = random.uniform()
      expect(value >= 0 && value < 1).toBe(true)
      const bucket = Math.floor(value * 10)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  test('bytes have the length that was asked for', () => {
    expect(new SeededRandom('b').bytes(33)).toHaveLength(33)
    expect(new SeededRandom('b').bytes(0)).toEqual(new Uint8Array(0))
  })
})
