/**
 * How long a connection is silent when its path dies: protected peers, a fault, and the longest
 * time in which nothing arrived at an end that should have. Times are of the virtual clock.
 */
import { type Duration, duration, type Instant, later } from '@showchain/client/core'
import type { Scheduled } from '@showchain/client/runtime'
import { nodeEndToEnd } from '@showchain/crypto'
import type { Conditions } from '../sim/conditions.ts'
import type { Seed } from '../sim/random.ts'
import { Internet } from './internet.ts'
import { nat } from './nat.ts'
import type { Router } from './router.ts'
import type { SimPeer } from './sim-peer.ts'
import type { SimConnection } from './sim-records.ts'
import type { SimRelay } from './sim-relay.ts'
import { StreamChecker, StreamWriter } from './sim-streams.ts'

/** The NATs of both ends; `public`: none, and no relay either. */
export type RecoveryPair = 'T3–T3' | 'T4–T4' | 'public'
/** What the application sends: a datagram each 100 ms both ways, or one stream without a pause. */
export type RecoveryTraffic = 'datagrams' | 'stream'

/** A fault that connections must survive. */
export interface RecoveryFault {
  readonly name: string
  /** Milliseconds of silence that it may cost. */
  readonly goal: number
  readonly pairs: readonly RecoveryPair[]
  readonly relays: number
  /** Breaks something. @returns when the network is whole again, from which on silence counts */
  strike(scene: RecoveryScene): Promise<Instant> | Instant
}

export interface RecoveryScene {
  readonly internet: Internet
  readonly relays: readonly SimRelay[]
  /** Of each end that is behind one. */
  readonly routers: readonly Router[]
  readonly a: SimPeer
  readonly b: SimPeer
}

/** Which traffic meets the fault, and between whom. */
export interface RecoveryPlay {
  readonly pair: RecoveryPair
  readonly traffic: RecoveryTraffic
  /** Nobody speaks for IDLE before the fault, and until it is over or as long again. */
  readonly idle: boolean
  readonly seed: Seed
  /** Whether the first end records its connection; it takes a tenth of the time. */
  readonly recorded?: boolean
}

/** What the fault cost. */
export interface RecoveryOutcome {
  /** The longest time without an arrival, milliseconds. */
  readonly silence: number
  /** Whether the connection from before was still there at the end, at both ends. */
  readonly survived: boolean
  /** The recording of the first end, text by text (qlog); empty unless it was asked for. */
  readonly recording: readonly string[]
  /** When the fault came, and when the network was whole again, in the time of the recording. */
  readonly struck: number
  readonly whole: number
}

/** Lines of 20 ms, narrow enough for a stream to be watched, with a queue of 100 ms. */
const CONDITIONS: Partial<Conditions> = { latency: duration(20), bandwidth: 1e6, queue: 12_500 }
const CALM: Duration = duration(30_000)
const IDLE: Duration = duration(10_000)
/** Time after the fault in which silence is looked for. */
const WATCHED: Duration = duration(45_000)
const INTERVAL: Duration = duration(100)
/** A process that is started anew is back after this long. */
const RESTART: Duration = duration(2000)
const STOP: Duration = duration(90_000)
const SLEEP: Duration = duration(30_000)
const OUTAGE: Duration = duration(60_000)
/** More than the line carries in the time that is watched. */
const STREAM_BYTES = 1e9

const clockOf = ({ internet }: RecoveryScene): Instant => internet.sim.clock.now()

const NATS: readonly RecoveryPair[] = ['T3–T3', 'T4–T4']

/** The rows of docs/protocol.md: a fault, and the longest silence that is allowed. */
export const RECOVERY_FAULTS: readonly RecoveryFault[] = [
  {
    ...{ name: 'relay killed, second one there', goal: 1500, pairs: NATS, relays: 2 },
    strike: async (scene) => {
      await scene.relays[0]?.kill()
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'only relay restarts', goal: 1500, pairs: NATS, relays: 1 },
    strike: async (scene) => {
      await scene.relays[0]?.kill()
      scene.internet.advance(RESTART)
      scene.relays[0]?.start()
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'only relay is stopped for 90 s', goal: 3000, pairs: NATS, relays: 1 },
    strike: (scene) => {
      scene.relays[0]?.sleep(STOP, 'process')
      scene.internet.advance(STOP)
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'direct path blocked', goal: 1000, pairs: ['T3–T3'], relays: 1 },
    strike: (scene) => {
      const own = (ip: string): boolean => scene.routers.some(({ ips }) => ips.includes(ip))
      scene.internet.sim.network.filter = ({ source, destination }) => !(own(source.ip) && own(destination.ip))
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'another public address', goal: 1500, pairs: NATS, relays: 1 },
    strike: (scene) => {
      const [router] = scene.routers
      router?.renumber(scene.internet.freeAddress(router))
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'another network', goal: 2500, pairs: NATS, relays: 1 },
    strike: (scene) => {
      scene.internet.move(scene.a.host, scene.internet.router({ nat: nat.T3(), lan: '10.7.0' }))
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'sleeps 30 s', goal: 1000, pairs: NATS, relays: 1 },
    strike: (scene) => {
      scene.a.sleep(SLEEP)
      scene.internet.advance(SLEEP)
      return clockOf(scene)
    },
  },
  {
    ...{ name: 'outage of 60 s, no relay', goal: 2000, pairs: ['public'], relays: 0 },
    strike: (scene) => {
      const { network } = scene.internet.sim
      network.filter = () => false
      scene.internet.advance(OUTAGE)
      network.filter = undefined
      return clockOf(scene)
    },
  },
]

/** Plays one fault once. */
export async function playRecovery(
  fault: RecoveryFault,
  { pair, traffic, idle, seed, recorded = false }: RecoveryPlay,
): Promise<RecoveryOutcome> {
  let outcome: RecoveryOutcome | undefined
  const name = `${fault.name} ${pair} ${traffic} ${idle ? 'idle' : 'busy'} ${seed}`
  await Internet.run(name, CONDITIONS, async (internet) => {
    const { clock } = internet.sim
    const relays: SimRelay[] = []
    for (let index = 0; index < fault.relays; index++) relays.push(await internet.relay())
    const behaviour = { 'T3–T3': nat.T3(), 'T4–T4': nat.T4(), public: undefined }[pair]
    const routers = behaviour === undefined ? [] : [0, 1].map(() => internet.router({ nat: behaviour }))
    const recording: string[] = []
    let start: number = clock.now()
    const qlog = (text: string): void => {
      if (recording.length === 0) start = clock.now()
      recording.push(text)
    }
    const a = await internet.simPeer({
      name: 'a',
      behind: routers[0],
      endToEnd: nodeEndToEnd(),
      qlog: recorded ? qlog : undefined,
    })
    const b = await internet.simPeer({ name: 'b', behind: routers[1], endToEnd: nodeEndToEnd() })
    const scene = { internet, relays, routers, a, b }
    const link = await a.connect(b)
    internet.advance(CALM)
    const ends: readonly (readonly [SimPeer, SimConnection])[] = [
      [a, link],
      [b, b.open[0] as SimConnection],
    ]
    const talk = traffic === 'datagrams' ? new Datagrams(internet, ends) : new Stream(internet, ends)
    if (!idle) talk.start()
    internet.advance(IDLE)
    const struck = clock.now() - start
    let from = await fault.strike(scene)
    const whole = from - start
    if (idle) {
      internet.until(() => clockOf(scene) >= later(from, IDLE))
      from = clockOf(scene)
      talk.start()
    }
    internet.advance(WATCHED)
    talk.stop()
    const survived = ends.every(([peer, { id }]) => peer.open.some((each) => each.id === id))
    outcome = { silence: talk.silence(from), survived, recording, struck, whole }
    // Whatever was broken is of no use for what follows.
    internet.sim.network.filter = undefined
  })
  return outcome as RecoveryOutcome
}

const longest = (times: readonly number[]): number =>
  Math.max(...times.map((at, index) => at - (times[index - 1] ?? at)))

/** A datagram each INTERVAL, both ways. */
class Datagrams {
  readonly #internet: Internet
  readonly #ends: readonly (readonly [SimPeer, SimConnection])[]
  #next: Scheduled | undefined

  constructor(internet: Internet, ends: readonly (readonly [SimPeer, SimConnection])[]) {
    this.#internet = internet
    this.#ends = ends
  }

  start(): void {
    for (const [peer, { id, closed }] of this.#ends) if (closed === undefined) peer.send(id, Uint8Array.of(7))
    const { clock } = this.#internet.sim
    this.#next = clock.schedule(later(clock.now(), INTERVAL), () => this.start())
  }

  stop(): void {
    this.#next?.cancel()
  }

  silence(since: Instant): number {
    const now = this.#internet.sim.clock.now()
    return Math.max(
      ...this.#ends.map(([{ arrived }]) => {
        const times = arrived.map(({ at }) => at).filter((at) => at >= since)
        return longest([since, ...times, now])
      }),
    )
  }
}

/** One stream from the first end to the second, as fast as it goes. */
class Stream {
  readonly #internet: Internet
  readonly #writer: StreamWriter
  readonly #arrivals: Instant[] = []

  constructor(internet: Internet, [from, to]: readonly (readonly [SimPeer, SimConnection])[]) {
    this.#internet = internet
    if (from === undefined || to === undefined) throw new Error('A stream has two ends.')
    this.#writer = new StreamWriter(from[0], from[1].id)
    const [reader] = to
    const checker = new StreamChecker(reader)
    const { onStream } = reader
    reader.onStream = (event) => {
      const before = checker.bytes
      onStream(event)
      if (checker.bytes > before) this.#arrivals.push(internet.sim.clock.now())
    }
  }

  start(): void {
    this.#writer.open(STREAM_BYTES)
  }

  stop(): void {}

  silence(since: Instant): number {
    const now = this.#internet.sim.clock.now()
    return longest([since, ...this.#arrivals.filter((at) => at >= since), now])
  }
}
