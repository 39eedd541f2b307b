import { expect, test } from 'vitest'
import { NONE } from '../src/core/expiring-rows.ts'
import { SessionIndex } from '../src/core/session-index.ts'

/** Few places for many keys: what stands behind another one is deleted, too. */
const KEYS = 4096
const STRIDE = 64

test('rows are found by their key and by no other, whatever came and went', () => {
  const index = new SessionIndex()
  const rows = new Map<number, number>()
  let state = 3
  for (let step = 0; step < 30_000; step++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    // Keys that want the same place, and its neighbours.
    const key = STRIDE * (state >>> 20) + ((state >>> 8) & 1)
    // It grows, shrinks and grows again.
    const adds = ((state >>> 10) & 7) < ((step >> 13) & 1 ? 2 : 6)
    if (rows.has(key)) {
      index.delete(key)
      rows.delete(key)
    } else if (adds) {
      index.set(key, step)
      rows.set(key, step)
    }
    expect(index.get(key)).toBe(rows.get(key) ?? NONE)
  }
  for (let key = 0; key < STRIDE * KEYS; key += STRIDE)
    for (const each of [key, key + 1]) expect(index.get(each)).toBe(rows.get(each) ?? NONE)
})

test('to delete what is not there changes nothing', () => {
  const index = new SessionIndex()
  index.set(5, 0)
  index.delete(6)
  expect([index.get(5), index.get(6)]).toEqual([0, NONE])
})
