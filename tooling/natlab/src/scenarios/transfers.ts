/** Transfers over paths that are narrow, lossy, short-lived, or change. */
import { createHash, randomBytes } from 'node:crypto'
import { duration } from '@showchain/client/core'
import { nat } from '@showchain/testkit'
import { connectPair, isOn, isPath, type Scenario, type World } from '../scenario.ts'
import { simulatedPair, simulatedPath } from '../simulated.ts'
import { FILE_BYTES, MIB, transferOn } from '../transfer.ts'

const undisturbed = (a: 'T3' | 'T4', b: 'T3' | 'T4'): Scenario => ({
  name: `transfer-${a}-${b}`.toLowerCase(),
  title: `a file between ${a} and ${b}`,
  async run(world) {
    const path = await simulatedPair(a, b)
    return transferOn(await connectPair(world, ...world.hosts(a, b), path), path, FILE_BYTES)
  },
})

/** One stream, written slowly while the path changes; the rest of it at full speed. */
const STREAM_BYTES = 64 * MIB
const PIECE_BYTES = 64 * 1024
/** About 2.5 MB/s while the path changes. */
const PIECE_MS = 25

async function streamAcrossPaths(world: World): Promise<string> {
  const [here, there] = [await world.router({ kind: 'T3' }), world.side('b', 'T3')]
  here.partition(there.wan)
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
    if (caller.child.stdin?.write(piece) === false) await caller.drained()
  }
  let slow = true
  const feeding = (async () => {
    while (slow && sentBytes < STREAM_BYTES - PIECE_BYTES) {
      await feed()
      await new Promise((resolve) => setTimeout(resolve, PIECE_MS))
    }
  })()
  await caller.until('it is relayed', isOn('relay'))
  here.heal()
  await caller.until('it is direct', isOn('direct'))
  here.partition(there.wan)
  await caller.next('it is relayed again', isOn('relay'))
  slow = false
  await feeding
  while (sentBytes < STREAM_BYTES) await feed()
  caller.child.stdin?.end()
  const codes = await Promise.all([caller.ended, listener.ended])
  here.heal()
  const [ours, theirs] = [sent.digest('hex'), received.digest('hex')]
  if (codes.some((code) => code !== 0) || ours !== theirs)
    throw new Error(
      `exited with ${codes}; ${receivedBytes} of ${sentBytes} bytes; ${ours} ${theirs}\n${caller.transcript()}\n${listener.transcript()}`,
    )
  const paths = caller.events.filter(isPath).map(({ path }) => path.kind)
  return `${paths.join(' → ')}; one stream of ${sentBytes / MIB} MiB, SHA-256 ${ours.slice(0, 8)}… at both peers`
}

const NARROW_MTU = 1400

/** The caller's router has a small MTU: see `RouterOptions.mtu`. */
async function narrow(world: World): Promise<string> {
  const path = await simulatedPair('T3', 'T2')
  const router = await world.router({ kind: 'T3', mtu: NARROW_MTU })
  const [from, to] = [world.lab.host(router), world.lab.host(world.side('b', 'T2'))]
  const seen = await transferOn(await connectPair(world, from, to, path), path, FILE_BYTES)
  const fragments = world.lab.fragmented(from, to)
  if (fragments !== 0) throw new Error(`${fragments} fragments: packets above the path MTU were sent`)
  return `${seen}; no IP fragmentation`
}

export const TRANSFERS: readonly Scenario[] = [
  {
    name: 'stream',
    title: 'a stream of 64 MiB while the path changes from relay to direct and back',
    run: streamAcrossPaths,
  },
  undisturbed('T3', 'T3'),
  undisturbed('T4', 'T4'),
  {
    name: 'expiry',
    title: 'NAT mappings that expire after 6 s, before a keep-alive is due',
    async run(world) {
      const short = nat.T2({ lifetime: duration(6000) })
      const path = await simulatedPath({ behind: [short, short] })
      const [here, there] = [
        await world.router({ kind: 'T2', mappingSeconds: 6 }),
        await world.router({ kind: 'T2', mappingSeconds: 6 }),
      ]
      const pair = await connectPair(world, world.lab.host(here), world.lab.host(there), path)
      // The kernel sends no event when a mapping expires.
      while (here.mapped && there.mapped) await new Promise((resolve) => setTimeout(resolve, 250))
      return transferOn(pair, path, FILE_BYTES)
    },
  },
  {
    name: 'narrow',
    title: `a router whose WAN has an MTU of ${NARROW_MTU} bytes`,
    run: narrow,
  },
  {
    name: 'loss',
    title: 'both routers drop 20 % in each direction',
    async run(world) {
      const path = await simulatedPath({ behind: [nat.T3(), nat.T2()], loss: 36 })
      const [here, there] = [await world.router({ kind: 'T3', loss: 20 }), await world.router({ kind: 'T2', loss: 20 })]
      const pair = await connectPair(world, world.lab.host(here), world.lab.host(there), path)
      return transferOn(pair, path, FILE_BYTES)
    },
  },
]
