/** `pnpm soak:fleet`: one large fleet whose nodes die and whose bus splits, and very many peers that are introduced. */
import { randomInt } from 'node:crypto'
import { fleetSoak } from '@showchain/testkit'
import { Command } from 'commander'

const command = new Command('soak:fleet')
  .description('Introduces light peers by a fleet of relays, while nodes die and their bus splits.')
  .option('--nodes <number>', 'relays', Number, 50)
  .option('--peers <number>', 'peers', Number, 20_000)
  .option('--introductions <number>', 'pairs that are introduced', Number, 20_000)
  .option('--seed <seed>', 'of the run (default: a random one)', Number)
  .option('--no-faults', 'nothing dies: what an introduction costs')
  .showHelpAfterError()
  .parse()
const { seed = randomInt(2 ** 31), ...options } = command.opts<{
  nodes: number
  peers: number
  introductions: number
  seed?: number
  faults: boolean
}>()
console.log(`seed ${seed}`)
const started = performance.now()
const outcome = fleetSoak(seed, options)
console.log(JSON.stringify({ ...options, ...outcome, seconds: Math.round((performance.now() - started) / 1000) }))
process.exitCode = outcome.introduced === 1 && outcome.left === 0 ? 0 : 1
