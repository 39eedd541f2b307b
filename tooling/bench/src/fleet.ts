/**
 * What it costs to be several relays: channel frames between nodes of a fleet over NATS, through a node whose
 * fleet has nothing to do, and through workers on one port. The built program, peers with keys of their own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { generateIdentity } from '@showchain/crypto'
import type { SessionId } from '@showchain/wire'
import { Actor } from './actors.ts'
import { blast, takeOver } from './blast.ts'
import type { Effort } from './effort.ts'
import { type Cell, type Figure, type FigureTable, type Findings, median, type Row, times } from './figures.ts'
import { closeAll, LOOPBACK, openSocket } from './loopback.ts'
import { cellsOf, type Measures, measuresOf, type Sample } from './middle.ts'
import { endProcess, frameIn, nodeOf, RelayProgram, treeSeconds } from './relay-program.ts'

const FRAME_BYTES = 1000
/** Of 32 peers at random half are at each of two workers, and half of all pairs have both ends at one. */
const PEERS = 32
const WINDOW = 4096
const AT_ONCE = 16
/** That nobody uses up. */
const QUOTA = 'idDay=1000T'
const NATS = 'nats-server'
/** Milliseconds that sessions have before they are measured. */
const SETTLING = 100
/** Samples are this much longer than others: processor time comes in hundredths of a second. */
const LONGER = 2

interface Station {
  readonly actor: Actor
  readonly socket: Socket
}

interface Lane {
  readonly from: Station
  readonly to: Station
  readonly session: SessionId
}

/** One row: relays, and the pairs that send through them. */
interface Setup {
  readonly name: string
  readonly relays: readonly RelayProgram[]
  readonly lanes: readonly Lane[]
  /** Of the target: its first word is its consent. */
  readonly targets: RelayProgram
}

export async function fleet(effort: Effort): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'showchain-bench-'))
  const ends: (() => Promise<void>)[] = []
  try {
    return { tables: [await measure(effort, folder, (end) => ends.push(end))] }
  } finally {
    for (const end of ends.reverse()) await end()
    rmSync(folder, { recursive: true })
  }
}

async function measure(
  effort: Effort,
  folder: string,
  defer: (end: () => Promise<void>) => void,
): Promise<FigureTable> {
  const identities = await Promise.all(Array.from({ length: PEERS }, () => generateIdentity()))
  const stations = (): Promise<Station[]> =>
    Promise.all(
      identities.map(async (identity, index) => {
        const socket = await openSocket()
        defer(() => closeAll([socket]))
        return { actor: new Actor(identity, index), socket }
      }),
    )
  const identity = join(folder, 'relay.pem')
  const start = async (...args: readonly string[]): Promise<RelayProgram> => {
    const relay = await RelayProgram.start(identity, ...args)
    defer(() => relay.end())
    return relay
  }
  const alone = await together('one process', await start(), await stations())
  const setups: Setup[] = [alone]
  const workers = await start('--workers', '2')
  const both = await together('two workers', workers, await stations())
  const isWithin = staysWithin(both.lanes)
  const within = both.lanes.filter(isWithin)
  setups.push(both, { ...both, name: 'two workers, ends at one', lanes: within })
  setups.push({ ...both, name: 'two workers, ends at both', lanes: both.lanes.filter((lane) => !isWithin(lane)) })
  const counting = await start('--workers', '2', '--quota', QUOTA)
  const counted = await together('two workers that count', counting, await stations())
  const crossing = counted.lanes.filter((lane) => !staysWithin(counted.lanes)(lane))
  setups.push({ ...counted, name: 'two workers that count, ends at both', lanes: crossing })
  const nats = await startNats(folder, defer)
  let bus: (() => number) | undefined
  if (nats !== undefined) {
    const node = (number: number, fleet: string): Promise<RelayProgram> =>
      start(...nats.args, '--node', String(number), '--fleet-secret', nats.secret(fleet))
    setups.push(await together('one node, its fleet unused', await node(1, 'lone'), await stations()))
    const [here, there] = [await node(2, 'both'), await node(3, 'both')]
    await Promise.all([here, there].map((each) => each.logged('a node of the fleet is there')))
    setups.push(await across('two nodes, over NATS', here, there, await stations()))
    bus = nats.cpuSeconds
  }
  return table(effort, setups, within.length, bus)
}

/** Both ends at one relay; it knows at which of its workers by a session of each. */
async function together(name: string, relay: RelayProgram, stations: readonly Station[]): Promise<Setup> {
  for (const { socket, actor } of stations) await relay.register(socket, actor)
  const lanes: Lane[] = []
  for (const [index, from] of stations.entries()) {
    const to = stations[(index + 1) % stations.length] as Station
    lanes.push({ from, to, session: await relay.session(from.socket, from.actor, to.actor.id) })
  }
  return { name, relays: [relay], lanes, targets: relay }
}

/** Whether both ends are at the worker that has the session: each is a requester, too. */
const staysWithin =
  (lanes: readonly Lane[]) =>
  ({ session, to }: Lane): boolean =>
    lanes.some((lane) => lane.from === to && nodeOf(lane.session) === nodeOf(session))

/** Requesters at one node, targets at another. */
async function across(
  name: string,
  here: RelayProgram,
  there: RelayProgram,
  stations: readonly Station[],
): Promise<Setup> {
  const half = stations.length / 2
  const lanes: Lane[] = []
  for (let index = 0; index < half; index++) {
    const [from, to] = [stations[index] as Station, stations[half + index] as Station]
    await here.register(from.socket, from.actor)
    await there.register(to.socket, to.actor)
    lanes.push({ from, to, session: await here.session(from.socket, from.actor, to.actor.id) })
  }
  return { name, relays: [here, there], lanes, targets: there }
}

/** Both ends say something: the target consents, nobody is forgotten, and workers know where both are. */
async function refresh({ lanes, relays, targets }: Setup): Promise<void> {
  for (const { from, to, session } of lanes) {
    to.socket.send(frameIn(session), targets.port, LOOPBACK)
    from.socket.send(frameIn(session), relays[0]?.port ?? 0, LOOPBACK)
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLING))
}

async function table(
  { samples, blastSeconds }: Effort,
  setups: readonly Setup[],
  within: number,
  bus: (() => number) | undefined,
): Promise<FigureTable> {
  for (const setup of setups) {
    await refresh(setup)
    for (const { from } of setup.lanes) takeOver(from.socket)
    for (const { to } of setup.lanes) takeOver(to.socket)
  }
  const found = setups.map((): Sample[] => [])
  const ofBus: number[] = []
  const shares: number[] = []
  for (let round = 0; round <= samples; round++)
    for (const [index, setup] of setups.entries()) {
      await refresh(setup)
      const before = bus?.() ?? 0
      const { sample, share } = pass(setup, LONGER * blastSeconds)
      // The first round warms up.
      if (round === 0) continue
      found[index]?.push(sample)
      shares.push(share)
      if (setup.relays.length > 1) ofBus.push(((bus?.() ?? 0) - before) / sample.acknowledged)
    }
  const measures = found.map(measuresOf)
  const [alone, workers, unused] = [measures[0] as Measures, measures[1] as Measures, measures[5]]
  const row = (name: string, cells: readonly Cell[]): Row => ({ name, cells: [...cells, '', '', ''].slice(0, 4) })
  const twoCores = { times: 2 * ratio(alone.cpu, workers.cpu) }
  return {
    title: 'Channel frames of 1,000 bytes through a fleet',
    columns: ['what', 'frames', 'per core', 'CPU of each', 'lost'],
    rows: [
      ...measures.map((each, index) => ({ name: setups[index]?.name ?? '', cells: cellsOf(each) })),
      row('two workers : one process, on two cores', [times(workers.rate, alone.rate), twoCores]),
      ...(unused === undefined
        ? []
        : [row('fleet unused : one process', [times(unused.rate, alone.rate), times(unused.perCore, alone.perCore)])]),
    ],
    references: [],
    notes: [
      'Per core: by the CPU time of all processes of the relays, the primary of workers and both nodes included;',
      'two workers : one process: how much more fits on two cores by that, as one process has one.',
      `Of ${PEERS} pairs ${within} had both ends at one worker. The load generator took ${Math.round(100 * median(shares))} % of a core.`,
      ...(bus === undefined
        ? ['nats-server is not installed here (Debian: nats-server).']
        : [`NATS itself took ${(1e6 * median(ofBus)).toFixed(1)} µs for each frame.`]),
    ],
  }
}

const ratio = (one: Figure, other: Figure): number =>
  median(one.samples.map((sample, index) => sample / (other.samples[index] as number)))

function pass(setup: Setup, seconds: number): { readonly sample: Sample; readonly share: number } {
  const { lanes, relays } = setup
  const cpu = (): number => relays.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  const ways = lanes.map(({ from, to, session }) => ({
    ...{ from: from.socket, to: to.socket },
    packet: frameIn(session, FRAME_BYTES),
  }))
  const [before, own] = [cpu(), process.cpuUsage()]
  const { port } = relays[0] as RelayProgram
  const result = blast({ ways, port, arrives: FRAME_BYTES, atOnce: AT_ONCE, train: false, window: WINDOW, seconds })
  const { user, system } = process.cpuUsage(own)
  return {
    sample: {
      ...{ seconds: result.seconds, acknowledged: result.arrived, lost: result.lost },
      cpuSeconds: cpu() - before,
    },
    share: (user + system) / 1e6 / result.seconds,
  }
}

interface Nats {
  /** What a relay of the fleet is started with. */
  readonly args: readonly string[]
  /** Path of the secret of a fleet. */
  readonly secret: (fleet: string) => string
  readonly cpuSeconds: () => number
}

/** Undefined where there is none. */
async function startNats(folder: string, defer: (end: () => Promise<void>) => void): Promise<Nats | undefined> {
  if (!(process.env.PATH ?? '').split(delimiter).some((each) => existsSync(join(each, NATS)))) return undefined
  const port = await freePort()
  const child: ChildProcess = spawn(NATS, ['-a', LOOPBACK, '-p', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] })
  defer(() => endProcess(child))
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (piece: Buffer) => piece.toString().includes('Server is ready') && resolve())
  })
  const secret = (name: string): string => {
    const path = join(folder, name)
    if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600 })
    return path
  }
  return {
    ...{ secret, args: ['--fleet', `nats://${LOOPBACK}:${port}`] },
    cpuSeconds: () => treeSeconds(child.pid as number),
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, LOOPBACK, () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })
}
