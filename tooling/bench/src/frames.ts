/**
 * Channel frames: what one end of a session sends, and the relay passes on as it is. In a process of its own, beside a bare
 * forwarder of the same datagrams, and beside coturn's ChannelData where that is installed.
 */
import { sessionIdToBytes, writeChannelHeader } from '@showchain/wire'
import { peerActors, relayActor } from './actors.ts'
import { Child } from './child.ts'
import { Coturn } from './coturn.ts'
import type { Effort } from './effort.ts'
import { type Figure, type FigureTable, type Findings, figure, times } from './figures.ts'
import { type Flood, flood, type Lane } from './flood.ts'
import type { ForwarderRequest } from './forwarder-process.ts'
import { LoneRelay, SEED, verifyNow } from './lone-relay.ts'
import { closeAll, exchange, openSocket } from './loopback.ts'
import { acknowledgementOf, askLone, openSessions, type PacketPlan, planPackets } from './packet-plan.ts'
import type { RelayRequest } from './relay-process.ts'

const FRAME_BYTES = 1200
/** A record that only acknowledges. */
const ANSWER_BYTES = 68
/** Frames of each pair on their way at once. */
const WINDOW = 32
/** Frames for each proxied packet of the other suite: they are that much cheaper. */
const FRAMES_PER_PACKET = 10
/** What the relay must let through here. */
const NO_LIMITS = {
  framesPerSecondPerId: 1e9,
  frameBurstPerId: 1e9,
  frameBytesPerSecondPerId: 1e12,
  frameBytesBurstPerId: 1e12,
}

interface Sample extends Flood {
  /** Of the process in the middle. */
  readonly cpuSeconds: number
}

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
  const relay = new LoneRelay({
    self: plan.relay.identity.publicKey,
    knownKeys: plan.peers.map(({ identity }) => identity.publicKey),
    limits: NO_LIMITS,
    arithmetic: { verify: verifyNow, sign: (preimage) => plan.relay.signNow(preimage) },
    unixMs: Date.now,
  })
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
    rows: [
      {
        name: 'frames of 1200 bytes',
        cells: [
          figure(
            samples.map((seconds) => count / seconds),
            '/s',
          ),
          figure(
            samples.map((seconds) => (seconds / count) * 1e6),
            'µs',
          ),
        ],
      },
    ],
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
    { name: 'bare node:dgram forwarder', run: () => throughForwarder(plan, forwarder, count) },
    ...(coturn === undefined
      ? []
      : [{ name: 'coturn, ChannelData, one thread', run: () => throughCoturn(plan, coturn, count) }]),
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
  const found = samples.map((list) => ({
    rate: of(list, ({ acknowledged, seconds }) => acknowledged / seconds, '/s'),
    perCore: of(list, ({ acknowledged, cpuSeconds }) => acknowledged / cpuSeconds, '/s'),
    cpu: of(list, ({ acknowledged, cpuSeconds }) => (cpuSeconds / acknowledged) * 1e6, 'µs'),
    lost: list.reduce((sum, { lost }) => sum + lost, 0),
  }))
  const [ours] = found
  const ratios = found.slice(1).map((other, index) => ({
    name: `relay : ${index === 0 ? 'forwarder' : 'coturn'}`,
    cells: [
      times(ours?.rate as Figure, other.rate),
      times(ours?.perCore as Figure, other.perCore),
      times(ours?.cpu as Figure, other.cpu),
      '',
    ],
  }))
  return {
    title: 'Channel frames, on sockets, the middle in its own process',
    columns: ['what', 'frames', 'per core', 'CPU of each', 'lost'],
    rows: [
      ...found.map(({ rate, perCore, cpu, lost }, index) => ({
        name: middles[index]?.name ?? '',
        cells: [rate, perCore, cpu, String(lost)],
      })),
      ...ratios,
    ],
    notes: [
      `One frame: ${FRAME_BYTES} bytes through the middle, and an answer of ${ANSWER_BYTES} bytes back; both are passed on. Per core: by the CPU`,
      'time of the process in the middle. Peers and middle share the cores of this machine.',
      ...(coturn === undefined ? ['coturn is not installed here (Debian: coturn).'] : []),
    ],
  }
}

const of = (samples: readonly Sample[], value: (sample: Sample) => number, unit: '/s' | 'µs'): Figure =>
  figure(samples.map(value), unit)

/** Sends `count` frames over the lanes, and asks for the CPU time that it took in the middle. */
async function timed(
  lanes: readonly Omit<Lane, 'packets'>[],
  frameFor: (index: number) => Uint8Array,
  answer: (passed: Uint8Array) => Uint8Array,
  answerBytes: number,
  count: number,
  port: number,
  cpu: () => Promise<number>,
): Promise<Sample> {
  const filled = lanes.map((lane, index) => {
    const frame = frameFor(index)
    return { ...lane, packets: Array.from({ length: count / lanes.length }, () => frame) }
  })
  const before = await cpu()
  const result = await flood({ lanes: filled, port, window: WINDOW, answer, answerBytes })
  return { ...result, cpuSeconds: (await cpu()) - before }
}

async function throughRelay(plan: PacketPlan, relay: Child, count: number): Promise<Sample> {
  const { identity } = plan.relay
  const port = await relay.ask<number>({
    type: 'open',
    privateKey: identity.toPem(),
    knownKeys: plan.peers.map((peer) => peer.identity.publicKey.spki),
    seed: SEED,
    limits: NO_LIMITS,
  } satisfies RelayRequest)
  const sockets = new Map(await Promise.all(plan.peers.map(async (peer) => [peer, await openSocket()] as const)))
  const socketOf = (peer: PacketPlan['peers'][number]) => sockets.get(peer) as Awaited<ReturnType<typeof openSocket>>
  try {
    await openSessions(plan.relay, plan.pairs, (peer, request) => exchange(socketOf(peer), request, port))
    const lanes = plan.pairs.map(({ requester, target }) => ({ from: socketOf(requester), to: socketOf(target) }))
    const openings = lanes.map((lane, index) => ({ ...lane, packets: [plan.pairs[index]?.opening as Uint8Array] }))
    await flood({ lanes: openings, port, window: 1, answer: acknowledgementOf })
    const sessions = plan.pairs.map(({ session }) => sessionIdToBytes(session))
    const answer = (passed: Uint8Array): Uint8Array => passed.subarray(0, ANSWER_BYTES)
    const frameFor = (index: number): Uint8Array => frameOf(sessions[index] as Uint8Array, FRAME_BYTES)
    return await timed(lanes, frameFor, answer, ANSWER_BYTES, count, port, () => relay.ask<number>({ type: 'cpu' }))
  } finally {
    await relay.ask({ type: 'close' })
    await closeAll([...sockets.values()])
  }
}

async function throughForwarder(plan: PacketPlan, forwarder: Child, count: number): Promise<Sample> {
  const lanes = await Promise.all(plan.pairs.map(async () => ({ from: await openSocket(), to: await openSocket() })))
  try {
    const pairs = lanes.map(({ from, to }) => [from.address().port, to.address().port] as const)
    const port = await forwarder.ask<number>({ type: 'open', pairs } satisfies ForwarderRequest)
    const frame = new Uint8Array(FRAME_BYTES)
    const answer = (passed: Uint8Array): Uint8Array => passed.subarray(0, ANSWER_BYTES)
    return await timed(
      lanes,
      () => frame,
      answer,
      ANSWER_BYTES,
      count,
      port,
      () => forwarder.ask<number>({ type: 'cpu' }),
    )
  } finally {
    await forwarder.ask({ type: 'close' })
    await closeAll(lanes.flatMap(({ from, to }) => [from, to]))
  }
}

async function throughCoturn(plan: PacketPlan, coturn: Coturn, count: number): Promise<Sample> {
  const lanes = await Promise.all(plan.pairs.map(async () => ({ from: await openSocket(), to: await openSocket() })))
  try {
    const bound = await Promise.all(lanes.map(({ from, to }) => coturn.bind(from, to.address().port)))
    const backed = lanes.map((lane, index) => ({ ...lane, backPort: bound[index] as number }))
    // Four bytes of ChannelData's own header stand for a frame's seventeen.
    const answer = (passed: Uint8Array): Uint8Array => passed.subarray(0, ANSWER_BYTES - 4)
    const frame = Coturn.channelData(FRAME_BYTES - 4)
    return await timed(
      backed,
      () => frame,
      answer,
      ANSWER_BYTES,
      count,
      coturn.port,
      async () => coturn.cpuSeconds(),
    )
  } finally {
    await closeAll(lanes.flatMap(({ from, to }) => [from, to]))
  }
}
