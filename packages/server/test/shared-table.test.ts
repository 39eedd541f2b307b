import { duration, instant } from '@showchain/client/endpoint'
import { expect, test } from 'vitest'
import { SharedTable } from '../src/core/shared-table.ts'

const LIFETIME = 60_000
const at = (ms: number) => instant(1000 + ms)

/** A full table: `big` has all but one of its four places. */
function full(): SharedTable<number> {
  const table = new SharedTable<number>(duration(LIFETIME), 4)
  for (const [index, source] of ['big', 'big', 'big', 'small'].entries())
    table.set(`entry ${index}`, index, source, at(index))
  return table
}

test('a source with few entries finds room in a full table: the oldest of the largest makes it', () => {
  const table = full()
  expect(table.hasRoom('new', at(10))).toBe(true)
  table.set('one more', 9, 'new', at(10))
  expect([0, 1, 2, 3].map((index) => table.get(`entry ${index}`, at(10)))).toEqual([undefined, 1, 2, 3])
  expect([table.size, table.get('one more', at(10))]).toEqual([4, 9])
})

test('the source that made room gets no new entry for a lifetime, so that nothing begins anew', () => {
  const table = full()
  table.set('one more', 9, 'new', at(10))
  table.expire(at(10))
  // There would be room now, but for it.
  table.set('entry 0', 0, 'big', at(20))
  expect(table.get('entry 0', at(20))).toBeUndefined()
  expect(table.hasRoom('big', at(LIFETIME + 9))).toBe(false)
  expect(table.hasRoom('big', at(LIFETIME + 10))).toBe(true)
})

test('a source with as many entries as the largest takes nothing from it', () => {
  const table = full()
  expect(table.hasRoom('big', at(10))).toBe(false)
  table.set('one more', 9, 'new', at(10))
  expect([table.hasRoom('small', at(11)), table.hasRoom('new', at(11))]).toEqual([false, false])
})

test('an entry that is replaced keeps its source and needs no room', () => {
  const table = full()
  table.set('entry 3', 33, 'small', at(10))
  expect([table.size, table.get('entry 3', at(10)), table.get('entry 0', at(10))]).toEqual([4, 33, 0])
})
