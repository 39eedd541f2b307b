/**
 * Proxied packets: 0x123 comes in and is verified, 0x124 goes out, 0x125 comes back and is passed
 * on. The machine alone on one core; a relay in its own process on real sockets, beside a bare
 * forwarder that does the same datagrams without looking at them.
 */
import { type Actor, peerActors, relayActor } from './actors.ts'
import { Child } from './child.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, rateAndTime } from './figures.ts'
import { flood } from './flood.ts'
import type { ForwarderRequest } from './forwarder-process.ts'
import { type Arithmetic, verifyNow } from './lone-relay.ts'
import { exchange } from './loopback.ts'
import {
  cellsOf,
  FORWARDER,
  measuresOf,
  openRelay,
  ratioOf,
  type Sample,
  type SocketOf,
  timed,
  withSockets,
} from './middle.ts'
import { acknowledgementOf, askLone, loneRelay, openSessions, type PacketPlan, planPackets } from './packet-plan.ts'

/** Virtual ms between two packets of the lone machine: 20,000 a second. */
const PACKET_GAP = 0.05
/** Packets of each pair on their way at once. */
const WINDOW = 32

export async function packets(effort: Effort): Promise<Findings> {
  const plan = await planPackets(relayActor(), await peerActors(), effort.packets)
  return { tables: [await alone(plan, effort), await onSockets(plan, effort)] }
}

async function alone(plan: PacketPlan, effort: Effort): Promise<FigureTable> {
  const ways: readonly { readonly name: string; readonly verify: Arithmetic['verify'] }[] = [
    { name: 'every signature checked (RSA-2048)', verify: verifyNow },
    { name: 'all but the RSA', verify: () => true },
  ]
  const seconds = ways.map((): number[] => [])
  // The first round is the warm-up.
  for (let round = 0; round <= effort.samples; round++)
    for (const [index, { verify }] of ways.entries()) {
      const taken = await passAlone(plan, effort.machinePackets, verify)
      if (round > 0) seconds[index]?.push(taken)
    }
  return {
    title: 'Proxied packets, the relay machine alone on one core',
    columns: ['what', 'packets', 'time of each'],
    rows: ways.map(({ name }, index) => ({
      name,
      cells: rateAndTime(seconds[index] ?? [], effort.machinePackets, 'µs'),
    })),
    notes: ['One packet: 0x123 of 1200 bytes in, 0x124 out, 0x125 in, 0x125 out. Seed mode, four pairs.'],
  }
}

async function passAlone(plan: PacketPlan, count: number, verify: Arithmetic['verify']): Promise<number> {
  const relay = loneRelay(plan, verify)
  await openSessions(plan.relay, plan.pairs, askLone(relay))
  for (const { requester, target, opening } of plan.pairs) {
    const passed = relay.receive(opening, requester.source)
    if (passed !== undefined) relay.receive(acknowledgementOf(passed), target.source)
  }
  const before = performance.now()
  for (let number = 0; number < count / plan.pairs.length; number++)
    for (const { requester, target, packets } of plan.pairs) {
      const passed = relay.receive(packets[number] as Uint8Array, requester.source)
      if (passed !== undefined) relay.receive(acknowledgementOf(passed), target.source)
      relay.pass(PACKET_GAP)
    }
  const seconds = (performance.now() - before) / 1000
  const { dataForwarded, acknowledged } = relay.machine.counters()
  const expected = count + plan.pairs.length
  if (dataForwarded !== expected || acknowledged !== expected)
    throw new Error(`The relay passed on ${dataForwarded} of ${expected} packets, ${acknowledged} acknowledged.`)
  return seconds
}

async function onSockets(plan: PacketPlan, effort: Effort): Promise<FigureTable> {
  const relay = new Child('./relay-process.js')
  const forwarder = new Child('./forwarder-process.js')
  const samples: { readonly relay: Sample[]; readonly forwarder: Sample[] } = { relay: [], forwarder: [] }
  try {
    for (let round = 0; round <= effort.samples; round++) {
      const through = { relay: await throughRelay(plan, relay), forwarder: await throughForwarder(plan, forwarder) }
      if (round === 0) continue
      samples.relay.push(through.relay)
      samples.forwarder.push(through.forwarder)
    }
  } finally {
    await Promise.all([relay.stop(), forwarder.stop()])
  }
  const [ours, bare] = [measuresOf(samples.relay), measuresOf(samples.forwarder)]
  return {
    title: 'Proxied packets, on sockets, relay in its own process',
    columns: ['what', 'packets', 'per core', 'CPU of each', 'lost'],
    rows: [
      { name: 'relay, every signature checked', cells: cellsOf(ours) },
      { name: FORWARDER, cells: cellsOf(bare) },
      { name: 'relay : forwarder', cells: ratioOf(ours, bare) },
    ],
    references: [FORWARDER],
    notes: [
      'Packets as above, with peers and relay sharing the cores of this machine. Per core: by the CPU time of',
      'the process in the middle, all its threads and the kernel on its behalf. The forwarder passes 1200 bytes on.',
    ],
  }
}

async function throughRelay(plan: PacketPlan, relay: Child): Promise<Sample> {
  const port = await openRelay(relay, plan, {})
  return withSockets(plan.peers, async (socketOf) => {
    const sessions = await openSessions(plan.relay, plan.pairs, (peer, request) =>
      exchange(socketOf(peer), request, port),
    )
    if (plan.pairs.some(({ session }, index) => session !== sessions[index]))
      throw new Error('The relay opened other sessions than the packets were signed for.')
    return passed(plan, relay, port, socketOf)
  })
}

async function throughForwarder(plan: PacketPlan, forwarder: Child): Promise<Sample> {
  return withSockets(plan.peers, async (socketOf) => {
    const portOf = (peer: Actor): number => socketOf(peer).address().port
    const pairs = plan.pairs.map(({ requester, target }) => [portOf(requester), portOf(target)] as const)
    const port = await forwarder.ask<number>({ type: 'open', pairs } satisfies ForwarderRequest)
    return passed(plan, forwarder, port, socketOf)
  })
}

/** What a process in the middle makes of the packets of the plan. */
async function passed(plan: PacketPlan, middle: Child, port: number, socketOf: SocketOf): Promise<Sample> {
  const lanesOf = (packetsOf: (pair: PacketPlan['pairs'][number]) => readonly Uint8Array[]) =>
    plan.pairs.map((pair) => ({
      from: socketOf(pair.requester),
      to: socketOf(pair.target),
      packets: packetsOf(pair),
    }))
  await flood({ lanes: lanesOf(({ opening }) => [opening]), port, window: 1 })
  const cpu = (): Promise<number> => middle.ask<number>({ type: 'cpu' })
  const sample = await timed({ lanes: lanesOf(({ packets }) => packets), port, window: WINDOW }, cpu)
  await middle.ask({ type: 'close' })
  return sample
}
