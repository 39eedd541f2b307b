/**
 * A small internet in one object: virtual time, seeded chance, one network, and drivers that put
 * machines on hosts. The same seed gives the same timeline, byte for byte.
 */
import {
  type Duration,
  duration,
  type Instant,
  later,
  type Machine,
  type WebSocketTarget,
} from '@showchain/client/core'
import {
  type ConnectionSocket,
  type DatagramSocket,
  Driver,
  type EventOf,
  type Worker,
} from '@showchain/client/runtime'
import { type TestIdentity, TestProvider } from '@showchain/crypto/testing'
import { VirtualClock } from './clock.ts'
import type { Conditions } from './conditions.ts'
import { Host } from './host.ts'
import { Network } from './network.ts'
import { endPrograms, outsidePrograms } from './program.ts'
import { type Seed, SeededRandom } from './random.ts'
import { Timeline } from './timeline.ts'
import type { VirtualWebSockets } from './websocket.ts'
import { VirtualWorker } from './worker.ts'

/** Virtual time after which a condition or a promise that is waited for is stuck. */
const PATIENCE: Duration = duration(3_600_000)
/** Virtual time that passes while a whole scenario awaits, at most. */
const SCENARIO_PATIENCE: Duration = duration(604_800_000)
/** Lines of the timeline that a failed scenario shows. */
const SHOWN_LINES = 60

/** A machine on a host. */
export interface Placement<M extends Machine<unknown>> {
  /** Makes the machine once its socket is known. */
  readonly machine: (socket: DatagramSocket) => M
  /** Who signs for the machine; without it nothing is signed. */
  readonly identity?: TestIdentity | undefined
  /** @default 0: any */
  readonly port?: number | undefined
  /** Further sockets, which the machine knows as 1, 2, … @default none */
  readonly others?: readonly DatagramSocket[] | undefined
  /** Connections that others make to it. @default none */
  readonly connections?: ConnectionSocket | undefined
  /** In place of one that does RSA at once with the simulation's provider. */
  readonly worker?: Worker | undefined
  /**
   * Puts something between the machine and the network, such as `faultySocket`; asked for each
   * socket, the machine's first one first.
   */
  readonly socket?: ((socket: DatagramSocket) => DatagramSocket) | undefined
  /** Called for each event, beside the collection. */
  readonly onEvent?: ((event: EventOf<M>) => void) | undefined
}

/** A machine on a host. */
export interface Placed<M extends Machine<unknown>> {
  readonly driver: Driver<M>
  readonly socket: DatagramSocket
  /** Every event so far. */
  readonly events: readonly EventOf<M>[]
}

/** A promise that virtual time passes for. */
interface Waiting {
  readonly end: Instant
  readonly fail: (error: unknown) => void
}

/** Machines on hosts of a network, on virtual time. */
export class Simulation {
  readonly seed: Seed
  readonly clock: VirtualClock = new VirtualClock()
  readonly timeline: Timeline = new Timeline()
  readonly provider: TestProvider = new TestProvider()
  readonly random: SeededRandom
  readonly network: Network
  /** What host names resolve to. */
  readonly names: Map<string, string> = new Map<string, string>()
  /** What takes WebSocket connections, by URL. */
  readonly websockets: Map<string, VirtualWebSockets> = new Map<string, VirtualWebSockets>()
  /** As many as `settle` was called with at once. */
  readonly #waiting = new Set<Waiting>()
  #running = false

  constructor(seed: Seed, conditions?: Partial<Conditions>) {
    this.seed = seed
    this.random = new SeededRandom(seed)
    const { clock, timeline } = this
    this.network = new Network({ clock, timeline, random: this.random.fork('network'), conditions })
  }

  /**
   * Plays a scenario. When it fails, prints the seed that repeats it and the end of its timeline.
   */
  static async run(seed: Seed, scenario: (simulation: Simulation) => void | Promise<void>): Promise<Simulation> {
    const simulation = new Simulation(seed)
    await simulation.play(() => scenario(simulation))
    return simulation
  }

  /** Plays one on this simulation. Virtual time passes while it awaits. */
  async play(scenario: () => void | Promise<void>): Promise<void> {
    try {
      await this.settle(Promise.resolve(scenario()), SCENARIO_PATIENCE)
    } catch (error) {
      console.error(`Simulation with seed ${JSON.stringify(this.seed)} failed.\n${this.timeline.format(SHOWN_LINES)}`)
      throw error
    } finally {
      endPrograms(this.clock)
      // What waits for the next turn holds the simulation: one scenario after the other, without any that
      // waits for a real moment, would keep them all.
      await outsidePrograms(turn)
    }
  }

  /**
   * A new host on the public network.
   * @param ips in canonical form, such as `192.0.2.1` and `2001:db8::1`
   */
  host(name: string, ...ips: readonly string[]): Host {
    return new Host(this.network, name, ips)
  }

  /** The identity that this name always has under this seed. */
  identity(name: string): TestIdentity {
    return this.provider.identity(`${this.seed}/${name}`)
  }

  /** Runs a machine on a host, with a driver and a socket of its own. */
  put<M extends Machine<unknown>>(host: Host, placement: Placement<M>): Placed<M> {
    const { clock, provider } = this
    const bare = host.socket(placement.port)
    const around = (each: DatagramSocket): DatagramSocket => placement.socket?.(each) ?? each
    const socket = around(bare)
    const events: EventOf<M>[] = []
    const sign = (preimage: Uint8Array): Uint8Array | undefined => placement.identity?.signNow(preimage)
    const certify = (preimage: Uint8Array): Uint8Array | undefined => placement.identity?.certifyNow(preimage)
    const worker = placement.worker ?? new VirtualWorker({ clock, provider, sign, certify })
    const onEvent = (event: EventOf<M>): void => {
      events.push(event)
      placement.onEvent?.(event)
    }
    const driver = new Driver<M>({
      ...{ machine: placement.machine(socket), socket, clock, worker, onEvent },
      others: placement.others,
      connections: placement.connections,
      openSocket: (failed, to) => (to === undefined ? around(host.socket()) : this.openWebSocket(to, failed)),
    })
    return { driver, socket, events }
  }

  /** A WebSocket connection of a host. What listens nowhere fails at once. */
  openWebSocket({ url, endpoint }: WebSocketTarget, failed: (why: string) => void): DatagramSocket {
    const listens = this.websockets.get(url)
    if (listens !== undefined) return listens.connect(endpoint, failed)
    const refusal = this.clock.schedule(this.clock.now(), () => failed('connection refused'))
    return { localEndpoints: [], send: () => {}, onDatagrams: () => {}, close: async () => refusal.cancel() }
  }

  /** Lets time pass. */
  advance(by: Duration): void {
    this.clock.advance(by)
  }

  /** Lets time pass until the condition holds. */
  until(holds: () => boolean, patience: Duration = PATIENCE): void {
    const end = later(this.clock.now(), patience)
    while (!holds()) {
      if (!this.clock.step()) throw new Error('Nothing is left to happen, and the condition does not hold.')
      if (this.clock.now() > end) throw new Error(`The condition does not hold after ${patience} ms.`)
    }
  }

  /** Resolves after this much virtual time. */
  wait(by: Duration): Promise<void> {
    return this.settle(new Promise((resolve) => this.clock.schedule(later(this.clock.now(), by), resolve)), by)
  }

  /**
   * Lets virtual time pass until the promise is settled. Between two moments everything runs that
   * waits for a promise. Real timers, input and output are not waited for.
   */
  settle<Result>(promise: Promise<Result>, patience: Duration = PATIENCE): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting = { end: later(this.clock.now(), patience), fail: reject }
      const settled = (): void => {
        this.#waiting.delete(waiting)
      }
      this.#waiting.add(waiting)
      promise.then(settled, settled)
      promise.then(resolve, reject)
      if (!this.#running) void outsidePrograms(() => this.#run())
    })
  }

  /** Goes from moment to moment while a promise is waited for. */
  async #run(): Promise<void> {
    this.#running = true
    for (await turn(); this.#waiting.size > 0; await turn()) {
      try {
        if (!this.clock.step()) throw new Error('Nothing is left to happen, and a promise is pending.')
      } catch (error) {
        this.#fail(this.#waiting, error)
      }
      const now = this.clock.now()
      const late = [...this.#waiting].filter(({ end }) => now > end)
      this.#fail(late, new Error(`A promise is pending at ${now} ms, for longer than it may.`))
    }
    this.#running = false
  }

  #fail(waiting: Iterable<Waiting>, error: unknown): void {
    for (const each of waiting) {
      this.#waiting.delete(each)
      each.fail(error)
    }
  }
}

/** Lets everything run that waits for a promise. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
