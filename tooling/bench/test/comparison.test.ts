import { describe, expect, test } from 'vitest'
import { compareRounds, type Run } from '../src/comparison.ts'
import { type Cell, figure, type Unit } from '../src/figures.ts'

const run = (value: number, unit: Unit, names = { row: 'row', column: 'time' }): Run => [
  {
    title: 'Title',
    columns: ['what', names.column, 'word', 'times'],
    rows: [{ name: names.row, cells: [figure([value], unit), 'word', { times: 2 }] }],
    references: ['other'],
    notes: [],
  },
]

describe('a comparison of two checkouts', () => {
  test.each([
    ['ns', 100, 80, 1.25],
    ['µs', 80, 100, 0.8],
    ['/s', 100, 125, 1.25],
    ['MB/s', 100, 80, 0.8],
  ] as const)('gives the ratio of speed: %s from %d to %d is %d', (unit, before, after, ratio) => {
    expect(compareRounds([{ base: run(before, unit), head: run(after, unit) }])).toMatchObject([
      { table: 'Title', row: 'row', column: 'time', unit, base: before, head: after, ratio, reference: false },
    ])
  })

  test('takes the median of the ratios of each round, so that a slow round does not count', () => {
    const rounds = [
      { base: run(100, 'ns'), head: run(100, 'ns') },
      { base: run(300, 'ns'), head: run(300, 'ns') },
      { base: run(100, 'ns'), head: run(400, 'ns') },
    ]
    expect(compareRounds(rounds)).toMatchObject([{ ratio: 1, ratios: [1, 1, 0.25] }])
  })

  test('pairs figures by position, since rows may have new names, and knows the rows and columns of other code', () => {
    const renamed = { base: run(2, 'ns'), head: run(1, 'ns', { row: 'new name', column: 'time' }) }
    expect(compareRounds([renamed])).toMatchObject([{ row: 'new name', ratio: 2 }])
    const row = { base: run(2, 'ns'), head: run(1, 'ns', { row: 'other', column: 'time' }) }
    expect(compareRounds([row])).toMatchObject([{ reference: true }])
    const column = { base: run(2, 'ns'), head: run(1, 'ns', { row: 'row', column: 'other' }) }
    expect(compareRounds([column])).toMatchObject([{ reference: true }])
  })

  test('has the geometric mean of a column of many rows, without those of other code', () => {
    const many = (values: readonly number[]): Run =>
      run(1, 'ns').map((table) => ({
        ...table,
        rows: values.map((value, index) => ({
          name: index === 0 ? 'other' : `row ${index}`,
          cells: [figure([value], 'ns')],
        })),
      }))
    const found = compareRounds([{ base: many([1, 2, 2, 8, 8]), head: many([9, 1, 1, 8, 8]) }])
    expect(found).toHaveLength(6)
    expect(found.at(-1)).toMatchObject({ row: 'geometric mean of 4 rows', reference: false })
    expect(found.at(-1)?.base).toBeCloseTo(4)
    expect(found.at(-1)?.ratio).toBeCloseTo(Math.SQRT2)
  })

  test('is refused when the tables have different shapes', () => {
    const [table] = run(1, 'ns')
    const cells: readonly Cell[] = [figure([1], 'ns')]
    const head = [{ ...(table as Run[number]), rows: [{ name: 'row', cells }] }]
    expect(() => compareRounds([{ base: run(1, 'ns'), head }])).toThrow(/different shapes/)
  })
})
