import { describe, expect, test } from 'vitest'
import { shownBytes, shownCount, shownTime } from '../src/amounts.ts'
import { barLine } from '../src/progress.ts'
import { Rate } from '../src/rate.ts'

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [9_999, '10.0 kB'],
  [99_960, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [4_294_967_296, '4.29 GB'],
  [9e15, '9000 TB'],
])('%i bytes are %s', (count, shown) => {
  expect(shownBytes(count)).toBe(shown)
})

test.each([
  [0.2, '1 s'],
  [59, '59 s'],
  [61, '1 min 1 s'],
  [7300, '2 h 1 min'],
  [172_800, '2 days'],
  [172_700, '47 h 58 min'],
])('%d seconds are %s', (seconds, shown) => {
  expect(shownTime(seconds)).toBe(shown)
})

test('one file is no files', () => {
  expect([shownCount(1, 'file'), shownCount(2, 'file')]).toEqual(['1 file', '2 files'])
})

describe('the rate', () => {
  test('is that of the last five seconds, within two percent', () => {
    const rate = new Rate()
    expect(rate.perSecond).toBe(undefined)
    // slow at first, 3 MB/s at last
    for (let at = 0; at <= 20_000; at += 100) rate.add(at < 10_000 ? at * 10 : 100_000 + (at - 10_000) * 3000, at)
    expect(Math.abs((rate.perSecond ?? 0) / 3_000_000 - 1)).toBeLessThan(0.02)
  })

  test('is unknown at one moment', () => {
    const rate = new Rate()
    rate.add(0, 5)
    rate.add(1000, 6)
    expect(rate.perSecond).toBe(undefined)
  })
})

describe('the bar', () => {
  const progress = {
    ...{
      checking: false,
      path: 'photos/a.jpg',
      bytes: 14_145_000,
      bytesBefore: 0,
      totalBytes: 34_500_000,
      files: 3,
      totalFiles: 12,
    },
  }

  test('has how far, how fast, how long, the path and the file', () => {
    expect(barLine(progress, 3_200_000, 'directly', 120)).toBe(
      '[========            ] 41 %  14.1 MB of 34.5 MB  3.20 MB/s, 7 s left  directly  photos/a.jpg',
    )
  })

  test('fits the terminal', () => {
    for (const columns of [40, 80]) {
      const line = barLine({ ...progress, path: 'x'.repeat(500) }, 3_200_000, 'by relay', columns)
      expect([line.length, line.endsWith('…')]).toEqual([columns - 1, true])
    }
  })

  test('of empty files is full, and of no rate has no time left', () => {
    expect(barLine({ ...progress, bytes: 0, totalBytes: 0 }, undefined, 'directly', 80)).toMatch(/^\[={20}\] 100 % {2}/)
    expect(barLine(progress, 0, 'directly', 80)).not.toContain('left')
  })
})
