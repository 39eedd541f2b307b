/** What can happen to a random scenario while its peers talk: the dice of soak.ts. */
import { duration, type Instant, later } from '@showchain/client/core'
import type { Conditions } from '../sim/conditions.ts'
import type { Host } from '../sim/host.ts'
import type { SeededRandom } from '../sim/random.ts'
import type { Internet } from './internet.ts'
import { type NatBehaviour, nat } from './nat.ts'
import type { Router } from './router.ts'
import type { SimPeer } from './sim-peer.ts'
import type { Delivery, Dialled } from './sim-records.ts'
import type { SimRelay } from './sim-relay.ts'

/** Of the network, of programs, and of what they rely on. */
export const NETWORK_FAULTS = ['reboot', 'renumber', 'relay', 'sleep', 'move', 'weather', 'close'] as const
const HOST_FAULTS = ['clock', 'relay clock', 'suspend', 'drain', 'name', 'relay suspend'] as const
/** Names of those faults. */
export type SoakFault = (typeof NETWORK_FAULTS)[number] | (typeof HOST_FAULTS)[number]
/** Faults of random scenarios. */
export const SOAK_FAULTS: readonly SoakFault[] = [...NETWORK_FAULTS, ...HOST_FAULTS]

const SECOND = 1000
const HOUR = 3_600_000
/** How far clocks step, either way: NTP, a time zone that was wrong, a battery that was empty. */
const STEPS = [3 * SECOND, 40 * SECOND, HOUR, 48 * HOUR]

export interface World {
  readonly internet: Internet
  readonly random: SeededRandom
  readonly relays: SimRelay[]
  readonly routers: Router[]
  readonly peers: SimPeer[]
  /** Peers whose network lets no UDP through. */
  readonly blocked: Set<SimPeer>
  readonly dials: {
    readonly from: SimPeer
    readonly to: SimPeer
    readonly dialled: Dialled
    readonly deadline: Instant
  }[]
  readonly deliveries: Delivery[]
}

export const pick = <T>(random: SeededRandom, items: readonly T[]): T =>
  items[Math.floor(random.uniform() * items.length)] as T
export const chance = (random: SeededRandom, probability: number): boolean => random.uniform() < probability
export const between = (random: SeededRandom, low: number, high: number): number =>
  low + random.uniform() * (high - low)

export function conditions(random: SeededRandom): Partial<Conditions> {
  return {
    latency: duration(between(random, 2, 120)),
    jitter: duration(chance(random, 0.5) ? between(random, 0, 40) : 0),
    loss: chance(random, 0.5) ? between(random, 0, 0.2) : 0,
    duplicate: chance(random, 0.2) ? 0.05 : 0,
    reorder: chance(random, 0.2) ? 0.1 : 0,
    bursts: chance(random, 0.2) ? { enter: 0.005, leave: between(random, 0.1, 0.5) } : undefined,
    corrupt: chance(random, 0.2) ? 0.01 : 0,
    bandwidth: chance(random, 0.2) ? between(random, 2e6, 2e7) : Number.POSITIVE_INFINITY,
  }
}

export function behaviour(random: SeededRandom): NatBehaviour {
  return nat[pick(random, ['T1', 'T2', 'T3', 'T4'] as const)]({
    allocation: pick(random, ['preserving', 'sequential', 'random']),
    lifetime: duration(pick(random, [20_000, 30_000, 60_000, 300_000])),
    refresh: pick(random, ['outbound', 'both']),
    hairpin: chance(random, 0.5),
  })
}

export async function strike(world: World, faults: readonly SoakFault[]): Promise<void> {
  const { internet, random, relays, routers, peers } = world
  const router = routers.length > 0 ? pick(random, routers) : undefined
  const peer = pick(random, peers)
  switch (pick(random, faults)) {
    case 'reboot':
      return router?.reboot()
    case 'renumber':
      return router?.renumber(internet.freeAddress(router))
    case 'relay':
      return pick(random, relays).restart()
    case 'sleep':
      return peer.sleep(duration(between(random, 5000, 60_000)))
    case 'move':
      return move(world, peer.host)
    case 'weather':
      internet.sim.network.conditions = conditions(random)
      return
    case 'close': {
      const link = peer.open[0]
      if (link !== undefined) peer.closeConnection(link.id)
      return
    }
    case 'clock':
      peer.clockOffset += step(random)
      return
    case 'relay clock':
      pick(random, relays).clockOffset += step(random)
      return
    case 'suspend':
      return peer.sleep(duration(between(random, SECOND, 90_000)), 'process')
    case 'relay suspend':
      return pick(random, relays).sleep(duration(between(random, SECOND, 90_000)), 'process')
    case 'drain':
      return drain(world, pick(random, relays))
    case 'name':
      return rename(world)
  }
}

const step = (random: SeededRandom): number => pick(random, STEPS) * (chance(random, 0.5) ? 1 : -1)

function after(world: World, ms: number, act: () => void): void {
  const { clock } = world.internet.sim
  clock.schedule(later(clock.now(), duration(ms)), act)
}

/** It tells its peers that it is about to end, ends, and comes back. */
function drain(world: World, relay: SimRelay): void {
  const { random } = world
  relay.drain()
  const ends = between(random, SECOND, 30_000)
  after(world, ends, () => void relay.restart())
}

/**
 * A relay is at another address from now on. The name that leads there fails for a while at each
 * peer.
 */
async function rename(world: World): Promise<void> {
  const { internet, random, relays, peers } = world
  const from = pick(random, relays)
  const to = internet.addRelay({ name: `${from.host.name}'`, identity: from.identity })
  relays.splice(relays.indexOf(from), 1, to)
  for (const peer of peers) after(world, between(random, 500, 30_000), () => peer.relocate(from, to))
  await from.kill()
}

/** A host moves to another network. */
function move({ internet, random, routers, peers, blocked }: World, host: Host): void {
  const router = internet.router({ nat: behaviour(random) })
  routers.push(router)
  internet.move(host, router)
  for (const peer of peers) if (peer.host === host) blocked.delete(peer)
}
