/**
 * One random scenario: a random internet, peers in random places who dial each other, and random
 * faults while they talk, protected or not. Whatever happens, each dial ends in time, each message
 * is acknowledged (protected: leaves) or fails with a code, there is one connection at most between
 * two peers, and after the faults every peer that can reach a relay exchanges data.
 */
import { BIRTHDAY_SOCKETS, type DialPolicy, type Duration, duration, later } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import type { Host } from '../sim/host.ts'
import type { Seed } from '../sim/random.ts'
import { Internet, type SimPeerPlace } from './internet.ts'
import type { SimPeer } from './sim-peer.ts'
import type { SimConnection } from './sim-records.ts'
import {
  behaviour,
  between,
  chance,
  conditions,
  pick,
  SOAK_FAULTS,
  type SoakFault,
  strike,
  type World,
} from './soak-faults.ts'

/** What happened in a random scenario. */
export interface SoakOutcome {
  readonly dials: number
  readonly connected: number
  /** Dials that ended with a typed error. */
  readonly failed: number
  readonly faults: number
  readonly messages: number
  readonly undelivered: number
  /** Connections that were direct in the end. */
  readonly direct: number
  readonly virtualMs: number
  readonly packets: number
}

/** Faults and messages for so long … */
const TROUBLE: Duration = duration(120_000)
/**
 * … and then calm, long enough for every recovery: a dead path (75 s), RECOVERY_TIME (120 s),
 * registration back-off (60 s).
 */
const CALM: Duration = duration(270_000)
/**
 * A dial ends within the time of three requests: registration, proxy or punch, and what proves the
 * path.
 */
const DIAL_PATIENCE: Duration = duration(60_000)
/**
 * A message is acknowledged or fails within: a wait for a path (RECOVERY_TIME), a session, its own
 * retransmissions.
 */
const MESSAGE_PATIENCE: Duration = duration(150_000)
const MAX_FAULTS = 6

/**
 * @param faults that may happen
 * @throws Error naming each rule that was broken; its seed is printed.
 */
export async function soak(seed: Seed, faults: readonly SoakFault[] = SOAK_FAULTS): Promise<SoakOutcome> {
  let outcome: SoakOutcome | undefined
  await Internet.run(seed, {}, async (internet) => {
    const world = build(internet)
    const struck = await trouble(world, faults)
    calm(world)
    outcome = judge(world, struck)
  })
  return outcome as SoakOutcome
}

function build(internet: Internet): World {
  const random = internet.sim.random.fork('soak')
  internet.sim.network.conditions = conditions(random)
  const relays = Array.from({ length: chance(random, 0.5) ? 2 : 1 }, () => internet.addRelay())
  const world: World = {
    ...{ internet, random, relays },
    routers: [],
    peers: [],
    blocked: new Set(),
    dials: [],
    deliveries: [],
  }
  // In the other half they know only the seed.
  const endToEnd = chance(random, 0.5) ? nodeEndToEnd() : undefined
  // Some are busy, so that what came meanwhile is one batch.
  const turns = internet.sim.random.fork('turns')
  const gather = (host: Host): void => {
    if (chance(turns, 0.3)) host.gathers = duration(between(turns, 0, 3))
  }
  for (const { host } of relays) gather(host)
  const count = 2 + Math.floor(random.uniform() * 3)
  for (let index = 0; index < count; index++) {
    const place = placeOf(world)
    const peer = internet.addSimPeer({ name: `peer${index}`, endToEnd, ...place })
    gather(peer.host)
    world.peers.push(peer)
    if (place.isBlocked) world.blocked.add(peer)
  }
  return world
}

function placeOf({ internet, random, routers }: World): SimPeerPlace & { readonly isBlocked: boolean } {
  const kind = random.uniform()
  if (kind < 0.12) return { isBlocked: false }
  if (kind < 0.25 && routers.length > 0) return { behind: pick(random, routers), isBlocked: false }
  if (kind < 0.3) {
    const blocks = pick(random, ['all', 'inbound', 'outbound'] as const)
    return { behind: internet.router({ nat: behaviour(random), blocks }), isBlocked: true }
  }
  const carrier = kind < 0.45 ? internet.router({ nat: behaviour(random) }) : undefined
  if (carrier !== undefined) routers.push(carrier)
  const router = internet.router({ nat: behaviour(random), behind: carrier })
  routers.push(router)
  return { behind: router, isBlocked: false }
}

const POLICIES: readonly DialPolicy[] = ['auto', 'auto', 'auto', 'relay-only', 'direct-only']

/** Dials, messages and faults at random times. @returns how many faults there were. */
async function trouble(world: World, faults: readonly SoakFault[]): Promise<number> {
  const { internet, random, peers, dials } = world
  const { clock } = internet.sim
  const start = clock.now()
  const pending: Promise<void>[] = []
  const at = (ms: number, act: () => void): void => void clock.schedule(later(start, duration(ms)), act)
  for (let index = 0; index < peers.length; index++) {
    at(between(random, 0, 30_000), () => {
      const from = pick(random, peers)
      const to = pick(
        random,
        peers.filter((peer) => peer !== from),
      )
      const policy = pick(random, POLICIES)
      const both = chance(random, 0.3)
      for (const [caller, callee] of both
        ? ([
            [from, to],
            [to, from],
          ] as const)
        : ([[from, to]] as const))
        dials.push({
          from: caller,
          to: callee,
          dialled: caller.dialPeer(callee, policy),
          deadline: later(clock.now(), DIAL_PATIENCE),
        })
    })
  }
  const count = Math.floor(random.uniform() * (MAX_FAULTS + 1))
  for (let index = 0; index < count; index++)
    at(between(random, 5000, TROUBLE * 0.8), () => void pending.push(strike(world, faults)))
  for (let time = 1000; time < TROUBLE; time += 1000) at(time, () => talk(world))
  internet.until(() => clock.now() >= later(start, TROUBLE))
  await Promise.all(pending)
  return count
}

/** Each peer sends a message on each of its connections. */
function talk({ internet, peers, deliveries }: World): void {
  // Nothing runs there.
  for (const peer of peers)
    if (!peer.sleeper.asleep(internet.sim.clock.now()))
      for (const { id } of peer.open) deliveries.push(peer.send(id, Uint8Array.of(1)))
}

/** Loss and jitter end, and every peer goes on sending. */
function calm(world: World): void {
  const { internet } = world
  const { clock } = internet.sim
  const start = clock.now()
  internet.sim.network.conditions = { loss: 0, jitter: duration(0), duplicate: 0, reorder: 0 }
  for (let time = 5000; time < CALM - MESSAGE_PATIENCE; time += 5000)
    clock.schedule(later(start, duration(time)), () => talk(world))
  internet.until(() => clock.now() >= later(start, CALM))
}

function judge(world: World, faults: number): SoakOutcome {
  const { internet, peers, dials, deliveries } = world
  const wrong: string[] = []
  for (const { from, to, dialled, deadline } of dials) {
    const names = `${from.host.name} → ${to.host.name}`
    if (dialled.ended === undefined) wrong.push(`dial ${names} never ended`)
    else if (dialled.ended > deadline && ![...world.peers, ...internet.relays].some(({ slept }) => slept))
      wrong.push(`dial ${names} took ${dialled.ended - dialled.started} ms`)
    if (dialled.link === undefined && (dialled.attempts ?? []).some(({ why }) => why === undefined))
      wrong.push(`dial ${names} failed without saying why`)
  }
  const open = deliveries.filter(({ ended }) => ended === undefined)
  if (open.length > 0) wrong.push(`${open.length} messages never ended`)
  for (const peer of peers) wrong.push(...oneEach(peer), ...bounded(peer))
  // When all is calm, what is open at both ends works.
  for (const peer of peers)
    for (const link of peer.open) {
      const other = peers.find(({ id }) => id === link.remoteId)
      if (other === undefined || !other.open.some(({ remoteId }) => remoteId === peer.id)) continue
      if (!spoke(peer, other)) wrong.push(`${peer.host.name} and ${other.host.name} are connected, but nothing arrives`)
    }
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  const links = peers.flatMap((peer) => peer.open)
  return {
    dials: dials.length,
    connected: dials.filter(({ dialled }) => dialled.link !== undefined).length,
    failed: dials.filter(({ dialled }) => dialled.link === undefined).length,
    faults,
    messages: deliveries.length,
    undelivered: deliveries.filter(({ failure }) => failure !== undefined).length,
    direct: links.filter(({ path }) => path.kind === 'direct').length / 2,
    virtualMs: internet.sim.clock.now(),
    packets: internet.sim.timeline.sent,
  }

  function spoke(from: SimPeer, to: SimPeer): boolean {
    const last = to.arrived.findLast((arrived) => arrived.from === from.id)
    return last !== undefined && last.at > internet.sim.clock.now() - MESSAGE_PATIENCE - 20_000
  }
}

function oneEach(peer: SimPeer): readonly string[] {
  const seen = new Set<string>()
  const twice = peer.open.filter(({ remoteId }: SimConnection) => seen.size === seen.add(remoteId).size)
  return twice.map(({ remoteId }) => `${peer.host.name} has two connections with ${remoteId}`)
}

/**
 * Sockets are what grows first when something is not given back: one, those of a birthday, and one
 * for each direct path.
 */
function bounded({ host, open }: SimPeer): readonly string[] {
  const most = 1 + BIRTHDAY_SOCKETS + open.length
  return host.openSockets > most ? [`${host.name} has ${host.openSockets} sockets`] : []
}
