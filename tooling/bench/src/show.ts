/** Tables for people: medians, spreads and ratios. */
import Table from 'cli-table3'
import type { Cell, Figure, FigureTable } from './figures.ts'

/** Behind the point, as `toLocaleString` takes them. */
const MAX_DIGITS = 20

export function showTable({ title, columns, rows, notes }: FigureTable): string {
  const table = new Table({
    head: [...columns],
    colAligns: columns.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  })
  for (const { name, cells } of rows) table.push([name, ...cells.map(showCell)])
  return [title, table.toString(), ...notes.map((note) => `  ${note}`)].join('\n')
}

function showCell(cell: Cell): string {
  if (typeof cell === 'string') return cell
  if ('times' in cell) return `${significant(cell.times)} ×`
  return showFigure(cell)
}

/** The spread is omitted when there is one sample. */
function showFigure({ median, spread, samples, unit }: Figure): string {
  if (Number.isNaN(median)) return significant(median)
  const value = `${significant(median)}${unit === '/s' || unit === '%' ? '' : ' '}${unit}`
  return samples.length === 1 ? value : `${value} ±${Math.round(spread * 100)}%`
}

/** Three significant digits: more than a shared machine repeats. Where nothing came, a dash. */
export function significant(value: number): string {
  if (Number.isNaN(value)) return '–'
  if (value === 0) return '0'
  const digits = Math.min(MAX_DIGITS, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))))
  return Number(value.toPrecision(3)).toLocaleString('en', {
    minimumFractionDigits: Math.min(digits, 2),
    maximumFractionDigits: digits,
  })
}
