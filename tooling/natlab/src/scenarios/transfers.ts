/** 8 MiB there and back, while things happen. */
import { isOn, meet, type Pair, part, type Scenario, type World } from '../scenario.ts'
import { type Disturbance, FILE_BYTES, transfer } from '../transfer.ts'

const MIB = 1024 * 1024

/** How the caller's last path was. */
const lastPath = ({ caller }: Pair): string => {
  const direct = caller.events.findLastIndex(isOn('direct'))
  return direct > caller.events.findLastIndex(isOn('relay')) ? 'direct' : 'relay'
}

async function played(
  pair: Pair,
  what: string,
  bytes: number,
  ...disturbances: readonly Disturbance[]
): Promise<string> {
  const started = performance.now()
  const hash = await transfer(pair, bytes, ...disturbances)
  const seconds = (performance.now() - started) / 1000
  const paths = pair.caller.events.filter(({ event }) => event === 'path').length
  const path = lastPath(pair)
  await part(pair)
  const rate = ((2 * bytes) / MIB / seconds).toFixed(1)
  return `${what}; ${bytes / MIB} MiB each way, SHA-256 ${hash.slice(0, 12)}… at both ends; in the end ${path}, after ${paths} changes; ${rate} MiB/s`
}

const hosts = (world: World, a: 'T2' | 'T3' | 'T4', b: 'T2' | 'T3' | 'T4') =>
  [world.lab.host(world.side('a', a)), world.lab.host(world.side('b', b))] as const

const relayRestart = (how: 'SIGTERM' | 'SIGKILL'): Scenario => ({
  name: how === 'SIGTERM' ? 'relay-restart' : 'relay-kill',
  title: `the relay is ended by ${how} in mid-transfer and started again`,
  async run(world) {
    const relay = await world.lab.relay(1)
    const pair = await meet(world, ...hosts(world, 'T4', 'T4'), 'relay', [relay.ticket])
    let { program } = relay
    const seen = await played(pair, how, FILE_BYTES, {
      at: 0.3,
      async happen() {
        await program.kill(how)
        program = (await world.lab.relay(1)).program
      },
    })
    await program.kill()
    return seen
  },
})

export const TRANSFERS: readonly Scenario[] = [
  {
    name: 'transfer-direct',
    title: 'a file between T3 and T3',
    async run(world) {
      return played(await meet(world, ...hosts(world, 'T3', 'T3'), 'direct'), 'direct', FILE_BYTES)
    },
  },
  {
    name: 'transfer-relay',
    title: 'a file between T4 and T4',
    async run(world) {
      return played(await meet(world, ...hosts(world, 'T4', 'T4'), 'relay'), 'relayed', FILE_BYTES)
    },
  },
  {
    name: 'expiry',
    title: 'mappings that end after 6 s, long before a keep-alive is due',
    async run(world) {
      const [here, there] = [
        await world.router({ kind: 'T2', mappingSeconds: 6 }),
        await world.router({ kind: 'T2', mappingSeconds: 6 }),
      ]
      const pair = await meet(world, world.lab.host(here), world.lab.host(there), 'direct')
      while (here.mapped && there.mapped) await new Promise((resolve) => setTimeout(resolve, 250))
      return played(pair, 'a mapping was gone', FILE_BYTES)
    },
  },
  {
    name: 'reboot',
    title: 'a router reboots in mid-transfer: every mapping is gone',
    async run(world) {
      const router = world.side('a', 'T3')
      const pair = await meet(world, ...hosts(world, 'T3', 'T3'), 'direct')
      return played(pair, 'rebooted', FILE_BYTES, { at: 0.3, happen: () => router.reboot() })
    },
  },
  {
    name: 'renumber',
    title: 'a router gets another address in mid-transfer',
    async run(world) {
      const router = await world.router({ kind: 'T2' })
      const pair = await meet(world, world.lab.host(router), world.lab.host(world.side('b', 'T3')), 'direct')
      const seen = played(pair, 'another address', FILE_BYTES, {
        at: 0.3,
        happen: () => router.renumber(world.lab.freeAddress()),
      })
      return seen
    },
  },
  relayRestart('SIGTERM'),
  relayRestart('SIGKILL'),
  {
    name: 'second-relay',
    title: 'the relay in use is killed in mid-transfer, and there is another one',
    async run(world) {
      const second = await world.lab.relay(1)
      const first = await world.lab.relay(2)
      const pair = await meet(world, ...hosts(world, 'T4', 'T4'), 'relay', [first.ticket, second.ticket])
      const seen = await played(pair, 'killed', FILE_BYTES, {
        at: 0.3,
        async happen() {
          const { path } = pair.caller.events.findLast(isOn('relay')) as unknown as { path: { remote: { ip: string } } }
          const used =
            first.ticket.includes(`@${path.remote.ip}:`) || first.ticket.includes(`addr=${path.remote.ip}:`)
              ? first
              : second
          await used.program.kill('SIGKILL')
        },
      })
      await Promise.all([first.program.kill(), second.program.kill()])
      return seen
    },
  },
  {
    name: 'loss',
    title: 'both routers lose 20 % each way',
    async run(world) {
      const [here, there] = [await world.router({ kind: 'T3', loss: 20 }), await world.router({ kind: 'T2', loss: 20 })]
      const pair = await meet(world, world.lab.host(here), world.lab.host(there), 'direct')
      return played(pair, '36 % lost on the way', MIB / 4)
    },
  },
]
