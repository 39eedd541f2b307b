/** docs/protocol.md, A protected path that dies: an end that only receives. */
import { describe, expect, test } from 'vitest'
import { instant } from '../../../src/core/index.ts'
import { Lull } from '../../../src/core/transport/recovery/lull.ts'

/** So many records, so many milliseconds apart. @returns when the last came */
function received(lull: Lull, count: number, gap: number): number {
  for (let index = 0; index < count; index++) lull.received(instant(index * gap))
  return (count - 1) * gap
}

describe('a remote peer that falls silent', () => {
  test.each([1, 100, 499])('after records each %d ms is asked half a second after the last, once', (gap) => {
    const lull = new Lull()
    const last = received(lull, 16, gap)
    expect(lull.due).toBe(last + 500)
    expect([lull.ask(instant(last + 499)), lull.ask(instant(last + 500)), lull.ask(instant(last + 500))]).toEqual([
      ...[false, true, false],
    ])
    expect(lull.due).toBeUndefined()
    lull.received(instant(last + 540))
    expect(lull.due).toBeUndefined()
  })

  test.each([
    [15, 1],
    [100, 500],
    [0, 0],
  ])('after %d records, %d ms apart, is not', (count, gap) => {
    const lull = new Lull()
    received(lull, count, gap)
    expect(lull.due).toBeUndefined()
  })
})
