/**
 * What stands between the sockets of peers, in a process of its own, and what is measured of it: a
 * relay, a bare forwarder, another implementation.
 */
import type { RelayLimits } from '@showchain/server'
import type { Actor } from './actors.ts'
import type { Child } from './child.ts'
import { type Cell, type Figure, figure, times } from './figures.ts'
import { type Flood, type FloodOptions, flood } from './flood.ts'
import { SEED } from './lone-relay.ts'
import { closeAll, openSocket } from './loopback.ts'
import type { PacketPlan } from './packet-plan.ts'
import type { RelayRequest } from './relay-process.ts'

/** The row of the forwarder: code of the benchmark itself. */
export const FORWARDER = 'bare node:dgram forwarder'

/** For a relay that must let every channel frame through. */
export const NO_FRAME_LIMITS: Partial<RelayLimits> = {
  framesPerSecondPerId: 1e9,
  frameBurstPerId: 1e9,
  frameBytesPerSecondPerId: 1e12,
  frameBytesBurstPerId: 1e12,
}

/** @returns the port of a relay that knows the peers of the plan. */
export const openRelay = (
  relay: Child,
  plan: Pick<PacketPlan, 'relay' | 'peers'>,
  limits: Partial<RelayLimits>,
): Promise<number> =>
  relay.ask<number>({
    type: 'open',
    privateKey: plan.relay.identity.toPem(),
    knownKeys: plan.peers.map(({ identity }) => identity.publicKey.spki),
    seed: SEED,
    limits,
  } satisfies RelayRequest)

export type SocketOf = (peer: Actor) => Awaited<ReturnType<typeof openSocket>>

/** A socket for each peer, closed in the end. */
export async function withSockets<T>(peers: readonly Actor[], use: (socketOf: SocketOf) => Promise<T>): Promise<T> {
  const sockets = new Map(await Promise.all(peers.map(async (peer) => [peer, await openSocket()] as const)))
  try {
    return await use((peer) => sockets.get(peer) as ReturnType<SocketOf>)
  } finally {
    await closeAll([...sockets.values()])
  }
}

export interface Sample extends Flood {
  /** Of the process in the middle. */
  readonly cpuSeconds: number
}

/** @param cpu seconds that the process in the middle has used */
export async function timed(options: FloodOptions, cpu: () => number | Promise<number>): Promise<Sample> {
  const before = await cpu()
  const result = await flood(options)
  return { ...result, cpuSeconds: (await cpu()) - before }
}

export interface Measures {
  readonly rate: Figure
  readonly perCore: Figure
  readonly cpu: Figure
  readonly lost: number
}

export function measuresOf(samples: readonly Sample[]): Measures {
  const of = (value: (sample: Sample) => number, unit: '/s' | 'µs'): Figure => figure(samples.map(value), unit)
  return {
    rate: of(({ acknowledged, seconds }) => acknowledged / seconds, '/s'),
    perCore: of(({ acknowledged, cpuSeconds }) => acknowledged / cpuSeconds, '/s'),
    cpu: of(({ acknowledged, cpuSeconds }) => (cpuSeconds / acknowledged) * 1e6, 'µs'),
    lost: samples.reduce((sum, { lost }) => sum + lost, 0),
  }
}

export const cellsOf = ({ rate, perCore, cpu, lost }: Measures): readonly Cell[] => [rate, perCore, cpu, String(lost)]

/** The cells of a row that compares two others. */
export const ratioOf = (one: Measures, reference: Measures): readonly Cell[] => [
  times(one.rate, reference.rate),
  times(one.perCore, reference.perCore),
  times(one.cpu, reference.cpu),
  '',
]
