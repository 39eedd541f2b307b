/**
 * `pnpm goodput`: what a stream gets of a line, beside what the line has, by congestion controller.
 */
import { Bbr, type CongestionFactory, Cubic, duration } from '@showchain/client/core'
import { goodput, type LineShape } from '@showchain/testkit'
import Table from 'cli-table3'
import { Command } from 'commander'

const command = new Command('goodput')
  .description('Goodput of one stream on simulated lines, beside their capacity.')
  .option('--json', 'one object a line')
  .option('--seconds <number>', 'virtual time of warming up, and of measuring', Number, 5)
  .showHelpAfterError()
  .parse()
const { json = false, seconds } = command.opts<{ json?: boolean; seconds: number }>()
const time = duration(seconds * 1000)

const LINES: readonly LineShape[] = [
  { rtt: 20, rate: 1e9 },
  { rtt: 20, rate: 1e9, loss: 0.01 },
  { rtt: 20, rate: 100e6, loss: 0.01 },
  { rtt: 50, rate: 50e6, loss: 0.03 },
  { rtt: 200, rate: 100e6 },
  { rtt: 1, rate: 1e9 },
  { rtt: 1, rate: 1e6 },
  { rtt: 300, rate: 1e6 },
  { rtt: 100, rate: 10e6, loss: 0.2 },
]
const CONTROLLERS: Readonly<Record<string, CongestionFactory>> = {
  cubic: (packet) => new Cubic(packet),
  bbr: (packet) => new Bbr(packet),
}

const name = ({ rtt, rate, loss = 0 }: LineShape): string =>
  `${rtt} ms, ${rate / 1e6} Mbit/s${loss === 0 ? '' : `, ${loss * 100} % lost`}`
const cell = (got: number, rate: number): string => `${(got / 1e6).toFixed(1)} (${((100 * got) / rate).toFixed(0)} %)`

const table = new Table({ head: ['line', 'capacity, Mbit/s', ...Object.keys(CONTROLLERS)], style: { head: [] } })
for (const line of LINES) {
  const found: Record<string, number> = {}
  for (const [controller, congestion] of Object.entries(CONTROLLERS))
    found[controller] = await goodput({ seed: 'goodput', line, congestion, warmUp: time, measure: time })
  if (json) console.log(JSON.stringify({ ...line, ...found }))
  else table.push([name(line), line.rate / 1e6, ...Object.values(found).map((got) => cell(got, line.rate))])
}
if (!json)
  console.log(
    `${table.toString()}\nOf each datagram of 1452 bytes, 1411 at most are the stream's, and 28 more are IP's and UDP's: 95 % is all there is.`,
  )
