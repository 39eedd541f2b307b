/** `pnpm natlab`: connects the built programs through the kernel's NATs. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { Command } from 'commander'
import { Lab } from './lab.ts'
import { missing } from './machine.ts'
import { lacks, type Result, World } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'

interface Options {
  readonly list: boolean
  readonly keep: boolean
  readonly json: boolean
  readonly pcap: boolean
}

const BAD_ARGUMENTS = 2

const command = new Command('natlab')
  .description('Connects the built programs through NATs of the Linux kernel, in network namespaces. Needs root.')
  .argument('[names...]', 'scenarios, or prefixes of their names (default: all)')
  .option('--list', 'list the scenarios', false)
  .option('--keep', 'keep the lab running at the end, and print how to enter it', false)
  .option('--pcap', 'capture the public segment to one file per scenario', false)
  .option('--json', 'print one JSON object a line', false)
  .showHelpAfterError()
  .parse()
const options = command.opts<Options>()
const chosen = SCENARIOS.filter(
  ({ name }) => command.args.length === 0 || command.args.some((given) => name.startsWith(given)),
)

if (options.list) {
  const width = 1 + Math.max(...SCENARIOS.map(({ name }) => name.length))
  for (const { name, title } of SCENARIOS) console.log(`${name.padEnd(width)}${title}`)
  process.exit()
}
if (chosen.length === 0) {
  console.error(`natlab: there is no scenario "${command.args.join(' ')}"; --list names them.`)
  process.exit(BAD_ARGUMENTS)
}
const why = missing()
if (why !== undefined) {
  console.error(`natlab: ${why}.`)
  process.exit(BAD_ARGUMENTS)
}

const lab = new Lab()
const print = (line: string): void => {
  if (!options.json) console.log(line)
}
const results: Result[] = []
const captures = join(tmpdir(), `${lab.names.run}-pcap`)
const stop = async (): Promise<void> => {
  if (!options.keep) return lab.close()
  lab.names.keep()
  console.log(`The lab is still running. Namespaces: ip netns list | grep ${lab.names.run}`)
  console.log(`A shell in one: ip netns exec ${lab.names.nameOf('router1')} bash`)
  console.log(
    `Clean up: for n in $(ip netns list | grep -o '${lab.names.run}[^ ]*'); do ip netns pids $n | xargs -r kill; ip netns delete $n; done`,
  )
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop().then(() => process.exit(1)))

try {
  print(`lab ${lab.names.run}: two routers of each NAT type, each verified by coturn's natdiscovery …`)
  const world = await World.open(lab)
  for (const scenario of chosen) {
    const lacking = lacks(scenario)
    if (lacking !== undefined) {
      console.error(`SKIPPED ${scenario.title}: ${lacking}`)
      continue
    }
    const capture = options.pcap ? lab.capture(captures, scenario.name) : undefined
    const result = await world.play(scenario)
    await capture?.ended
    results.push(result)
    if (options.json) console.log(JSON.stringify({ event: 'scenario', ...result }))
    else print(`${result.ok ? 'ok  ' : 'FAIL'} ${result.title}: ${result.seen} (${result.seconds} s)`)
  }
} finally {
  await stop()
}
if (options.pcap) print(`Captures of the public segment: ${captures}`)
if (!options.json) {
  const table = new Table({ head: ['scenario', '', 's', 'seen'], style: { head: [], border: [] } })
  for (const { title, ok, seconds, seen } of results)
    table.push([title, ok ? 'ok' : 'FAIL', seconds, seen.split('\n')[0] ?? ''])
  console.log(`\n${table}`)
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
