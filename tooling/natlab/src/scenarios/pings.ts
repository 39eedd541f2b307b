/** `showchain ping` says by its exit code which path the simulator foresees, and why it is not direct. */
import type { NatKind } from '../rules.ts'
import type { Scenario } from '../scenario.ts'
import { type PathKind, simulatedPair } from '../simulated.ts'

/** Of `showchain ping`. */
const EXIT_CODES: { readonly [Kind in PathKind]: number } = { direct: 0, relay: 4 }
const UNREACHABLE = 3

const ping = (kind: NatKind): Scenario => ({
  name: `ping-${kind}-${kind}`.toLowerCase(),
  title: `showchain ping --until-direct, ${kind} → ${kind}`,
  async run(world) {
    const path = await simulatedPair(kind, kind)
    const [from, to] = world.hosts(kind, kind)
    const { ticket } = await world.lab.listen(to, [world.relay])
    const program = world.lab.ping(from, ticket, ['--until-direct'])
    const code = await program.ended
    const summary = program.events.find(({ event }) => event === 'pings')
    const text = String(summary?.text).replaceAll('\n', '; ')
    if (code !== EXIT_CODES[path] || summary?.lost !== 0)
      throw new Error(`${path}, as simulated, but it exited with ${code}: ${text}\n${program.transcript()}`)
    return `${path}, as simulated, exit code ${code}; ${text}${summary.why === undefined ? '' : `; ${summary.why}`}`
  },
})

export const PINGS: readonly Scenario[] = [
  ping('T3'),
  ping('T4'),
  {
    name: 'ping-nobody',
    title: 'showchain ping of a peer that is not there',
    async run(world) {
      const [from, to] = world.hosts('T3', 'T3')
      const { program: listener, ticket } = await world.lab.listen(to, [world.relay])
      await listener.kill('SIGKILL')
      const program = world.lab.ping(from, ticket, ['--timeout', '5'])
      const code = await program.ended
      if (code !== UNREACHABLE) throw new Error(`it exited with ${code}\n${program.transcript()}`)
      return `exit code ${code}: ${program.events.at(-1)?.text}`
    },
  },
]
