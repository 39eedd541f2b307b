import { describe, expect, test } from 'vitest'
import { figure } from '../src/figures.ts'
import { showTable } from '../src/show.ts'

const shown = (cell: Parameters<typeof showTable>[0]['rows'][number]['cells'][number]): string =>
  showTable({ title: 'Title', columns: ['what', 'value'], rows: [{ name: 'row', cells: [cell] }], notes: ['note'] })

describe('tables', () => {
  test.each([
    [figure([612.4, 600, 620], 'ns'), '612 ns ±1%'],
    [figure([12_345], '/s'), '12,300/s'],
    [figure([0.1234], 'µs'), '0.123 µs'],
    [figure([5.4321], '%'), '5.43%'],
    [{ times: 0.8456 }, '0.846 ×'],
    [{ times: Number.NaN }, '– ×'],
    [figure([0], 'µs'), '0 µs'],
    [figure([-0.02], 'µs'), '-0.02 µs'],
    [figure([Number.NaN, Number.NaN], 'µs'), '–'],
    [figure([1e-30], 's'), '0.00 s'],
    ['too long', 'too long'],
  ])('%o is shown as "%s"', (cell, text) => {
    expect(shown(cell)).toMatch(new RegExp(`│ row +│ +${text.replace(/[/%]/g, '\\$&')} │`))
  })

  test('the title stands above and the notes below', () => {
    const lines = shown('x').split('\n')
    expect(lines[0]).toBe('Title')
    expect(lines.at(-1)).toBe('  note')
  })
})
