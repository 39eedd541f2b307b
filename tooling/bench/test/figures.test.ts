import { describe, expect, test } from 'vitest'
import { figure, median, percentile, times } from '../src/figures.ts'

describe('figures', () => {
  test('the median of an even number of samples lies between the two in the middle', () => {
    expect(median([9, 1, 3, 5])).toBe(4)
    expect(median([9, 1, 3])).toBe(3)
  })

  test('a percentile is one of the samples: the least that so many are not above', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([50, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100])
    expect(percentile([7], 99)).toBe(7)
    expect(percentile([1, 2, 3], 50)).toBe(2)
  })

  test('the spread is how far half of the samples stray, in parts of the median', () => {
    // Distances from 10: 0, 1, 2, 5, 90.
    expect(figure([10, 11, 8, 5, 100], 'ns')).toMatchObject({ median: 10, spread: 0.2 })
  })

  test('samples that are all the same have no spread', () => {
    expect(figure([7, 7, 7], 'ns').spread).toBe(0)
    expect(figure([0, 0], 'ns').spread).toBe(0)
  })

  test('a machine that is slow for one sample of both does not change how many times one is the other', () => {
    const one = figure([20, 20, 60], 'ns')
    const reference = figure([10, 10, 30], 'ns')
    expect(times(one, reference)).toEqual({ times: 2 })
  })
})
