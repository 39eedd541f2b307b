import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REPLAY_WINDOW, ReplayWindow } from '../src/index.ts'

describe('a replay window', () => {
  test('takes each number once', () => {
    const window = new ReplayWindow()
    expect([window.accept(7), window.check(7), window.accept(7), window.check(8)]).toEqual([
      true,
      'seen',
      false,
      'fresh',
    ])
  })

  test('is 8,128 wide to the number', () => {
    const window = new ReplayWindow()
    window.accept(100_000)
    expect(window.check(100_000 - REPLAY_WINDOW)).toBe('old')
    expect(window.check(100_000 - REPLAY_WINDOW + 1)).toBe('fresh')
    expect(window.accept(100_000 - REPLAY_WINDOW)).toBe(false)
  })

  test('goes from 0 to 2^53 − 1', () => {
    const window = new ReplayWindow()
    for (const seq of [0, 1, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER])
      expect(window.accept(seq)).toBe(true)
    expect([window.check(0), window.check(Number.MAX_SAFE_INTEGER)]).toEqual(['old', 'seen'])
  })

  test('is the same as remembering every number, wherever it starts and however it jumps', () => {
    const step = fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: -9000, max: 0 }),
      fc.integer({ min: 1, max: 30_000 }),
    )
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.array(step, { maxLength: 400 }), (start, steps) => {
        const window = new ReplayWindow()
        const seen = new Set<number>()
        let newest = start
        for (const by of steps) {
          const seq = Math.max(0, newest + by)
          const old = seen.size > 0 && seq <= Math.max(...seen) - REPLAY_WINDOW
          expect(window.check(seq)).toBe(old ? 'old' : seen.has(seq) ? 'seen' : 'fresh')
          expect(window.accept(seq)).toBe(!old && !seen.has(seq))
          if (!old) seen.add(seq)
          newest = Math.max(newest, seq)
        }
      }),
      { numRuns: runs(150) },
    )
  })
})
