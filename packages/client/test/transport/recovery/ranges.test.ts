/** Sets of whole numbers as ranges. */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ranges } from '../../../src/core/transport/recovery/ranges.ts'

const step = fc.tuple(fc.constantFrom('add', 'remove'), fc.nat(60), fc.nat(20))

test('ranges hold what a set of numbers holds, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const ranges = new Ranges()
      const model = new Set<number>()
      for (const [what, from, length] of steps) {
        if (what === 'add') ranges.add(from, from + length)
        else ranges.remove(from, from + length)
        for (let value = from; value < from + length; value++) what === 'add' ? model.add(value) : model.delete(value)
      }
      const values = Array.from({ length: 90 }, (_, value) => value)
      expect(values.filter((value) => ranges.has(value))).toEqual(values.filter((value) => model.has(value)))
      const gaps = ranges.gaps(0, 90).flatMap(([from, to]) => values.slice(from, to))
      expect(gaps).toEqual(values.filter((value) => !model.has(value)))
      const told = ranges.descending(90)
      const spans = told.flatMap((low, index) =>
        index % 2 === 0 ? values.slice(low, (told[index + 1] as number) + 1) : [],
      )
      expect(spans.sort((a, b) => a - b)).toEqual([...model].sort((a, b) => a - b))
    }),
    { numRuns: runs(500) },
  )
})

test('the highest ranges are kept when there are too many', () => {
  const ranges = new Ranges(3)
  for (const value of [1, 3, 5, 7, 9]) ranges.add(value, value + 1)
  expect(ranges.descending(10)).toEqual([9, 9, 7, 7, 5, 5])
})
