/** Simultaneous dials and simultaneous registrations. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateIdentity, saveIdentity } from '@showchain/crypto'
import { nat } from '@showchain/testkit'
import { NAT_KINDS } from '../rules.ts'
import { endPair, isOn, type Scenario } from '../scenario.ts'
import { simulatedPath } from '../simulated.ts'

const PEERS = 1000
const CROWD = fileURLToPath(new URL('../../dist/crowd-process.js', import.meta.url))

export const CROWDS: readonly Scenario[] = [
  {
    name: 'glare',
    title: 'both peers dial at once',
    async run(world) {
      const { lab, relay } = world
      const path = await simulatedPath({ behind: [nat.T3(), nat.T3()], glare: true })
      const sides = await Promise.all(
        (['a', 'b'] as const).map(async (side) => {
          const identity = await generateIdentity()
          const file = join(lab.folder, `glare-${side}.pem`)
          await saveIdentity(identity, file)
          const [id, address] = (/^showchain:(.*)\?addr=(.*)$/.exec(relay) as RegExpExecArray).slice(1)
          return {
            host: lab.host(world.side(side, 'T3')),
            file,
            ticket: `showchain:${identity.id}?relay=${id}@${address}`,
          }
        }),
      )
      const [a, b] = sides as [(typeof sides)[number], (typeof sides)[number]]
      const dial = ({ host, file }: typeof a, ticket: string) =>
        lab.connect(host, ticket, { args: ['--identity', file, '--linger', '3600'] })
      const [caller, listener] = [dial(a, b.ticket), dial(b, a.ticket)]
      for (const program of [caller, listener]) await program.until(`its path is ${path}`, isOn(path))
      caller.writeLine('from a')
      listener.writeLine('from b')
      await listener.until('it received the line of a', ({ text }) => text === 'from a')
      await caller.until('it received the line of b', ({ text }) => text === 'from b')
      const connections = [caller, listener].map(
        ({ events }) => events.filter(({ event }) => event === 'connected').length,
      )
      if (connections.join() !== '1,1') throw new Error(`there are ${connections.join(' and ')} connections`)
      await endPair({ caller, listener })
      return `one connection, ${path}, as simulated`
    },
  },
  {
    name: 'crowd',
    title: `${PEERS} peers register at once from behind four NATs`,
    async run(world) {
      const crowds = NAT_KINDS.map((kind) => {
        const host = world.lab.host(world.side('a', kind))
        return world.lab.start(`crowd ${kind}`, host.name, [
          ...[process.execPath, CROWD, String(PEERS / NAT_KINDS.length), world.relay],
        ])
      })
      await Promise.all(crowds.map((crowd) => crowd.until('its keys are generated', ({ event }) => event === 'ready')))
      const started = performance.now()
      for (const crowd of crowds) crowd.writeLine('go')
      await Promise.all(crowds.map((crowd) => crowd.until('all are registered', ({ event }) => event === 'registered')))
      const seconds = (performance.now() - started) / 1000
      await Promise.all(crowds.map((crowd) => crowd.kill('SIGKILL')))
      return `all registered after ${seconds.toFixed(1)} s`
    },
  },
]
