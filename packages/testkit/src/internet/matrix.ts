/**
 * Every ordered pair of NAT types, and the places beyond them: who connects to whom, on which path, after
 * how many one-way trips, with how many packets. The peers are protected from end to end, as by default.
 */
import { type ConnectionHandle, type Duration, duration, type Instant, later } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import type { Conditions } from '../sim/conditions.ts'
import type { Seed } from '../sim/random.ts'
import { Internet, type SimPeerPlace } from './internet.ts'
import { nat } from './nat.ts'
import type { Delivery, SimPeer } from './sim-peer.ts'
import { StreamChecker, StreamWriter } from './sim-streams.ts'

/** One pair of places, and the path that physics allows. */
export interface Pairing {
  readonly requester: string
  readonly target: string
  readonly best: 'direct' | 'birthday' | 'relay'
  place(internet: Internet): { readonly requester: SimPeerPlace; readonly target: SimPeerPlace }
}

/** What came of one pair under one seed. Trips are one-way trips of a packet between two stations of the public network. */
export interface Outcome {
  readonly connected: boolean
  /** The path in the end. */
  readonly path: 'direct' | 'relay' | undefined
  /** One-way trips from `connect` until the first byte of the requester was at the target. */
  readonly firstByte: number | undefined
  /** One-way trips until both ends send directly. */
  readonly direct: number | undefined
  /** Milliseconds of virtual time until then. */
  readonly directMs: number | undefined
  /** Datagrams that both ends and the relays sent from `connect` until the path was settled. */
  readonly packets: number
}

const TYPES = ['T1', 'T2', 'T3', 'T4'] as const

/** docs/protocol.md, Choosing a path. */
function best(requester: (typeof TYPES)[number], target: (typeof TYPES)[number]): Pairing['best'] {
  const pair = [requester, target].sort().join()
  return pair === 'T4,T4' ? 'relay' : pair === 'T3,T4' ? 'birthday' : 'direct'
}

const simple = (
  requester: string,
  target: string,
  how: Pairing['best'],
  places: [SimPeerPlace, SimPeerPlace],
): Pairing => ({
  requester,
  target,
  best: how,
  place: () => ({ requester: places[0], target: places[1] }),
})

/** The seed's four NAT types, each with each. */
export const NAT_PAIRINGS: readonly Pairing[] = TYPES.flatMap((requester) =>
  TYPES.map((target) =>
    simple(requester, target, best(requester, target), [{ behind: nat[requester]() }, { behind: nat[target]() }]),
  ),
)

/** And the places beyond them. */
export const PAIRINGS: readonly Pairing[] = [
  ...NAT_PAIRINGS,
  ...TYPES.flatMap((type) => [
    simple('public', type, 'direct', [{}, { behind: nat[type]() }]),
    simple(type, 'public', 'direct', [{ behind: nat[type]() }, {}]),
  ]),
  {
    requester: 'T3 in CGN',
    target: 'T3',
    best: 'direct',
    place: (internet) => {
      const carrier = internet.router({ nat: nat.T3() })
      return {
        requester: { behind: internet.router({ nat: nat.T3(), behind: carrier }) },
        target: { behind: nat.T3() },
      }
    },
  },
  {
    requester: 'CGN',
    target: 'same CGN',
    best: 'direct',
    place: (internet) => {
      const carrier = internet.router({ nat: nat.T3({ hairpin: true }) })
      const home = (): SimPeerPlace => ({ behind: internet.router({ nat: nat.T3(), behind: carrier }) })
      return { requester: home(), target: home() }
    },
  },
  {
    requester: 'CGN',
    target: 'same CGN, no hairpin',
    best: 'relay',
    place: (internet) => {
      const carrier = internet.router({ nat: nat.T3() })
      const home = (): SimPeerPlace => ({ behind: internet.router({ nat: nat.T3(), behind: carrier }) })
      return { requester: home(), target: home() }
    },
  },
  {
    requester: 'T3',
    target: 'same NAT',
    best: 'direct',
    place: (internet) => {
      const behind = internet.router({ nat: nat.T3() })
      return { requester: { behind }, target: { behind } }
    },
  },
  {
    requester: 'T4',
    target: 'same NAT, hairpin',
    best: 'direct',
    place: (internet) => {
      const behind = internet.router({ nat: nat.T4({ hairpin: true }) })
      return { requester: { behind }, target: { behind } }
    },
  },
  {
    requester: 'public',
    target: 'public, one way only',
    best: 'relay',
    place: (internet) => {
      const requester = internet.host('here')
      const target = internet.host('there')
      // What the target sends to the requester never arrives: no packet between the two can be answered.
      internet.sim.network.filter = ({ source, destination }) =>
        !(target.ips.includes(source.ip) && requester.ips.includes(destination.ip))
      return { requester: { host: requester }, target: { host: target } }
    },
  },
]

/** One way between two stations of the public network, when nothing else is said. */
const LATENCY: Duration = duration(10)
/** Until then a pair that can be direct is direct: birthday probing takes longest. */
export const SETTLED: Duration = duration(120_000)
/** A dial that fails on a bad line is made again, as an application does. */
const MAX_DIALS = 10

/** Conditions of the public network beside its latency of 10 ms, and what the peers are. */
export interface PlayOptions extends Partial<Conditions> {
  /** Without end-to-end protection, as peers that know only the seed. @default false */
  readonly plaintext?: boolean | undefined
}

/** Plays one pair. */
export async function play(
  pairing: Pairing,
  seed: Seed,
  { plaintext = false, ...conditions }: PlayOptions = {},
): Promise<Outcome> {
  let outcome: Outcome | undefined
  await Internet.run(
    `${pairing.requester} → ${pairing.target} ${seed}`,
    { latency: LATENCY, ...conditions },
    async (internet) => {
      await internet.relay()
      const places = pairing.place(internet)
      const kind = plaintext ? {} : { endToEnd: opensslEndToEnd }
      const target = await internet.simPeer({ name: 'target', ...kind, ...places.target })
      const requester = await internet.simPeer({ name: 'requester', ...kind, ...places.requester })
      const first = plaintext ? new FirstMessage(requester, target) : new FirstStreamByte(requester, target)
      outcome = await connect(internet, requester, target, first)
    },
  )
  return outcome as Outcome
}

/** The first byte that the requester sends. */
interface FirstByte {
  /** Sends it on the requester's connection, unless it is on its way there. */
  send(connection: ConnectionHandle): void
  readonly arrived: boolean
}

/** A message; one that a bad line swallowed is sent again, as an application does. */
class FirstMessage implements FirstByte {
  readonly #requester: SimPeer
  readonly #target: SimPeer
  #delivery: Delivery | undefined

  constructor(requester: SimPeer, target: SimPeer) {
    this.#requester = requester
    this.#target = target
  }

  get arrived(): boolean {
    return this.#target.arrived.length > 0
  }

  send(connection: ConnectionHandle): void {
    if (this.#delivery === undefined || this.#delivery.failure !== undefined)
      this.#delivery = this.#requester.send(connection, Uint8Array.of(1))
  }
}

/** A stream of one byte. */
class FirstStreamByte implements FirstByte {
  readonly #requester: SimPeer
  readonly #checker: StreamChecker
  #connection: ConnectionHandle | undefined

  constructor(requester: SimPeer, target: SimPeer) {
    this.#requester = requester
    this.#checker = new StreamChecker(target)
  }

  get arrived(): boolean {
    return this.#checker.bytes > 0
  }

  send(connection: ConnectionHandle): void {
    if (this.#connection === connection) return
    this.#connection = connection
    new StreamWriter(this.#requester, connection).open(1)
  }
}

const isDirect = (peer: SimPeer): boolean => peer.open[0]?.path.kind === 'direct'

async function connect(internet: Internet, requester: SimPeer, target: SimPeer, first: FirstByte): Promise<Outcome> {
  const { clock, timeline } = internet.sim
  const start: Instant = clock.now()
  const trips = (at: Instant | undefined): number | undefined => at && Math.round((at - start) / LATENCY)
  const sentBefore = timeline.sent
  const deadline = later(start, SETTLED)
  let dials = 0
  let dialled = requester.dialPeer(target)
  let firstByte: Instant | undefined
  let direct: Instant | undefined
  let packets = 0
  while (clock.now() < deadline && (direct === undefined || firstByte === undefined)) {
    if (dialled.ended !== undefined && dialled.link === undefined && ++dials < MAX_DIALS)
      dialled = requester.dialPeer(target)
    const [connection] = requester.open
    if (connection !== undefined && !first.arrived) first.send(connection.id)
    if (firstByte === undefined && first.arrived) firstByte = clock.now()
    if (direct === undefined && isDirect(requester) && isDirect(target)) {
      direct = clock.now()
      packets = timeline.sent - sentBefore
    }
    if (!clock.step()) break
  }
  internet.until(() => clock.now() >= deadline)
  return {
    connected: firstByte !== undefined,
    path: requester.open[0]?.path.kind,
    firstByte: trips(firstByte),
    direct: trips(direct),
    directMs: direct === undefined ? undefined : direct - start,
    packets: direct === undefined ? timeline.sent - sentBefore : packets,
  }
}
