/**
 * Channel frames: what one end of a session sends, and the relay passes on as it is. In a process
 * of its own, beside a bare forwarder of the same datagrams, and beside coturn's ChannelData where
 * that is installed.
 */
import { sessionIdToBytes } from '@showchain/wire'
import { writeChannelHeader } from '@showchain/wire/end-to-end'
import { peerActors, relayActor } from './actors.ts'
import { Child } from './child.ts'
import { Coturn } from './coturn.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, rateAndTime } from './figures.ts'
import { type FloodOptions, flood, type Lane } from './flood.ts'
import type { ForwarderRequest } from './forwarder-process.ts'
import { verifyNow } from './lone-relay.ts'
import { exchange } from './loopback.ts'
import {
  cellsOf,
  FORWARDER,
  type Measures,
  measuresOf,
  NO_FRAME_LIMITS,
  openRelay,
  ratioOf,
  type Sample,
  type SocketOf,
  timed,
  withSockets,
} from './middle.ts'
import { askLone, loneRelay, openSessions, type PacketPlan, planPackets } from './packet-plan.ts'

const FRAME_BYTES = 1200
/** A record that only acknowledges. */
const ANSWER_BYTES = 68
/** Of ChannelData (RFC 8656 §12.4). */
const CHANNEL_DATA_HEADER = 4
/** Frames of each pair on their way at once. */
const WINDOW = 32
/** Frames for each proxied packet of the other suite: they are that much cheaper. */
const FRAMES_PER_PACKET = 10
const COTURN = 'coturn, ChannelData, one thread'

interface Middle {
  readonly name: string
  run(): Promise<Sample>
}

export async function frames(effort: Effort): Promise<Findings> {
  const plan = await planPackets(relayActor(), await peerActors(), 0)
  return { tables: [await alone(plan, effort), await onSockets(plan, effort)] }
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

async function onSockets(plan: PacketPlan, effort: Effort): Promise<FigureTable> {
  const relay = new Child('./relay-process.js')
  const forwarder = new Child('./forwarder-process.js')
  const coturn = await Coturn.start()
  const count = effort.packets * FRAMES_PER_PACKET
  const middles: Middle[] = [
    { name: 'relay, channel frames', run: () => throughRelay(plan, relay, count) },
    { name: FORWARDER, run: () => throughForwarder(plan, forwarder, count) },
    ...(coturn === undefined ? [] : [{ name: COTURN, run: () => throughCoturn(plan, coturn, count) }]),
  ]
  const samples = middles.map((): Sample[] => [])
  try {
    for (let round = 0; round <= effort.samples; round++)
      for (const [index, middle] of middles.entries()) {
        const sample = await middle.run()
        if (round > 0) samples[index]?.push(sample)
      }
  } finally {
    await Promise.all([relay.stop(), forwarder.stop(), coturn?.stop()])
  }
  const found = samples.map(measuresOf)
  const [ours, bare, theirs] = found as [Measures, Measures, Measures | undefined]
  return {
    title: 'Channel frames, on sockets, the middle in its own process',
    columns: ['what', 'frames', 'per core', 'CPU of each', 'lost'],
    rows: [
      ...found.map((measures, index) => ({ name: middles[index]?.name ?? '', cells: cellsOf(measures) })),
      { name: 'relay : forwarder', cells: ratioOf(ours, bare) },
      ...(theirs === undefined ? [] : [{ name: 'relay : coturn', cells: ratioOf(ours, theirs) }]),
    ],
    references: [FORWARDER, COTURN],
    notes: [
      `One frame: ${FRAME_BYTES} bytes through the middle, and an answer of ${ANSWER_BYTES} bytes back; both are passed on. Per core: by the CPU`,
      'time of the process in the middle. Peers and middle share the cores of this machine.',
      ...(coturn === undefined ? ['coturn is not installed here (Debian: coturn).'] : []),
    ],
  }
}

/**
 * `count` frames over the lanes, each with its own.
 * @param said bytes of a frame that its receiver sends back; ANSWER_BYTES come
 */
const floodOf = (
  lanes: readonly (Omit<Lane, 'packets'> & { readonly frame: Uint8Array })[],
  port: number,
  count: number,
  said = ANSWER_BYTES,
): FloodOptions => ({
  ...{ port, window: WINDOW, answerBytes: ANSWER_BYTES },
  lanes: lanes.map(({ frame, ...lane }) => ({
    ...lane,
    packets: Array.from({ length: count / lanes.length }, () => frame),
  })),
  answer: (passed) => passed.subarray(0, said),
})

async function throughRelay(plan: PacketPlan, relay: Child, count: number): Promise<Sample> {
  const port = await openRelay(relay, plan, NO_FRAME_LIMITS)
  try {
    return await withSockets(plan.peers, async (socketOf) => {
      await openSessions(plan.relay, plan.pairs, (peer, request) => exchange(socketOf(peer), request, port))
      const lanes = plan.pairs.map(({ requester, target, session, opening }) => ({
        ...{ from: socketOf(requester), to: socketOf(target), packets: [opening] },
        frame: frameOf(sessionIdToBytes(session), FRAME_BYTES),
      }))
      await flood({ lanes, port, window: 1 })
      return timed(floodOf(lanes, port, count), () => relay.ask<number>({ type: 'cpu' }))
    })
  } finally {
    await relay.ask({ type: 'close' })
  }
}

async function throughForwarder(plan: PacketPlan, forwarder: Child, count: number): Promise<Sample> {
  try {
    return await withSockets(plan.peers, async (socketOf) => {
      const lanes = lanesOf(plan, socketOf, new Uint8Array(FRAME_BYTES))
      const pairs = lanes.map(({ from, to }) => [from.address().port, to.address().port] as const)
      const port = await forwarder.ask<number>({ type: 'open', pairs } satisfies ForwarderRequest)
      return timed(floodOf(lanes, port, count), () => forwarder.ask<number>({ type: 'cpu' }))
    })
  } finally {
    await forwarder.ask({ type: 'close' })
  }
}

const throughCoturn = (plan: PacketPlan, coturn: Coturn, count: number): Promise<Sample> =>
  withSockets(plan.peers, async (socketOf) => {
    // Four bytes of ChannelData's own header stand for a frame's seventeen.
    const lanes = lanesOf(plan, socketOf, Coturn.channelData(FRAME_BYTES - CHANNEL_DATA_HEADER))
    const bound = await Promise.all(lanes.map(({ from, to }) => coturn.bind(from, to.address().port)))
    const backed = lanes.map((lane, index) => ({ ...lane, backPort: bound[index] as number }))
    return timed(floodOf(backed, coturn.port, count, ANSWER_BYTES - CHANNEL_DATA_HEADER), () => coturn.cpuSeconds())
  })

const lanesOf = ({ pairs }: PacketPlan, socketOf: SocketOf, frame: Uint8Array) =>
  pairs.map(({ requester, target }) => ({ from: socketOf(requester), to: socketOf(target), frame }))
