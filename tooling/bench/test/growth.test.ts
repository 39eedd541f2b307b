import { describe, expect, test } from 'vitest'
import { connectionsTable } from '../src/connections.ts'
import { framesTable, memoryTable } from '../src/growth.ts'
import { visitsOf } from '../src/visits.ts'

const usage = (mib: number) => ({ rss: 2 * mib * 2 ** 20, used: mib * 2 ** 20 })
const report = { before: usage(10), bound: usage(30), open: usage(35), peak: 0, random: [4, 9, 6], few: [2, 3, 3] }
const size = { bindings: 2048, frames: 12, report }

describe('growth of a relay', () => {
  test('the cost of a frame is compared within each round', () => {
    const [row] = framesTable([size]).rows
    expect(row?.cells).toMatchObject([{ median: 2 }, { median: 4 }, { times: 2 }])
  })

  test('what a binding and a session take is what is in use once they are there', () => {
    const [row] = memoryTable([size]).rows
    expect(row?.cells.slice(-2)).toMatchObject([{ median: 10_240 }, { median: 5120 }])
  })
})

test('what an idle connection takes is what each more than the first brings', () => {
  const [one, many] = connectionsTable([
    { connections: 1, usage: usage(10), share: 0.01 },
    { connections: 101, usage: usage(20), share: 0.505 },
  ]).rows
  expect(one?.cells.slice(2)).toMatchObject(['', { median: 1 }, { median: 1 }])
  expect(many?.cells.slice(2)).toMatchObject([{ median: 104_857.6 }, { median: 50.5 }, { median: 0.5 }])
})

describe('visits', () => {
  test('at random go to all sessions, about equally often, and are the same in every run', () => {
    const { indexes, count } = visitsOf(10, 10_000)
    const visits = new Array<number>(10).fill(0)
    for (const index of indexes) visits[index] = (visits[index] as number) + 1
    expect(count).toBe(10_000)
    for (const each of visits) expect(Math.abs(each - 1000)).toBeLessThan(200)
    expect(visitsOf(10, 10_000).indexes).toEqual(indexes)
  })
})
