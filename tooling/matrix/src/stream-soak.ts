/**
 * `pnpm soak:streams`: a lot of bytes on streams, while packets are lost, NATs rebind and the relay
 * dies.
 */
import { randomInt } from 'node:crypto'
import { streamSoak } from '@showchain/testkit'
import { Command } from 'commander'

const command = new Command('soak:streams')
  .description('Sends streams through loss, rebinding NATs and a dying relay, and checks every byte.')
  .option('--bytes <number>', 'in total', Number, 1e9)
  .option('--loss <percent>', 'of packets on every public hop', Number, 20)
  .option('--seed <seed>', 'of the simulation', String(randomInt(2 ** 31)))
  .showHelpAfterError()
  .parse()
const { bytes, loss, seed } = command.opts<{ bytes: number; loss: number; seed: string }>()

console.log(`seed ${seed}; replay: pnpm soak:streams --bytes ${bytes} --loss ${loss} --seed ${seed}`)

const MEGABYTE = 1e6
/** A line of progress after so many. */
const STEP = 50 * MEGABYTE
const started = performance.now()
let told = 0
const seconds = (ms: number): string => (ms / 1000).toFixed(0)
const found = await streamSoak({
  ...{ seed, bytes, loss: loss / 100 },
  progress: (done, virtualMs) => {
    if (done - told < STEP) return
    told = done
    console.log(`${(done / MEGABYTE).toFixed(0)} MB after ${seconds(virtualMs)} virtual seconds`)
  },
})
console.log(
  `${found.bytes.toLocaleString('en')} bytes on ${found.streams} streams in ${seconds(found.virtualMs)} virtual seconds (${seconds(performance.now() - started)} s): ` +
    `${found.rebindings} NATs rebound, the relay died ${found.relayDeaths} times, the path moved ${found.moves} times. 0 bytes lost, doubled, out of place or altered.`,
)
