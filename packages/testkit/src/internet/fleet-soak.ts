/**
 * A fleet of real machines and very many light peers that are introduced to each other, while nodes die and
 * come back, the bus splits, and peers go to other nodes. In the end every pair was introduced.
 */
import { duration } from '@showchain/client/core'
import { type FleetMessage, RelayMachine } from '@showchain/server'
import { type Endpoint, encode, formatEndpoint, type MessageOf, OP, type PeerId } from '@showchain/wire'
import type { Seed } from '../sim/random.ts'
import { Simulation } from '../sim/simulation.ts'
import { after, LightPeer, LightRelay, read } from './light-peer.ts'
import { SimFleet, type SimNode } from './sim-fleet.ts'

/** How large a run is. */
export interface FleetSoakOptions {
  readonly nodes: number
  readonly peers: number
  readonly introductions: number
  /** Whether nodes die and the bus splits. @default true */
  readonly faults?: boolean | undefined
}

/** What came of a run. */
export interface FleetSoakOutcome {
  readonly introduced: number
  /** With the first request, its repetitions included. */
  readonly atOnce: number
  readonly deaths: number
  readonly splits: number
  readonly moves: number
  /** Messages on the bus for each introduction, beside statuses: published, and received by nodes. */
  readonly published: number
  readonly received: number
  /** The most that a table of a node had, and all of them after everything was quiet. */
  readonly places: number
  readonly attempts: number
  readonly left: number
}

interface Node extends SimNode {
  relay: LightRelay | undefined
  leave: () => void
}

interface Pair {
  readonly requester: LightPeer
  readonly target: LightPeer
  requests: number
  done: boolean
}

const KEEP_ALIVE = 25_000
const REPEATS = [500, 1500, 3500, 7500] as const
/** A request that was not answered by then is made anew. */
const GIVE_UP = 12_000
/** A peer notices by then that its node is gone. */
const NOTICES = 2000
const LATENCY = 10
/** Between two faults. */
const FAULT_GAP = 3000
/** Peers register, introductions begin and faults happen until then; then everything that was stale is over. */
const [BEGIN, SPAN, QUIET] = [20_000, 90_000, 180_000]
/** Nothing is kept for longer. */
const OVER = 120_000
/** docs/fleet.md, Nodes. */
const STATUS_GAP = 5000

/** Plays one run. */
export function fleetSoak(
  seed: Seed,
  { nodes: count, peers: many, introductions, faults = true }: FleetSoakOptions,
): FleetSoakOutcome {
  const sim = new Simulation(seed)
  const { clock, provider } = sim
  const random = sim.random.fork('soak')
  const bus = new SimFleet(sim, 'fleet', { latency: duration(2) })
  const relayId: PeerId = bus.identity.id
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.uniform() * items.length)] as Item
  const byAddress = new Map<string, LightPeer>()
  const pairs = new Map<string, Pair>()
  const found = { deaths: 0, splits: 0, moves: 0, places: 0, attempts: 0, lives: 0 }

  const toPeer = (from: number) => (to: Endpoint, bytes: Uint8Array) => {
    const copy = bytes.slice()
    after(clock, LATENCY, () => heard(byAddress.get(formatEndpoint(to)), copy, from))
  }
  const toNode = (peer: LightPeer, bytes: Uint8Array, node = peer.node): void => {
    if (node === undefined) return
    after(clock, LATENCY, () =>
      all[node]?.relay?.input((machine, now) => machine.receive({ bytes, source: peer.source }, now)),
    )
  }
  function start(node: Node): void {
    const machine = new RelayMachine({
      self: bus.identity.publicKey,
      ...{ provider, random: random.fork(`life ${found.lives++}`), unixMs: () => clock.unixMs() },
      limits: { bindingsPerSource: 1024 },
      fleet: { node: node.node, secret: bus.secret },
    })
    const say = (message: FleetMessage): void => void bus.publish(node, message)
    node.leave = bus.join(node)
    node.relay = new LightRelay(machine, { clock, provider, identity: bus.identity }, toPeer(node.node), say)
  }
  const all: readonly Node[] = Array.from({ length: count }, (_, number) => {
    const node: Node = {
      node: number,
      relay: undefined,
      leave: () => {},
      receive: (message) => node.relay?.input((machine, now) => machine.fleetReceived(message, now)),
    }
    return node
  })
  for (const node of all) start(node)

  function register(peer: LightPeer): void {
    peer.registered = false
    peer.node = pick(all.filter(({ relay }) => relay !== undefined)).node
    toNode(peer, peer.registration(relayId))
    const node = peer.node
    after(clock, NOTICES, () => {
      if (!peer.registered && peer.node === node) register(peer)
    })
  }
  function heard(peer: LightPeer | undefined, bytes: Uint8Array, from: number): void {
    const message = read(bytes)
    if (peer === undefined || message === undefined || peer.node !== from) return
    if (message.op_code === OP.challenge) toNode(peer, peer.registration(relayId, message.cookie))
    else if (message.op_code === OP.directResponse) peer.registered = true
    else if (message.op_code === OP.error) register(peer)
    else if (message.op_code === OP.punchPassRequest) agree(peer, message)
    else if (message.op_code === OP.punchPassAck) introduced(`${peer.id} ${message.id}`)
  }
  function agree(peer: LightPeer, { seq, ts, session }: MessageOf<typeof OP.punchPassRequest>): void {
    toNode(peer, peer.signed({ op_code: OP.punchAck, session, seq, ts }))
  }
  function introduced(name: string): void {
    const pair = pairs.get(name)
    if (pair !== undefined) pair.done = true
  }
  function ask(pair: Pair): void {
    if (pair.done) return
    pair.requests++
    const { requester, target } = pair
    const bytes = requester.signed({ op_code: OP.punchRequest, target: target.id, ext: { caps: 4 } })
    toNode(requester, bytes)
    for (const ms of REPEATS) after(clock, ms, () => !pair.done && toNode(requester, bytes))
    after(clock, GIVE_UP, () => ask(pair))
  }
  function keepAlive(peer: LightPeer): void {
    toNode(peer, encode({ op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }, 'binary'))
    if (clock.now() < QUIET) after(clock, KEEP_ALIVE, () => keepAlive(peer))
  }
  function kill(node: Node): void {
    found.deaths++
    node.relay?.kill()
    node.relay = undefined
    node.leave()
    for (const peer of byAddress.values())
      if (peer.node === node.node) after(clock, NOTICES * random.uniform(), () => register(peer))
    after(clock, FAULT_GAP * 2, () => start(node))
  }
  function fault(): void {
    if (clock.now() > SPAN) return bus.heal()
    const up = all.filter(({ relay }) => relay !== undefined)
    const dice = random.uniform()
    if (dice < 0.4 && up.length > count / 2) kill(pick(up))
    else if (dice < 0.6) {
      found.splits++
      const half = all.filter(() => random.uniform() < 0.5).map(({ node }) => node)
      bus.split(
        half,
        all.map(({ node }) => node).filter((node) => !half.includes(node)),
      )
    } else if (dice < 0.8) bus.heal()
    else
      for (const peer of byAddress.values())
        if (random.uniform() < 0.01) {
          found.moves++
          register(peer)
        }
    after(clock, FAULT_GAP, fault)
  }
  function look(): void {
    for (const { relay } of all) {
      if (relay === undefined) continue
      const { fleetPlaces, attempts } = relay.machine.stats()
      found.places = Math.max(found.places, fleetPlaces)
      found.attempts = Math.max(found.attempts, attempts)
    }
  }

  for (let number = 0; number < many; number++) {
    const peer = new LightPeer(provider, number, () => clock.unixMs())
    byAddress.set(peer.key, peer)
    after(clock, 100 + (BEGIN / 2) * random.uniform(), () => {
      register(peer)
      after(clock, KEEP_ALIVE * random.uniform(), () => keepAlive(peer))
    })
  }
  clock.advance(duration(BEGIN))
  const before = { ...bus.carried }
  const peers = [...byAddress.values()]
  for (let number = 0; number < introductions; number++) {
    const [requester, target] = [pick(peers), pick(peers)]
    const name = `${requester.id} ${target.id}`
    if (requester === target || pairs.has(name)) continue
    const pair: Pair = { requester, target, requests: 0, done: false }
    pairs.set(name, pair)
    after(clock, (SPAN - BEGIN) * random.uniform(), () => ask(pair))
  }
  if (faults) after(clock, FAULT_GAP, fault)
  for (let at = BEGIN; at < QUIET; at += STATUS_GAP) {
    clock.advance(duration(STATUS_GAP))
    look()
  }
  const statuses = ((QUIET - BEGIN) / STATUS_GAP) * count
  const published = bus.carried.published - before.published - statuses
  const received = bus.carried.received - before.received - statuses * (count - 1)
  clock.advance(duration(OVER))
  const left = all.reduce((sum, { relay }) => {
    const stats = relay?.machine.stats()
    return sum + (stats === undefined ? 0 : stats.bindings + stats.fleetPlaces + stats.attempts + stats.answers)
  }, 0)
  for (const { relay, leave } of all) {
    relay?.kill()
    leave()
  }
  const done = [...pairs.values()].filter((pair) => pair.done)
  return {
    introduced: done.length / pairs.size,
    atOnce: done.filter(({ requests }) => requests === 1).length / pairs.size,
    published: published / pairs.size,
    received: received / pairs.size,
    ...{ left, deaths: found.deaths, splits: found.splits, moves: found.moves },
    ...{ places: found.places, attempts: found.attempts },
  }
}
