/** 8 MiB there and back, while things happen. */
import { createHash, randomBytes } from 'node:crypto'
import { duration } from '@showchain/client/core'
import { nat } from '@showchain/testkit'
import type { NatKind } from '../rules.ts'
import { isOn, isPath, meet, type Pair, type PathEvent, part, type Scenario, type World } from '../scenario.ts'
import { foreseen, type PathKind, simulated } from '../simulated.ts'
import { type Disturbance, FILE_BYTES, transfer } from '../transfer.ts'

const MIB = 1024 * 1024

/** Waits until both ends are, or are again, on the path. */
async function settled({ caller, listener }: Pair, path: PathKind): Promise<void> {
  const other = path === 'direct' ? 'relay' : 'direct'
  for (const program of [caller, listener])
    if (program.events.findLastIndex(isOn(other)) > program.events.findLastIndex(isOn(path)))
      await program.next(`its path is ${path} again`, isOn(path))
}

/** A transfer over a pair that is on the path, and is on it again in the end whatever happens in between. */
async function played(
  pair: Pair,
  path: PathKind,
  bytes: number,
  ...disturbances: readonly Disturbance[]
): Promise<string> {
  const started = performance.now()
  const hash = await transfer(pair, bytes, ...disturbances)
  const seconds = (performance.now() - started) / 1000
  await settled(pair, path)
  const paths = pair.caller.events.filter(({ event }) => event === 'path').length
  await part(pair)
  const rate = ((2 * bytes) / MIB / seconds).toFixed(1)
  return `${path}, as simulated, after ${paths} changes; ${bytes / MIB} MiB each way, SHA-256 ${hash.slice(0, 8)}… at both ends; ${rate} MiB/s`
}

const hosts = (world: World, a: NatKind, b: NatKind) =>
  [world.lab.host(world.side('a', a)), world.lab.host(world.side('b', b))] as const

const relayRestart = (how: 'SIGTERM' | 'SIGKILL'): Scenario => ({
  name: how === 'SIGTERM' ? 'relay-restart' : 'relay-kill',
  title: `the relay is ended by ${how} in mid-transfer and started again`,
  async run(world) {
    const path = await foreseen({ behind: [nat.T4(), nat.T4()], happen: ({ relays }) => relays[0]?.restart() })
    const relay = await world.lab.relay(1)
    const pair = await meet(world, ...hosts(world, 'T4', 'T4'), path, [relay.ticket])
    let { program } = relay
    const seen = await played(pair, path, FILE_BYTES, {
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

const quiet = (a: 'T3' | 'T4', b: 'T3' | 'T4'): Scenario => ({
  name: `transfer-${a}-${b}`.toLowerCase(),
  title: `a file between ${a} and ${b}`,
  async run(world) {
    const path = await simulated(a, b)
    return played(await meet(world, ...hosts(world, a, b), path), path, FILE_BYTES)
  },
})

/** One stream, fed while the path moves; what is left of it goes at full speed. */
const STREAM_BYTES = 64 * MIB
const PIECE_BYTES = 64 * 1024
/** About 2.5 MB/s while it moves. */
const PIECE_MS = 25

async function streamWhileMoving(world: World): Promise<string> {
  const [here, there] = [await world.router({ kind: 'T3' }), world.side('b', 'T3')]
  here.cut(there.wan)
  const { program: listener, ticket } = await world.lab.listen(world.lab.host(there), [world.relay], { pipe: true })
  const caller = world.lab.connect(world.lab.host(here), ticket, { pipe: true })
  const [sent, received] = [createHash('sha256'), createHash('sha256')]
  let [sentBytes, receivedBytes] = [0, 0]
  listener.child.stdout?.on('data', (chunk: Buffer) => {
    received.update(chunk)
    receivedBytes += chunk.length
  })
  caller.child.stdout?.resume()
  listener.child.stdin?.end()
  const feed = async (): Promise<void> => {
    const piece = randomBytes(PIECE_BYTES)
    sent.update(piece)
    sentBytes += piece.length
    if (caller.child.stdin?.write(piece) === false) await caller.reads()
  }
  let moving = true
  const feeding = (async () => {
    while (moving && sentBytes < STREAM_BYTES - PIECE_BYTES) {
      await feed()
      await new Promise((resolve) => setTimeout(resolve, PIECE_MS))
    }
  })()
  await caller.until('it is relayed', isOn('relay'))
  here.mend()
  await caller.until('it is direct', isOn('direct'))
  here.cut(there.wan)
  await caller.next('it is relayed again', isOn('relay'))
  moving = false
  await feeding
  while (sentBytes < STREAM_BYTES) await feed()
  caller.child.stdin?.end()
  const codes = await Promise.all([caller.ended, listener.ended])
  here.mend()
  const [ours, theirs] = [sent.digest('hex'), received.digest('hex')]
  if (codes.some((code) => code !== 0) || ours !== theirs)
    throw new Error(
      `ended with ${codes}; ${receivedBytes} of ${sentBytes} bytes; ${ours} ${theirs}\n${caller.said()}\n${listener.said()}`,
    )
  const paths = caller.events.filter(isPath).map(({ path }) => path.kind)
  return `${paths.join(' → ')}; one stream of ${sentBytes / MIB} MiB, SHA-256 ${ours.slice(0, 8)}… at both ends`
}

const NARROW_MTU = 1400

/** The caller's router answers what is too large with "fragmentation needed" on its way out, and drops it in silence on its way in. */
async function narrow(world: World): Promise<string> {
  const path = await simulated('T3', 'T2')
  const router = await world.router({ kind: 'T3', mtu: NARROW_MTU })
  const [from, to] = [world.lab.host(router), world.lab.host(world.side('b', 'T2'))]
  const seen = await played(await meet(world, from, to, path), path, FILE_BYTES)
  const cut = world.lab.fragmented(from, to)
  if (cut !== 0) throw new Error(`${cut} fragments: packets larger than the path takes were sent all the time`)
  return `${seen}; no packet was cut`
}

export const TRANSFERS: readonly Scenario[] = [
  {
    name: 'stream',
    title: 'a stream of 64 MiB while the path moves from the relay to direct and back',
    run: streamWhileMoving,
  },
  quiet('T3', 'T3'),
  quiet('T4', 'T4'),
  {
    name: 'expiry',
    title: 'mappings that end after 6 s, long before a keep-alive is due',
    async run(world) {
      const short = nat.T2({ lifetime: duration(6000) })
      const path = await foreseen({ behind: [short, short] })
      const [here, there] = [
        await world.router({ kind: 'T2', mappingSeconds: 6 }),
        await world.router({ kind: 'T2', mappingSeconds: 6 }),
      ]
      const pair = await meet(world, world.lab.host(here), world.lab.host(there), path)
      // The kernel tells nobody that a mapping is gone.
      while (here.mapped && there.mapped) await new Promise((resolve) => setTimeout(resolve, 250))
      return played(pair, path, FILE_BYTES)
    },
  },
  {
    name: 'reboot',
    title: 'a router reboots in mid-transfer: every mapping is gone',
    async run(world) {
      const path = await foreseen({ behind: [nat.T3(), nat.T3()], happen: ({ routers }) => routers[0].reboot() })
      const router = await world.router({ kind: 'T3' })
      const pair = await meet(world, world.lab.host(router), world.lab.host(world.side('b', 'T3')), path)
      return played(pair, path, FILE_BYTES, { at: 0.3, happen: () => router.reboot() })
    },
  },
  {
    name: 'renumber',
    title: 'a router gets another address in mid-transfer',
    async run(world) {
      const path = await foreseen({
        behind: [nat.T2(), nat.T3()],
        happen: ({ routers }) => routers[0].renumber('81.3.0.9'),
      })
      const router = await world.router({ kind: 'T2' })
      const pair = await meet(world, world.lab.host(router), world.lab.host(world.side('b', 'T3')), path)
      return played(pair, path, FILE_BYTES, { at: 0.3, happen: () => router.renumber(world.lab.freeAddress()) })
    },
  },
  relayRestart('SIGTERM'),
  relayRestart('SIGKILL'),
  {
    name: 'second-relay',
    title: 'the relay in use is killed in mid-transfer, and there is another one',
    async run(world) {
      const path = await foreseen({
        behind: [nat.T4(), nat.T4()],
        relays: 2,
        happen: ({ relays }) => relays[0]?.kill(),
      })
      const relays = [await world.lab.relay(1), await world.lab.relay(2)]
      const pair = await meet(
        world,
        ...hosts(world, 'T4', 'T4'),
        path,
        relays.map(({ ticket }) => ticket),
      )
      const used = (): (typeof relays)[number] => {
        const { remote } = (pair.caller.events.findLast(isPath) as PathEvent).path
        return relays.find(({ ticket }) => ticket.includes(`=${remote.ip}:`)) as (typeof relays)[number]
      }
      const first = used()
      const seen = await played(pair, path, FILE_BYTES, { at: 0.3, happen: () => first.program.kill('SIGKILL') })
      const second = used()
      if (first === second) throw new Error('the path still goes through the relay that was killed')
      await second.program.kill()
      return seen
    },
  },
  {
    name: 'narrow',
    title: `a router whose way out takes IP packets of ${NARROW_MTU} bytes`,
    run: narrow,
  },
  {
    name: 'loss',
    title: 'both routers lose 20 % each way',
    async run(world) {
      const path = await foreseen({ behind: [nat.T3(), nat.T2()], loss: 36 })
      const [here, there] = [await world.router({ kind: 'T3', loss: 20 }), await world.router({ kind: 'T2', loss: 20 })]
      const pair = await meet(world, world.lab.host(here), world.lab.host(there), path)
      return played(pair, path, FILE_BYTES)
    },
  },
]
