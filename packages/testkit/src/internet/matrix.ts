/**
 * The connection matrix: every ordered pair of NAT types, and topologies beyond them. One play of a
 * pair measures the path, the one-way trips and the packets. The peers are protected from end to
 * end, as by default.
 */
import { type Duration, duration, EarlyBytes, type Instant, later } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import { ipFamily } from '@showchain/wire'
import { EARLY_STREAM } from '@showchain/wire/end-to-end'
import type { Conditions } from '../sim/conditions.ts'
import type { Seed } from '../sim/random.ts'
import { type FirstByte, FirstMessage, FirstStreamByte } from './first-byte.ts'
import { Internet } from './internet.ts'
import type { Pairing } from './pairings.ts'
import type { SimPeer } from './sim-peer.ts'
import type { Dialled } from './sim-records.ts'
import type { SimRelay } from './sim-relay.ts'
import { streamBytes } from './sim-streams.ts'

/**
 * The result of one pair with one seed. A trip is the one-way trip of a packet between two nodes of
 * the public network.
 */
export interface Outcome {
  readonly connected: boolean
  /** The requester's path when everything has settled. */
  readonly path: 'direct' | 'relay' | undefined
  /** The IP family over which that path leaves the requester. */
  readonly family: 4 | 6 | undefined
  /** Trips from `connect` until it resolved at the requester. */
  readonly opened: number | undefined
  /** Trips from `connect` until the target received the requester's first byte. */
  readonly firstByte: number | undefined
  /** Trips from `connect` until both ends use a direct path. */
  readonly direct: number | undefined
  /** The same in milliseconds of virtual time. */
  readonly directMs: number | undefined
  /**
   * Datagrams that both ends and the relay sent from `connect` until then, or in all without a
   * direct path.
   */
  readonly packets: number
}

/** Addresses of a relay that IPv4-only and IPv6-only hosts reach. */
const RELAY_OF_BOTH = ['5.9.0.1', '2a01:4f9::1'] as const

/** One-way delay between two nodes of the public network, by default. */
const LATENCY: Duration = duration(10)
/** By then every pair has its final path: birthday probing takes longest. */
export const SETTLED: Duration = duration(120_000)
/** A dial that fails on a lossy network is repeated, as an application does. */
const MAX_DIALS = 10

/** Conditions of the public network, whose latency is 10 ms by default, and the kind of peers. */
export interface PlayOptions extends Partial<Conditions> {
  /** No end-to-end protection, as between peers that implement only the seed. @default false */
  readonly plaintext?: boolean | undefined
  /** Both ends are at different nodes of a fleet, whose bus is a hundred times as fast as the network. @default at one relay */
  readonly fleet?: boolean | undefined
}

/** Plays one pair. */
export async function play(
  pairing: Pairing,
  seed: Seed,
  { plaintext = false, fleet = false, ...conditions }: PlayOptions = {},
): Promise<Outcome> {
  let outcome: Outcome | undefined
  await Internet.run(
    `${pairing.requester} → ${pairing.target} ${seed}`,
    { latency: LATENCY, ...conditions },
    async (internet) => {
      const { websocket, ipv6 = false } = pairing
      const ips = ipv6 ? RELAY_OF_BOTH : undefined
      const relays = fleet ? await nodes(internet) : [await internet.relay({ websocket, ...(ips && { ips }) })]
      const places = pairing.place(internet)
      const kind = plaintext ? {} : { endToEnd: nodeEndToEnd() }
      const target = await internet.simPeer({
        name: 'target',
        acceptEarly: true,
        ...kind,
        relays: relays.slice(0, 1),
        ...places.target,
      })
      const requester = await internet.simPeer({
        ...{ name: 'requester', ...kind, relays: relays.slice(-1), ...places.requester },
        ...(pairing.contact && { relays: [] }),
      })
      if (pairing.contact === 'token') await meet(internet, requester)
      if (pairing.met !== undefined) await meetPeer(internet, requester, target)
      const first = plaintext ? new FirstMessage(requester, target) : new FirstStreamByte(requester, target)
      const by = pairing.contact === undefined ? requester.relays : target.relays
      outcome = await connect(internet, requester, target, first, { ...pairing, by })
    },
  )
  return outcome as Outcome
}

/** Two nodes that know each other. */
async function nodes(internet: Internet): Promise<readonly SimRelay[]> {
  const { relays } = internet.fleet(2, { bus: { latency: duration(LATENCY / 100) } })
  internet.until(() => relays.every(({ machine }) => machine.fleetNodes.length === relays.length - 1))
  return relays
}

/** A binding and a mapping of a NAT are over by then, and a token is not. */
const LATER: Duration = duration(3_600_000)

/** Until a connection has settled, and until mappings of NATs are over. */
const MEETING: Duration = duration(400_000)

/** The requester registers with the relay once, and leaves it. */
async function meet(internet: Internet, requester: SimPeer): Promise<void> {
  const [relay] = internet.relays
  if (relay === undefined) return
  requester.ledger.called(relay.endpoint)
  requester.input((now) => requester.machine.register(relay.address, now))
  internet.until(() => requester.isRegistered(relay))
  requester.input((now) => requester.machine.leave(relay.address, now))
  internet.advance(LATER)
}

/** Both were connected, and each keeps the other's static key. */
async function meetPeer(internet: Internet, requester: SimPeer, target: SimPeer): Promise<void> {
  for (let dials = 0; dials < MAX_DIALS && requester.open.length === 0; dials++)
    await requester.connect(target).catch(() => {})
  internet.advance(MEETING)
  // A goodbye that is lost makes the other end come back.
  while (requester.open.length + target.open.length > 0) {
    for (const peer of [requester, target]) for (const { id } of peer.open) peer.closeConnection(id)
    internet.advance(MEETING)
  }
}

const isDirect = (peer: SimPeer): boolean => peer.open[0]?.path.kind === 'direct'

async function connect(
  internet: Internet,
  requester: SimPeer,
  target: SimPeer,
  first: FirstByte,
  { met, via = 'auto', by }: Pairing & { readonly by: readonly SimRelay[] },
): Promise<Outcome> {
  const { clock, timeline } = internet.sim
  const start: Instant = clock.now()
  const trips = (at: Instant | undefined): number | undefined => at && Math.round((at - start) / LATENCY)
  const sentBefore = timeline.originated
  const deadline = later(start, SETTLED)
  let dials = 0
  const said = met === 'early' ? new EarlyBytes(streamBytes(EARLY_STREAM, 0, 1)) : undefined
  const addresses = target.host.network === internet.sim.network ? target.endpoints() : []
  const dial = (): Dialled => requester.dial(target.id, via, { relays: by, addresses, early: said })
  let dialled = dial()
  let opened: Instant | undefined
  let firstByte: Instant | undefined
  let direct: Instant | undefined
  let packets = 0
  while (clock.now() < deadline && (direct === undefined || firstByte === undefined)) {
    if (dialled.ended !== undefined && dialled.link === undefined && ++dials < MAX_DIALS) dialled = dial()
    const [connection] = requester.open
    if (connection !== undefined) opened ??= clock.now()
    // What may have been lost is sent again: a byte more does no harm here.
    if (connection !== undefined && said?.state !== 'taken' && !first.arrived) first.send(connection.id)
    if (firstByte === undefined && first.arrived) firstByte = clock.now()
    if (direct === undefined && isDirect(requester) && isDirect(target)) {
      direct = clock.now()
      packets = timeline.originated - sentBefore
    }
    if (!clock.step()) break
  }
  internet.until(() => clock.now() >= deadline)
  const path = requester.open[0]?.path
  return {
    connected: firstByte !== undefined,
    path: path?.kind,
    family: path && ipFamily(path.remote.ip),
    opened: trips(opened),
    firstByte: trips(firstByte),
    direct: trips(direct),
    directMs: direct === undefined ? undefined : direct - start,
    packets: direct === undefined ? timeline.originated - sentBefore : packets,
  }
}
