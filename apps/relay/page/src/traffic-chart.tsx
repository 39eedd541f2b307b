/** Forwarded bytes over the last hour: a chart, and the same as a table for those who do not see it. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Status } from '../../src/status-shape.ts'
import { scaled } from './figures.ts'

const HEIGHT = 240
const HOUR = 3600
/** Rows of the table: five minutes each. */
const ROW_SECONDS = 300

type History = Status['history']
type Columns = [number[], number[], number[]]

const columnsOf = ({ endsAt, stepSeconds, in: came, out }: History): Columns => [
  out.map((_, index) => endsAt - (out.length - 1 - index) * stepSeconds),
  [...came],
  [...out],
]

function chartIn(element: HTMLElement, columns: Columns): uPlot {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  const clock = (unix: number): string =>
    new Date(unix * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  const rate = (value: number | null): string => (value === null ? '–' : scaled(value, 'B/s'))
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      cursor: { y: false },
      legend: { live: true },
      scales: {
        x: { range: (_, _low, high) => [high - HOUR, high] },
        y: { range: (_, _low, high) => [0, Math.max(high * 1.1, 1000)] },
      },
      axes: [
        { ...axis, values: (_, splits) => splits.map(clock) },
        { ...axis, size: 80, values: (_, splits) => splits.map((value) => rate(value)) },
      ],
      series: [
        { label: 'until', value: (_, unix) => (unix === null ? '–' : clock(unix)) },
        { label: 'from peers', stroke: colour('--first'), width: 2, value: (_, value) => rate(value) },
        { label: 'to peers', stroke: colour('--second'), width: 2, dash: [6, 4], value: (_, value) => rate(value) },
      ],
    },
    columns,
    element,
  )
}

export function TrafficChart({ history }: { readonly history: History }) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const columns = columnsOf(history)
  const latest = useRef(columns)
  latest.current = columns
  useEffect(() => {
    const element = place.current as HTMLDivElement
    const draw = (): void => {
      chart.current?.destroy()
      chart.current = chartIn(element, latest.current)
    }
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const resized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }))
    draw()
    resized.observe(element)
    dark.addEventListener('change', draw)
    return () => {
      resized.disconnect()
      dark.removeEventListener('change', draw)
      chart.current?.destroy()
    }
  }, [])
  useEffect(() => chart.current?.setData(columns), [history])
  return (
    <section aria-labelledby="traffic">
      <h2 id="traffic">Forwarded in the last hour</h2>
      <div
        ref={place}
        class="chart"
        role="img"
        aria-label="A chart of the bytes that were forwarded; the table below has the same figures."
      />
      <details>
        <summary>The same as a table</summary>
        <TrafficTable history={history} columns={columns} />
      </details>
    </section>
  )
}

function TrafficTable({
  history,
  columns: [times, came, out],
}: {
  readonly history: History
  readonly columns: Columns
}) {
  const each = Math.max(1, Math.round(ROW_SECONDS / history.stepSeconds))
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const rows: { readonly until: number; readonly came: number; readonly out: number }[] = []
  for (let end = times.length; end > 0; end -= each) {
    const from = Math.max(0, end - each)
    rows.push({ until: times[end - 1] as number, came: mean(came.slice(from, end)), out: mean(out.slice(from, end)) })
  }
  return (
    <div class="scroll">
      <table>
        <caption>Mean of up to five minutes each, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">until</th>
            <th scope="col" class="number">
              from peers
            </th>
            <th scope="col" class="number">
              to peers
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.until}>
              <th scope="row">{new Date(row.until * 1000).toLocaleTimeString()}</th>
              <td class="number">{scaled(row.came, 'B/s')}</td>
              <td class="number">{scaled(row.out, 'B/s')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
