import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WindowedMax } from '../../../src/core/transport/congestion/windowed-max.ts'

test('the maximum is that of the last rounds, whatever came before', () => {
  const step = fc.record({ rounds: fc.nat(3), value: fc.nat(1000) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { minLength: 1, maxLength: 50 }), (length, steps) => {
      const filter = new WindowedMax(length)
      const samples: { round: number; value: number }[] = []
      let round = 0
      for (const { rounds, value } of steps) {
        round += rounds
        filter.update(round, value)
        samples.push({ round, value })
        const recent = samples.filter((sample) => sample.round > round - length)
        expect(filter.max).toBe(Math.max(...recent.map((sample) => sample.value)))
      }
    }),
    { numRuns: runs(200) },
  )
})

test('the maximum of no samples is zero', () => {
  expect(new WindowedMax(10).max).toBe(0)
})
