import { duration, ExpiringMap, instant } from '@showchain/client/endpoint'
import { expect, test } from 'vitest'
import { ExpiringRows, ROW_DOUBLES, ROW_INTEGERS } from '../src/core/expiring-rows.ts'

const LIFETIME = duration(100)
const CAPACITY = 100
const [OWN_DOUBLE, OWN_INTEGER] = [7, 13]

/** The same numbers in every run (Numerical Recipes). */
function dice(): (sides: number) => number {
  let state = 7
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

test('entries live, expire and are evicted as those of ExpiringMap, in the same order', () => {
  const roll = dice()
  const [ended, expected]: [string[], string[]] = [[], []]
  const keys = new Map<number, number>()
  const map = new ExpiringMap<number, true>({
    ...{ lifetime: LIFETIME, capacity: CAPACITY },
    onEnd: (key, _value, why) => expected.push(`${key} ${why}`),
  })
  const rows = new ExpiringRows({
    ...{ lifetime: LIFETIME, capacity: CAPACITY },
    onEnd: (row, why) => {
      ended.push(`${keys.get(row)} ${why}`)
      keys.delete(row)
    },
  })
  const pick = (): readonly [number, number] | undefined => [...keys][roll(keys.size)]
  let now = instant(0)
  for (let step = 0; step < 20_000; step++) {
    const [row, key] = pick() ?? []
    const what = roll(10)
    if (what < 4 || row === undefined || key === undefined) {
      const added = rows.add(now)
      expect(keys.has(added)).toBe(false)
      keys.set(added, step)
      map.set(step, true, now)
    } else if (what < 6) {
      rows.touch(row, now)
      map.touch(key, now)
    } else if (what < 7) {
      rows.renew(row, now)
      map.set(key, true, now)
    } else if (what < 8) {
      rows.remove(row)
      map.delete(key)
      keys.delete(row)
    } else {
      // Slow enough for full tables, and at times fast enough for empty ones.
      now = instant(now + roll(step % 4000 < 1000 ? 100 : 2))
      if (what === 9) {
        rows.expire(now)
        map.expire(now)
      }
    }
    expect(rows.size).toBe(map.size)
    const [lookedAt, of] = pick() ?? []
    if (lookedAt !== undefined && of !== undefined)
      expect(rows.isLive(lookedAt, now)).toBe(map.get(of, now) !== undefined)
  }
  expect(ended).toEqual(expected)
  expect(new Set(ended.map((each) => each.split(' ')[1]))).toEqual(new Set(['expired', 'evicted']))
  expect([...rows.rows()].map((row) => keys.get(row))).toEqual([...map.entries()].map(([key]) => key))
})

test('a row keeps what its owner wrote while others come, and has another generation once it has ended', () => {
  const rows = new ExpiringRows({ lifetime: LIFETIME, capacity: 1000, onEnd: () => {} })
  const first = rows.add(instant(0))
  rows.doubles[first * ROW_DOUBLES + OWN_DOUBLE] = 0.5
  rows.integers[first * ROW_INTEGERS + OWN_INTEGER] = -5
  const generation = rows.generation(first)
  for (let count = 1; count < 1000; count++) rows.add(instant(1))
  expect(rows.doubles[first * ROW_DOUBLES + OWN_DOUBLE]).toBe(0.5)
  expect(rows.integers[first * ROW_INTEGERS + OWN_INTEGER]).toBe(-5)
  expect(rows.generation(first)).toBe(generation)
  rows.remove(first)
  expect(rows.add(instant(2))).toBe(first)
  expect(rows.generation(first)).not.toBe(generation)
})
