import { describe, expect, test } from 'vitest'
import { shownBytes, shownCount, shownTime } from '../src/amounts.ts'
import { barLine } from '../src/progress.ts'
import { Rate } from '../src/rate.ts'
import { widthOf } from '../src/shortened.ts'

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

  test.each([
    [100, '[========            ] 41 %  14.1 MB of 34.5 MB  3.20 MB/s, 7 s left  directly  photos/a.jpg'],
    [90, '[====      ] 41 %  14.1 MB of 34.5 MB  3.20 MB/s, 7 s left  directly  photos/a.jpg'],
    [80, '[====      ] 41 %  14.1 MB of 34.5 MB  3.20 MB/s, 7 s left  photos/a.jpg'],
    [65, '41 %  14.1 MB of 34.5 MB  3.20 MB/s, 7 s left  photos/a.jpg'],
    [59, '41 %  3.20 MB/s, 7 s left  photos/a.jpg'],
    [30, '41 %  7 s left  photos/a.jpg'],
    [24, '41 %  7 s left  …/a.jpg'],
    [8, '41 %  7'],
  ])('at %d columns leaves out what matters less than the name', (columns, line) => {
    expect(barLine(progress, 3_200_000, 'directly', columns)).toBe(line)
  })

  test.each([
    ['holiday-film-from-the-lake-part-3-of-5.mp4', 80, 'holiday-film-fro…part-3-of-5.mp4'],
    ['holiday-film-from-the-lake-part-3-of-5.mp4', 60, 'holiday-film-fro…part-3-of-5.mp4'],
    ['photos/summer/2026/lake/IMG_20260814.jpg', 60, '…/IMG_20260814.jpg'],
    ['写真写真写真写真写真写真写真写真.jpg', 60, '写真写真写真写真…真写真写真.jpg'],
  ])('shortens %s at %d columns in the middle', (path, columns, name) => {
    const line = barLine({ ...progress, path }, 3_200_000, 'directly', columns)
    expect(line.slice(line.indexOf('left  ') + 6)).toBe(name)
    expect(widthOf(line)).toBeLessThan(columns)
  })

  test('of empty files is full, and of no rate has no time left', () => {
    expect(barLine({ ...progress, bytes: 0, totalBytes: 0 }, undefined, 'directly', 80)).toMatch(/^\[={20}\] 100 % {2}/)
    expect(barLine(progress, 0, 'directly', 80)).not.toContain('left')
  })
})
