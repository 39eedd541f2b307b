/**
 * Channel frames: what one end of a session sends, and the relay passes on as it is. In a process
 * of its own, beside a bare forwarder of the same datagrams, and beside coturn's ChannelData where
 * that is installed.
 */
import { sessionIdToBytes } from '@showchain/wire'
import { writeChannelHeader } from '@showchain/wire/end-to-end'
import { peerActors, relayActor } from './actors.ts'
import { blast, takeOver } from './blast.ts'
import { type Crossing, crossCoturn, crossForwarder, crossRelay, openPairs, type SocketPair } from './crossing.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, rateAndTime } from './figures.ts'
import { verifyNow } from './lone-relay.ts'
import { closeAll } from './loopback.ts'
import { cellsOf, FORWARDER, type Measures, measuresOf, NO_FRAME_LIMITS, ratioOf, type Sample } from './middle.ts'
import { askLone, loneRelay, openSessions, type PacketPlan, planPackets } from './packet-plan.ts'

const FRAME_BYTES = 1200
/** Frames for each proxied packet of the other suite: they are that much cheaper. */
const FRAMES_PER_PACKET = 10
const BATCHED = 'relay, batched socket'
const DGRAM = 'relay, node:dgram'
const COTURN = 'coturn, ChannelData, one thread'
/** Medians of at least so many pairs. */
const ROUNDS = 5
const PAIRS = 100

/** How packets come to the one in the middle. */
interface Traffic {
  readonly name: string
  readonly bytes: number
  /** Pairs that send in turn. */
  readonly pairs: number
  /** Packets of one pair together. */
  readonly atOnce: number
  readonly train: boolean
  /** Packets on their way at once. */
  readonly window: number
}

const TRAFFIC: readonly Traffic[] = [
  { name: 'single packets of 200 bytes', bytes: 200, pairs: 1, atOnce: 64, train: false, window: 4096 },
  { name: 'single packets of 1,000 bytes', bytes: 1000, pairs: 1, atOnce: 64, train: false, window: 4096 },
  { name: 'trains of one flow, 1,200 bytes', bytes: 1200, pairs: 1, atOnce: 50, train: true, window: 1600 },
  { name: '100 interleaved sessions, 1,000 bytes', bytes: 1000, pairs: PAIRS, atOnce: 1, train: false, window: 4096 },
]

export async function frames(effort: Effort): Promise<Findings> {
  const plan = await planPackets(relayActor(), await peerActors(), 0)
  return { tables: [await alone(plan, effort), ...(await onSockets(effort))] }
}

function frameOf(session: Uint8Array, bytes: number): Uint8Array {
  const frame = new Uint8Array(bytes).fill(0x5a)
  writeChannelHeader(frame, session)
  return frame
}

async function alone(plan: PacketPlan, effort: Effort): Promise<FigureTable> {
  const count = effort.machinePackets * FRAMES_PER_PACKET
  const relay = loneRelay(plan, verifyNow, NO_FRAME_LIMITS)
  await openSessions(plan.relay, plan.pairs, askLone(relay))
  const ends = plan.pairs.map(({ requester, target, session }) => ({
    ...{ requester, target },
    frame: frameOf(sessionIdToBytes(session), FRAME_BYTES),
  }))
  for (const { target, frame } of ends) relay.receive(frame, target.source)
  const samples: number[] = []
  for (let round = 0; round <= effort.samples; round++) {
    const before = performance.now()
    for (let index = 0; index < count / ends.length; index++)
      for (const { requester, frame } of ends) relay.receive(frame, requester.source)
    const seconds = (performance.now() - before) / 1000
    if (round > 0) samples.push(seconds)
  }
  return {
    title: 'Channel frames, the relay machine alone on one core',
    columns: ['what', 'frames', 'time of each'],
    rows: [{ name: `frames of ${FRAME_BYTES} bytes`, cells: rateAndTime(samples, count, 'µs') }],
    notes: [],
  }
}

async function onSockets({ samples, blastSeconds }: Effort): Promise<readonly FigureTable[]> {
  const pairs = await openPairs(PAIRS)
  const crossings: Crossing[] = []
  try {
    crossings.push(await crossRelay(BATCHED, 'batched', pairs), await crossRelay(DGRAM, 'dgram', pairs))
    crossings.push(await crossForwarder(FORWARDER, pairs))
    const coturn = await crossCoturn(COTURN, pairs)
    if (coturn !== undefined) crossings.push(coturn)
    for (const { from, to } of pairs) for (const socket of [from, to]) takeOver(socket)
    const tables: FigureTable[] = []
    for (const traffic of TRAFFIC)
      tables.push(await measure(traffic, pairs, crossings, Math.max(ROUNDS, samples), blastSeconds))
    return tables
  } finally {
    await Promise.all(crossings.map((crossing) => crossing.stop()))
    await closeAll(pairs.flatMap(({ from, to }) => [from, to]))
  }
}

async function measure(
  traffic: Traffic,
  pairs: readonly SocketPair[],
  crossings: readonly Crossing[],
  rounds: number,
  seconds: number,
): Promise<FigureTable> {
  const samples = crossings.map((): Sample[] => [])
  for (let round = 0; round <= rounds; round++)
    for (const [index, crossing] of crossings.entries()) {
      const sample = await pass(traffic, pairs, crossing, seconds)
      // The first round warms up.
      if (round > 0) samples[index]?.push(sample)
    }
  const found = samples.map(measuresOf)
  const [batched, dgram, bare, theirs] = found as [Measures, Measures, Measures, Measures | undefined]
  return {
    title: `Channel frames through sockets: ${traffic.name}`,
    columns: ['what', 'packets', 'per core', 'CPU of each', 'lost'],
    rows: [
      ...found.map((measures, index) => ({ name: crossings[index]?.name ?? '', cells: cellsOf(measures) })),
      { name: 'node:dgram relay : forwarder', cells: ratioOf(dgram, bare) },
      { name: 'batched relay : forwarder', cells: ratioOf(batched, bare) },
      ...(theirs === undefined ? [] : [{ name: 'batched relay : coturn', cells: ratioOf(batched, theirs) }]),
    ],
    references: [FORWARDER, COTURN],
    notes: [
      'Per core: by the CPU time of the process in the middle, with the kernel on its behalf.',
      ...(theirs === undefined ? ['coturn is not installed here (Debian: coturn).'] : []),
    ],
  }
}

async function pass(
  { bytes, pairs: count, atOnce, train, window }: Traffic,
  pairs: readonly SocketPair[],
  crossing: Crossing,
  seconds: number,
): Promise<Sample> {
  const ways = pairs.slice(0, count).map((pair, index) => ({ ...pair, packet: crossing.packet(index, bytes) }))
  const { port } = crossing
  crossing.refresh()
  const before = await crossing.cpuSeconds()
  const result = blast({ ways, port, arrives: crossing.arrives(bytes), atOnce, train, window, seconds })
  const cpuSeconds = (await crossing.cpuSeconds()) - before
  return { seconds: result.seconds, acknowledged: result.arrived, lost: result.lost, cpuSeconds }
}
