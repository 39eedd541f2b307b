/**
 * 8 MiB each way while a router, a relay or a peer is gone for a while: every byte comes, and the
 * gap is printed. And peers that are killed.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateIdentity, saveIdentity } from '@showchain/crypto'
import { nat } from '@showchain/testkit'
import type { Program } from '../program.ts'
import { connectPair, isPath, type PathEvent, type Scenario } from '../scenario.ts'
import { simulatedPair, simulatedPath } from '../simulated.ts'
import { FILE_BYTES, MIB, transferOn } from '../transfer.ts'

/** The share of the file that came before something happens. */
const AT = 0.3

const relayRestart = (name: string, how: 'SIGTERM' | 'SIGKILL', bytes: number): Scenario => ({
  name,
  title: `the relay is ended by ${how} during a transfer of ${bytes / MIB} MiB and started again`,
  async run(world) {
    const path = await simulatedPath({ behind: [nat.T4(), nat.T4()], happen: ({ relays }) => relays[0]?.restart() })
    const relay = await world.lab.relay(1)
    const pair = await connectPair(world, ...world.hosts('T4', 'T4'), path, [relay.ticket])
    let { program } = relay
    const seen = await transferOn(pair, path, bytes, {
      at: AT,
      async happen() {
        await program.kill(how)
        program = (await world.lab.relay(1)).program
      },
    })
    await program.kill()
    return seen
  },
})

const secondRelay: Scenario = {
  name: 'second-relay',
  title: 'the relay in use is killed during a transfer, and the peers have a second one',
  async run(world) {
    const path = await simulatedPath({
      behind: [nat.T4(), nat.T4()],
      relays: 2,
      happen: ({ relays }) => relays[0]?.kill(),
    })
    const relays = [await world.lab.relay(1), await world.lab.relay(2)]
    const pair = await connectPair(
      world,
      ...world.hosts('T4', 'T4'),
      path,
      relays.map(({ ticket }) => ticket),
    )
    const used = (): string => (pair.caller.events.findLast(isPath) as PathEvent).path.remote.ip
    const before = used()
    const first = relays.find(({ ticket }) => ticket.includes(`=${before}:`))
    const seen = await transferOn(pair, path, FILE_BYTES, {
      at: AT,
      happen: async () => first?.program.kill('SIGKILL'),
      // The last bytes may come by the other relay before the first one counts as dead.
      over: async () => pair.caller.until('it uses the other relay', () => used() !== before),
    })
    await relays.find((each) => each !== first)?.program.kill()
    return seen
  },
}

type Stopped = 'caller' | 'listener' | 'relay'

/** SIGSTOP is what a laptop's sleep is to a program; and a relay whose machine hangs. */
const stopped = (who: Stopped, seconds: number): Scenario => ({
  name: `stop-${who}-${seconds}`,
  title: `the ${who} is stopped for ${seconds} s during a transfer`,
  async run(world) {
    const kind = who === 'relay' ? 'T4' : 'T3'
    const path = await simulatedPair(kind, kind)
    const relay = await world.lab.relay(1)
    const pair = await connectPair(world, ...world.hosts(kind, kind), path, [relay.ticket])
    const { child } = who === 'relay' ? relay.program : pair[who]
    const seen = await transferOn(pair, path, FILE_BYTES, {
      at: AT,
      async happen() {
        child.kill('SIGSTOP')
        await sleep(seconds * 1000)
        child.kill('SIGCONT')
      },
    })
    await relay.program.kill()
    return seen
  },
})

/** Of silence while something was sent: a third of the default of `--dead-after`. */
const NOTICED_SECONDS = 10
/** For a busy machine. */
const SLACK_SECONDS = 5

const killed = (who: 'caller' | 'listener'): Scenario => ({
  name: `kill-${who}`,
  title: `the ${who} is killed during a transfer and started again`,
  async run(world) {
    const [from, to] = world.hosts('T3', 'T3')
    const identity = join(world.lab.folder, `kill-${who}.pem`)
    await saveIdentity(await generateIdentity(), identity)
    const deadAfter = ['--dead-after', String(3 * NOTICED_SECONDS)]
    const listen = async (): Promise<{ readonly program: Program; readonly ticket: string }> =>
      world.lab.listen(to, [world.relay], { args: ['--identity', identity, ...deadAfter] })
    let { program: listener, ticket } = await listen()
    let caller = world.lab.connect(from, ticket, { args: deadAfter })
    const line = 'x'.repeat(1000)
    const feeding = (async () => {
      while (caller.writeLine(line) || (await caller.drained()));
    })()
    await caller.until('a line came back', ({ event }) => event === 'message')
    const started = performance.now()
    if (who === 'caller') {
      await caller.kill('SIGKILL')
      await listener.until('the connection is over', ({ event }) => event === 'closed')
    } else {
      await listener.kill('SIGKILL')
      const code = await caller.ended
      if (code === 0) throw new Error(`the caller takes the transfer for whole\n${caller.transcript()}`)
    }
    const noticed = (performance.now() - started) / 1000
    if (noticed > NOTICED_SECONDS + SLACK_SECONDS) throw new Error(`noticed after ${noticed.toFixed(1)} s only`)
    await feeding
    if (who === 'listener') ({ program: listener, ticket } = await listen())
    const again = performance.now()
    caller = world.lab.connect(from, ticket, { args: [...deadAfter, '--linger', '3600'] })
    await caller.until('it is connected again', isPath)
    const connected = (performance.now() - again) / 1000
    const path = await simulatedPair('T3', 'T3')
    const seen = await transferOn({ caller, listener }, path, FILE_BYTES)
    return `noticed after ${noticed.toFixed(1)} s; connected again ${connected.toFixed(1)} s after the start; ${seen}`
  },
})

export const OUTAGES: readonly Scenario[] = [
  {
    name: 'reboot',
    title: 'a router reboots during a transfer and loses every mapping',
    async run(world) {
      const path = await simulatedPath({ behind: [nat.T3(), nat.T3()], happen: ({ routers }) => routers[0].reboot() })
      const router = await world.router({ kind: 'T3' })
      const pair = await connectPair(world, world.lab.host(router), world.lab.host(world.side('b', 'T3')), path)
      return transferOn(pair, path, FILE_BYTES, { at: AT, happen: () => router.reboot() })
    },
  },
  {
    name: 'renumber',
    title: 'a router gets a new address during a transfer',
    async run(world) {
      const path = await simulatedPath({
        behind: [nat.T2(), nat.T3()],
        happen: ({ routers }) => routers[0].renumber('81.3.0.9'),
      })
      const router = await world.router({ kind: 'T2' })
      const pair = await connectPair(world, world.lab.host(router), world.lab.host(world.side('b', 'T3')), path)
      return transferOn(pair, path, FILE_BYTES, { at: AT, happen: () => router.renumber(world.lab.freeAddress()) })
    },
  },
  relayRestart('relay-restart', 'SIGTERM', FILE_BYTES),
  relayRestart('relay-kill', 'SIGKILL', FILE_BYTES),
  relayRestart('relay-restart-64', 'SIGTERM', 64 * MIB),
  secondRelay,
  ...(['caller', 'listener', 'relay'] as const).flatMap((who) => [10, 30, 90].map((seconds) => stopped(who, seconds))),
  killed('caller'),
  killed('listener'),
]
